"""A table of rows that change often: nothing jumps, and only what has changed is drawn anew.

What its rows and columns are is left to subclasses; the line that a filter is typed on, to
``filter_line``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.widgets.drawn_lines import DrawnLines
from esgrpc_console.tui.widgets.table_columns import Column, ColumnWidths, PlacedColumn
from esgrpc_console.tui.widgets.table_lines import Row, heading_segments, row_segments
from esgrpc_console.tui.widgets.table_order import Order, SortValue, in_order, matcher

Item = TypeVar("Item")


class LiveTable(ScrollView, DrawnLines, Generic[Item], can_focus=True):
    """Shows items as rows, by key, with a cursor that stays on its row wherever the row goes."""

    COLUMNS: ClassVar[Sequence[Column]] = ()
    NOUN: ClassVar[str] = "row"
    """What an item is."""
    NOTE_FROM: ClassVar[str] = ""
    EMPTY: ClassVar[str] = ""
    """What is said where there is nothing."""

    ALLOW_SELECT = False
    # There are no links in it to look for.
    auto_links = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {"live-table--heading", "live-table--cursor"}

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "table.up",
        "table.down",
        "table.page-up",
        "table.page-down",
        "table.first",
        "table.last",
    )

    DEFAULT_CSS = """
    LiveTable {
        height: auto;
        overflow-x: hidden;
        scrollbar-gutter: stable;
        background: $background;

        & > .live-table--heading {
            color: $text-muted;
        }

        & > .live-table--cursor {
            background: $surface;
        }

        &:focus > .live-table--cursor {
            background: $accent 30%;
        }
    }
    """

    class FilterWanted(Message):
        """Posted when a filter is to be typed."""

    class FilterCleared(Message):
        """Posted when the filter is to be no more."""

    class Shown(Message):
        """Posted when there may be other rows, or the cursor may be on another."""

        def __init__(self, table: LiveTable[Item]) -> None:
            super().__init__()
            self.table = table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Mapping[str, Item] = {}
        self._rows: dict[str, Row] = {}
        self._shown: list[str] = []
        self._cursor = 0
        self._chosen_key = ""
        self._filter = ""
        self._order = Order(self.COLUMNS[0].key)
        self._widths = ColumnWidths(self.COLUMNS)
        self._columns: tuple[PlacedColumn, ...] = ()
        self._letters: dict[str, str] = {}

    @abstractmethod
    def row_of(self, item: Item, appearance: Appearance, now: float) -> Row:
        """Returns what is shown of an item."""

    @abstractmethod
    def sort_value(self, item: Item, column: str) -> SortValue:
        """Returns what an item is ordered by in a column."""

    @abstractmethod
    def search_text(self, item: Item) -> str:
        """Returns what a filter looks for its text in."""

    @property
    def chosen(self) -> Item | None:
        """The item under the cursor."""
        key = self._key_at(self._cursor)
        return self._items[key] if key else None

    @property
    def order(self) -> Order:
        """What the rows are sorted by."""
        return self._order

    @property
    def total(self) -> int:
        """How many items there are."""
        return len(self._items)

    @property
    def shown(self) -> int:
        """How many of them the filter lets through."""
        return len(self._shown)

    def show_items(self, items: Mapping[str, Item], appearance: Appearance, now: float) -> None:
        """Shows these items in place of those that were shown."""
        rows = {key: self.row_of(item, appearance, now) for key, item in items.items()}
        changed = {key for key, row in rows.items() if row != self._rows.get(key)}
        for key in changed:
            self._widths.see(cell.text for cell in rows[key].cells)
        self._items, self._rows = items, rows
        columns = self._widths.place(self.size.width)
        is_new_layout = columns != self._columns
        self._columns = columns
        self._arrange(changed, is_forced=is_new_layout)

    def show_filtered(self, text: str) -> None:
        """Shows only items that have a text, or, behind an exclamation mark, that don't have it."""
        if text != self._filter:
            self._filter = text
            self._arrange()
            self._bring_into_view()
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves the key to others where there is nothing to clear."""
        return bool(self._filter) if action == "clear_filter" else True

    def action_filter(self) -> None:
        """Asks for a filter."""
        self.post_message(self.FilterWanted())

    def action_clear_filter(self) -> None:
        """Shows all again."""
        self.post_message(self.FilterCleared())

    def action_sort(self, column: str) -> None:
        """Sorts by a column, or the other way round where it is sorted by it already."""
        is_number = next(known.is_number for known in self.COLUMNS if known.key == column)
        self._order = self._order.by(column, is_number=is_number)
        self._arrange(is_forced=True)
        self._choose(self._cursor)
        if all(placed.column.key != column for placed in self._columns):
            self.notify("sorted by a column that there is no room for", markup=False, timeout=3)

    def action_move(self, rows: int) -> None:
        """Moves the cursor."""
        self._choose(self._cursor + rows)

    def action_move_page(self, pages: int) -> None:
        """Moves the cursor by what fits on the screen."""
        self._choose(self._cursor + pages * max(1, self._height - 1))

    def action_first(self) -> None:
        """Moves the cursor to the first row."""
        self._choose(0)

    def action_last(self) -> None:
        """Moves the cursor to the last row."""
        self._choose(len(self._shown) - 1)

    async def on_click(self, event: events.Click) -> None:
        """Sorts by a heading, moves the cursor to a row, or opens it at the second click."""
        if event.y == 0:
            for placed in self._columns:
                if placed.x <= event.x <= placed.x + placed.width:
                    self.action_sort(placed.column.key)
            return
        index = self._top + event.y - 1
        if index < len(self._shown):
            self._choose(index)
            if event.chain > 1:
                await self.run_action("open")

    def on_mount(self) -> None:
        """Marks the letters that sort, when they do."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._find_letters())

    def on_resize(self) -> None:
        """Leaves out columns, or brings them back."""
        self._columns = self._widths.place(self.size.width)
        self._arrange(is_forced=True)
        self._bring_into_view()

    def render_line(self, y: int) -> Strip:
        """Draws the heading, or one row."""
        width = self.size.width
        style = self.get_component_rich_style("live-table--heading")
        index = self._top + y - 1
        if y == 0:
            segments = heading_segments(self._columns, self._order, self._letters, style)
        elif index < len(self._shown):
            is_cursor = index == self._cursor
            style = self.rich_style
            if is_cursor:
                style = self.get_component_rich_style("live-table--cursor")
            row = self._rows[self._shown[index]]
            segments = row_segments(self._columns, row, self.NOTE_FROM, width, style)
        else:
            segments = [Segment(self._told_of_nothing() if y == 1 else "", style)]
        return Strip(segments).crop_extend(0, width, style)

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    @property
    def _height(self) -> int:
        """How many rows there is room for."""
        return max(0, self.size.height - 1)

    def _key_at(self, index: int) -> str:
        return self._shown[index] if 0 <= index < len(self._shown) else ""

    def _told_of_nothing(self) -> str:
        if self._shown:
            return ""
        return f" {'no row has that' if self._items else self.EMPTY}"

    def _arrange(self, changed: Collection[str] = (), *, is_forced: bool = False) -> None:
        shown = self._find_shown()
        if shown == self._shown and not is_forced:
            for index, key in enumerate(shown):
                if key in changed:
                    self._refresh_row(index)
        else:
            self._move_rows(shown)
        self.post_message(self.Shown(self))

    def _move_rows(self, shown: list[str]) -> None:
        top, was_at = self._top, self._cursor
        self._shown = shown
        self.virtual_size = Size(self.size.width, len(shown) + 1)
        if self._chosen_key in shown:
            self._cursor = shown.index(self._chosen_key)
        else:
            self._cursor = max(0, min(was_at if self._chosen_key else 0, len(shown) - 1))
        if top <= was_at < top + self._height:
            # What is looked at stays where it is on the screen.
            self._scroll_to_row(top + self._cursor - was_at)
        self.refresh()

    def _find_shown(self) -> list[str]:
        matches, column = matcher(self._filter), self._order.column
        valued = (
            (self.sort_value(item, column), key)
            for key, item in self._items.items()
            if not self._filter or matches(self.search_text(item))
        )
        return in_order(valued, self._order)

    def _choose(self, index: int) -> None:
        self._refresh_row(self._cursor)
        self._cursor = max(0, min(index, len(self._shown) - 1))
        self._chosen_key = self._key_at(self._cursor)
        self._refresh_row(self._cursor)
        self._bring_into_view()
        self.post_message(self.Shown(self))

    def _bring_into_view(self) -> None:
        if self._cursor < self._top:
            self._scroll_to_row(self._cursor)
        elif self._cursor >= self._top + self._height:
            self._scroll_to_row(self._cursor - max(1, self._height) + 1)

    def _scroll_to_row(self, top: int) -> None:
        if top != self._top:
            self.scroll_to(y=max(0, top), animate=False, immediate=True, force=True)

    def _refresh_row(self, index: int) -> None:
        y = index - self._top + 1
        if 1 <= y <= self._height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _find_letters(self) -> None:
        """Finds the letters by which the table is sorted just now: other keys may be configured."""
        letters: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            name, _, column = active.binding.action.partition("(")
            if active.node is self and name == "sort":
                letters.setdefault(column.strip("')"), key)
        if letters != self._letters:
            self._letters = letters
            self.refresh(Region(0, 0, self.size.width, 1))
