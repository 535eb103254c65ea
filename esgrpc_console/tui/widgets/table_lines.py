"""The lines of a table, as they are drawn. Which rows there are is left to the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from esgrpc_console.tui.appearance import Cell
from esgrpc_console.tui.widgets.table_columns import PlacedColumn, shortened, width_of
from esgrpc_console.tui.widgets.table_order import Order


class Row(NamedTuple):
    """What is shown of an item."""

    cells: tuple[Cell, ...]
    """One for each column."""
    note: Cell | None = None
    """Stands in place of the cells from one column on."""


def heading_segments(
    columns: Sequence[PlacedColumn], order: Order, letters: Mapping[str, str], style: Style
) -> list[Segment]:
    """Returns the headings, with a mark at the one that is sorted by.

    :param letters: by which columns are sorted just now: they are underlined.
    """
    segments, x = [], 0
    for placed in columns:
        column = placed.column
        start, text = placed.place_text(column.heading)
        letter = letters.get(column.key, "")
        before, found, after = text.partition(letter) if letter else (text, "", "")
        if column.key == order.column:
            # There is always a gap behind it.
            after += "▼" if order.is_descending else "▲"
        segments += [
            Segment(" " * (start - x), style),
            Segment(before, style),
            Segment(found, style + Style(underline=True)),
            Segment(after, style),
        ]
        x = start + len(before + found + after)
    return segments


def row_segments(
    columns: Sequence[PlacedColumn], row: Row, note_from: str, width: int, style: Style
) -> list[Segment]:
    """Returns the cells of a row, or its note from a column on.

    :param width: of the whole line.
    """
    segments, x = [], 0
    for placed in columns:
        if row.note is not None and placed.column.key == note_from:
            room = max(1, width - placed.x)
            segments.append(Segment(" " * (placed.x - x), style))
            segments.append(Segment(shortened(row.note.text, room), style + row.note.style))
            break
        cell = row.cells[placed.index]
        start, text = placed.place_text(cell.text)
        segments.append(Segment(" " * (start - x), style))
        segments.append(Segment(text, style + cell.style))
        x = start + width_of(text)
    return segments
