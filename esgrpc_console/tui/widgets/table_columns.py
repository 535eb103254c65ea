"""Columns of tables: how wide they are, and which of them there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = 2
MARGIN = 1
_MIN_ELASTIC_WIDTH = 12


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    key: str
    heading: str
    importance: int
    """Columns with the least go first when there is too little room."""
    is_number: bool = False
    """Whether it is right-aligned, and greatest first when it is sorted by. Never cut."""
    is_elastic: bool = False
    """Whether it takes the room that the others leave, and shortens its text to it."""
    min_width: int = 0
    """What is kept free from the beginning, so that the table need not become another one."""
    max_width: int = 40
    """Of a column that isn't a number: longer texts are shortened."""


@dataclass(frozen=True)
class PlacedColumn:
    """A column that there is room for."""

    column: Column
    index: int
    """Which cell of a row it shows."""
    x: int
    width: int

    def place_text(self, text: str) -> tuple[int, str]:
        """Returns where a text begins in it, and as much of it as there is room for."""
        shown = shortened(text, self.width)
        room = self.width - width_of(shown) if self.column.is_number else 0
        return self.x + room, shown


class ColumnWidths:
    """How wide columns must be for what they have shown so far: columns that breathe can't be read."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widths = [max(len(column.heading), column.min_width) for column in columns]

    def see(self, texts: Iterable[str]) -> None:
        """Makes room for the texts of a row, one for each column."""
        for index, text in enumerate(texts):
            column = self._columns[index]
            width = width_of(text)
            if not column.is_number:
                width = min(column.max_width, width)
            self._widths[index] = max(self._widths[index], width)

    def place(self, available: int) -> tuple[PlacedColumn, ...]:
        """Returns the columns that there is room for, the most important in any case.

        Where one has none, a narrower one that is less important may have it.
        """
        chosen = self._choose(available)
        fixed = sum(self._widths[i] for i in chosen if not self._columns[i].is_elastic)
        elastic = sum(self._columns[i].is_elastic for i in chosen)
        left = available - MARGIN - GAP * (len(chosen) - 1) - fixed
        placed, x = [], MARGIN
        for index in chosen:
            column = self._columns[index]
            width = max(1, left // elastic) if column.is_elastic else self._widths[index]
            placed.append(PlacedColumn(column, index, x, width))
            x += width + GAP
        return tuple(placed)

    def _choose(self, available: int) -> list[int]:
        by_importance = sorted(
            range(len(self._columns)), key=lambda index: -self._columns[index].importance
        )
        chosen = by_importance[:1]
        for index in by_importance[1:]:
            if self._needed([*chosen, index]) <= available:
                chosen.append(index)
        return sorted(chosen)

    def _needed(self, chosen: Sequence[int]) -> int:
        widths = sum(
            _MIN_ELASTIC_WIDTH if self._columns[index].is_elastic else self._widths[index]
            for index in chosen
        )
        return MARGIN + widths + GAP * (len(chosen) - 1)


def shortened(text: str, width: int) -> str:
    """Returns a text that takes at most so many cells of the terminal."""
    if width_of(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1)}…" if width > 1 else "…"


def width_of(text: str) -> int:
    """Returns how many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)
