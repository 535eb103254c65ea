"""How numbers, ages and foreign text are written, everywhere in the console."""

from __future__ import annotations

import re
from datetime import datetime

NONE = "–"
"""Stands where there is no number."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

# Control characters, what turns the direction of text round, and halves of characters, which can't be
# written: none of them may reach a terminal.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
    "\ud800-\udfff]"
)
_HARMFUL_BUT_NEWLINES = re.compile(_HARMFUL.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_SPACE = 0x20


def number(value: int | None) -> str:
    """Writes a whole number with its thousands grouped."""
    return NONE if value is None else f"{value:,}"


def rate(value: float | None) -> str:
    """Writes a number per second: with one decimal below ten, so that slow is not shown as none."""
    if value is None:
        return NONE
    if 0 < value < 9.95:
        return f"{max(value, 0.1):.1f}"
    return f"{value:,.0f}"


def duration(seconds: float) -> str:
    """Writes a time in its two greatest units: ``12s``, ``2m 10s``, ``3h 5m``, ``2d 4h``."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"


def seconds(value: float | None) -> str:
    """Writes a time as :func:`duration` does, or what stands where it is not known."""
    return NONE if value is None else duration(value)


def ago(value: float | None) -> str:
    """Writes how long something has been: ``2m 10s ago``."""
    return NONE if value is None else f"{duration(value)} ago"


def clock_time(moment: datetime | None) -> str:
    """Writes a time of the local day with its milliseconds: ``14:02:09.118``."""
    return NONE if moment is None else local(moment).strftime("%H:%M:%S.%f")[:-3]


def local(moment: datetime) -> datetime:
    """Returns a moment in local time, or as it is where there is no such local time: the first and
    the last day that there are don't have every one."""
    try:
        return moment.astimezone()
    except (OverflowError, ValueError):
        return moment


def milliseconds(seconds: float) -> str:
    """Writes a short time in milliseconds, with one decimal below a hundred."""
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 99.95 else f"{value:,.0f} ms"


def count(value: int, singular: str) -> str:
    """Writes a number of things: ``1 event``, ``2,000 events``."""
    return f"{value:,} {singular}{'' if value == 1 else 's'}"


def line(text: str) -> str:
    """Makes text from elsewhere fit to be shown on one line: control characters become visible."""
    return _HARMFUL.sub(_picture, text)


def block(text: str) -> str:
    """Makes text from elsewhere fit to be shown on several lines."""
    return _HARMFUL_BUT_NEWLINES.sub(_picture, text.replace("\r\n", "\n").replace("\t", "    "))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < _SPACE:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == _DELETE else "�"
