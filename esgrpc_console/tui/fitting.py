"""Makes text exactly as wide as a column, by the cells that it takes on the screen."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def pad(text: str, width: int) -> str:
    """Returns text that takes exactly so many cells, shortened at its end where it is too long."""
    if text.isascii():
        length = len(text)
        if length <= width:
            return text + " " * (width - length)
        return f"{text[: width - 1]}…" if width else ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return f"{set_cell_size(text, width - 1)}…" if width else ""


def elide(text: str, width: int) -> str:
    """Returns text that takes exactly so many cells, shortened in its middle where it is too long:
    IDs that begin alike often end differently."""
    if not text.isascii() or len(text) <= width:
        return pad(text, width)
    tail = min(12, width // 3)
    return f"{text[: width - tail - 1]}…{text[len(text) - tail :]}"
