"""Numbers of the last moments as bars of one line."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Returns the newest numbers as bars, the newest last, the greatest of them the highest.

    A number above zero is never shown as none.

    :param width: how many are shown. Where there are fewer, the room is left empty at the left.
    """
    newest = values[-width:] if width > 0 else ()
    greatest = max(newest, default=0.0)
    bars = "".join(_bar(value, greatest) for value in newest)
    return bars.rjust(width)


def _bar(value: float, greatest: float) -> str:
    if value <= 0 or greatest <= 0:
        return _BARS[0]
    return _BARS[max(1, round(value / greatest * (len(_BARS) - 1)))]
