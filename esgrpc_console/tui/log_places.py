"""Places of a log, as people write them."""

from __future__ import annotations

import re

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def place_of(text: str, head: int) -> int | None:
    """Returns the ID that ``12,398``, ``#12398`` or ``50%`` of a log stands for. None: it is none."""
    wanted = text.strip().lstrip("#").replace(",", "").replace("_", "").replace(" ", "")
    percent = _PERCENT.fullmatch(wanted)
    if percent:
        return max(1, round(min(100.0, float(percent.group(1))) / 100 * head))
    return int(wanted) if wanted.isascii() and wanted.isdigit() else None
