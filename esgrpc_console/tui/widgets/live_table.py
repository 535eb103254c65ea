"""A table of few rows that change often: nothing jumps, and only what has changed is drawn anew.

Columns that don't fit are left out, the least important first. Rows are left to subclasses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

_PADDING = 2
_MIN_ELASTIC_WIDTH = 12


@dataclass(frozen=True)
class Column:
    """One column of a :class:`LiveTable`."""

    key: str
    heading: str
    importance: int
    """Columns with the least go first when there is too little room."""
    is_number: bool = False
    is_elastic: bool = False
    """Whether it takes the room that the others leave, and shortens its text to it."""
    max_width: int = 40


Row = Mapping[str, Text]
_Layout = tuple[tuple[Column, int], ...]


class LiveTable(DataTable[Text]):
    """Shows rows by key."""

    COLUMNS: ClassVar[Sequence[Column]] = ()

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "open"),
    ]

    class KeyHighlighted(Message):
        """Posted when the cursor is on another row than before."""

        def __init__(self, table: LiveTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            cursor_type="row",
            # The colour of a state stays what it is under the cursor.
            cursor_foreground_priority="renderable",
        )
        self._rows: dict[str, Row] = {}
        self._widths = {column.key: len(column.heading) for column in self.COLUMNS}
        self._layout: _Layout = ()
        self._highlighted_key = ""

    @property
    def highlighted_key(self) -> str:
        """The key of the row that the cursor is on, or an empty string where there is none."""
        keys = list(self._rows)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""

    def show(self, rows: Mapping[str, Row]) -> None:
        """Shows these rows, in their order, in place of those that were shown."""
        for row in rows.values():
            for column in self.COLUMNS:
                width = min(column.max_width, row[column.key].cell_len)
                # Widths only grow: columns that breathe can't be read.
                self._widths[column.key] = max(self._widths[column.key], width)
        layout = self._fit(self._available_width())
        if layout != self._layout or list(rows) != list(self._rows):
            self._fill(rows, layout)
        else:
            self._update(rows)
        self._rows = dict(rows)
        self._tell_highlighted()

    def highlight(self, key: str) -> None:
        """Moves the cursor to a row."""
        if key in self._rows:
            self.move_cursor(row=list(self._rows).index(key))

    def on_resize(self, event: events.Resize) -> None:
        """Leaves out columns, or brings them back."""
        if self._rows:
            layout = self._fit(self._available_width())
            if layout != self._layout:
                self._fill(self._rows, layout)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tells of the row by its key."""
        event.stop()
        self._tell_highlighted()

    def _tell_highlighted(self) -> None:
        key = self.highlighted_key
        if key and key != self._highlighted_key:
            self._highlighted_key = key
            self.post_message(self.KeyHighlighted(self, key))

    def _available_width(self) -> int:
        return self.size.width or self.app.size.width

    def _fit(self, available: int) -> _Layout:
        columns = list(self.COLUMNS)

        def needed() -> int:
            return sum(
                _PADDING
                + (
                    min(_MIN_ELASTIC_WIDTH, self._widths[column.key])
                    if column.is_elastic
                    else self._widths[column.key]
                )
                for column in columns
            )

        while len(columns) > 1 and needed() > available:
            columns.remove(min(columns, key=lambda column: column.importance))
        left = available - sum(
            _PADDING + self._widths[column.key] for column in columns if not column.is_elastic
        )
        elastic = [column for column in columns if column.is_elastic]
        share = left // len(elastic) - _PADDING if elastic else 0
        return tuple(
            (column, max(1, share) if column.is_elastic else self._widths[column.key])
            for column in columns
        )

    def _fill(self, rows: Mapping[str, Row], layout: _Layout) -> None:
        kept = self._highlighted_key or self.highlighted_key
        with self.prevent(DataTable.RowHighlighted):
            self.clear(columns=True)
            for column, width in layout:
                self.add_column(_heading(column), width=width, key=column.key)
            for key, row in rows.items():
                self.add_row(*(row[column.key] for column, _ in layout), key=key)
            if kept in rows:
                self.move_cursor(row=list(rows).index(kept), animate=False)
        self._layout = layout

    def _update(self, rows: Mapping[str, Row]) -> None:
        for key, row in rows.items():
            shown = self._rows[key]
            for column, _ in self._layout:
                text, other = row[column.key], shown[column.key]
                # Texts are equal when their characters are: colours count here.
                if text != other or text.style != other.style:
                    self.update_cell(key, column.key, text)


def _heading(column: Column) -> Text:
    return Text(column.heading, justify="right" if column.is_number else "left", no_wrap=True)
