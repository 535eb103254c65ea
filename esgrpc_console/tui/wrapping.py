"""Breaks styled lines into rows of a width, by what they take on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size

from esgrpc_console.tui.json_text import Line, Piece

_HANGING = 2
"""How much further than a line its other rows are indented."""
_MIN_ROOM = 16
"""What is left for text at least: deeper indents are cut."""


@dataclass(frozen=True)
class Row:
    """What is shown in one row of the screen."""

    pieces: Sequence[Piece]
    indent: int = 0
    """How many cells of blank come before them."""
    is_continued: bool = False
    """Whether it goes on with the line of the row above."""

    @property
    def text(self) -> str:
        """What is shown."""
        return " " * self.indent + "".join(text for text, _ in self.pieces)


def rows_of(lines: Sequence[Line], width: int) -> list[Row]:
    """Returns lines in as many rows as they take."""
    rows: list[Row] = []
    for line in lines:
        rows += _wrap(line, max(1, width))
    return rows


def _wrap(line: Line, width: int) -> Iterator[Row]:
    text = line.text
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        yield Row(line.pieces)
        return
    blank = len(text) - len(text.lstrip(" "))
    indent = min(blank + _HANGING, max(0, width - _MIN_ROOM))
    row: list[Piece] = []
    room = width
    is_continued = False
    for piece, kind in line.pieces:
        rest = piece
        while rest:
            taken = _fitting(rest, room)
            if not taken and room < width:
                yield Row(row, indent if is_continued else 0, is_continued)
                row, room, is_continued = [], width - indent, True
                continue
            # A character wider than the screen is shown as far as it can be.
            taken = taken or 1
            row.append((rest[:taken], kind))
            room -= cell_len(rest[:taken])
            rest = rest[taken:]
    yield Row(row, indent if is_continued else 0, is_continued)


def _fitting(text: str, room: int) -> int:
    """Returns how many characters fit."""
    if room <= 0:
        return 0
    beginning = text[:room]
    if beginning.isascii():
        return len(beginning)
    cells = 0
    for index, character in enumerate(beginning):
        cells += get_character_cell_size(character)
        if cells > room:
            return index
    return len(beginning)
