"""A table with the line above it on which a filter is typed, and that says what the filter leaves."""

from __future__ import annotations

from typing import ClassVar, Generic

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from esgrpc_console.system_view import words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.widgets.live_table import Item, LiveTable


class FilterLine(Horizontal):
    """One line: the filter, and how many rows it leaves. Not there while there is none."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("table.clear-filter")

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        padding: 0 1;
        background: $panel;

        #filter-slash, #filter-count {
            width: auto;
            color: $text-muted;
        }

        #filter-text {
            width: 1fr;
            margin: 0 2 0 0;
            background: $panel;
        }

        &:focus-within #filter-slash {
            color: $text-accent;
        }
    }
    """

    class Changed(Message):
        """Posted when the filter is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Posted when the filter has been typed, or has been cleared."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._input = Input(
            placeholder="text, or !text for rows without it", compact=True, id="filter-text"
        )
        self._count = Static("", id="filter-count", markup=False)

    def compose(self) -> ComposeResult:
        """The sign that the key has, the filter, and what it leaves."""
        yield Static("/", id="filter-slash")
        yield self._input
        yield self._count

    def open(self) -> None:
        """Lets a filter be typed."""
        self.display = True
        self._input.focus()

    def show_count(self, shown: int, total: str) -> None:
        """Says how many rows the filter leaves of how many of what."""
        text = Content(f"{shown:,} of {total}")
        if self._count.content != text:
            self._count.update(text)

    def action_clear_filter(self) -> None:
        """Takes the filter away."""
        self._input.value = ""
        self._leave()

    @on(Input.Changed)
    def tell(self, message: Input.Changed) -> None:
        """Filters as it is typed."""
        message.stop()
        self.post_message(self.Changed(message.value))

    @on(Input.Submitted)
    def leave(self, message: Input.Submitted) -> None:
        """Goes on to the rows."""
        message.stop()
        self._leave()

    def _leave(self) -> None:
        self.display = bool(self._input.value)
        self.post_message(self.Left())


class FilteredTable(Vertical, Generic[Item]):
    """A table and its filter."""

    DEFAULT_CSS = """
    FilteredTable {
        height: auto;

        LiveTable {
            height: 1fr;
        }
    }
    """

    class Resized(Message):
        """Posted when the line of the filter comes or goes."""

    def __init__(self, table: LiveTable[Item], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = table
        self._line = FilterLine()

    @property
    def natural_height(self) -> int:
        """How many lines it takes to show everything, whatever the filter is just now."""
        return max(1, self.table.total) + 1 + self._line.display

    def compose(self) -> ComposeResult:
        """The filter, then the rows."""
        yield self._line
        yield self.table

    @on(LiveTable.FilterWanted)
    def open_filter(self, message: LiveTable.FilterWanted) -> None:
        """Lets a filter be typed."""
        message.stop()
        self._line.open()
        self.post_message(self.Resized())

    @on(LiveTable.FilterCleared)
    def clear_filter(self, message: LiveTable.FilterCleared) -> None:
        """Shows all rows."""
        message.stop()
        self._line.action_clear_filter()

    @on(LiveTable.Shown)
    def show_count(self) -> None:
        """Says how many rows the filter leaves."""
        total = words.count(self.table.total, self.table.NOUN)
        self._line.show_count(self.table.shown, total)

    @on(FilterLine.Changed)
    def show_filtered(self, message: FilterLine.Changed) -> None:
        """Shows only the rows that are wanted."""
        message.stop()
        self.table.show_filtered(message.text)

    @on(FilterLine.Left)
    def go_to_rows(self, message: FilterLine.Left) -> None:
        """Goes on to the rows."""
        message.stop()
        self.table.focus()
        self.post_message(self.Resized())
