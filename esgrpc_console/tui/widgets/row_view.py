"""Rows with a cursor, of which only those on the screen are drawn. What they say is left to others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.row_drawing import named_styles, strip_of
from esgrpc_console.tui.widgets.drawn_lines import DrawnLines

Cell = tuple[str, str]
"""A text, and the name of the style that it is drawn in, or an empty string."""

_WHEEL_ROWS = 3
_GUTTER = "  "
"""Where the cursor and marks are."""
_NOTHING_TOLD = object()
_PLAIN = Style.null()


class RowView(DrawnLines, can_focus=True):
    """Shows a heading and rows, moves a cursor among them, and lets text be selected.

    The cursor is always on the screen. Rows are numbered from 0.
    """

    ALLOW_SELECT = True
    # There are no links in it to look for.
    auto_links = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-view--heading",
        "row-view--row",
        "row-view--cursor",
    }

    DEFAULT_CSS = """
    RowView {
        height: 1fr;
        background: $background;

        & > .row-view--heading {
            color: $foreground 60%;
        }
        & > .row-view--cursor {
            background: $surface;
        }
        &:focus > .row-view--cursor {
            background: $accent 30%;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "rows.open",
        "rows.up",
        "rows.down",
        "rows.page-up",
        "rows.page-down",
        "rows.first",
        "rows.last",
    )

    class CursorMoved(Message):
        """Posted when the cursor is on another row than before."""

        def __init__(self, view: RowView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> RowView:
            """The view."""
            return self.view

    class Opened(Message):
        """Posted when the row under the cursor is to be looked at closely."""

        def __init__(self, view: RowView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> RowView:
            """The view."""
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        """The row that the cursor is on."""
        self.top = 0
        """The first row on the screen."""
        self.is_stale = False
        self._told: object = None
        self._styles_by_name: dict[str, Style] = {}

    def notify_style_update(self) -> None:
        """Draws in other colours."""
        super().notify_style_update()
        self._styles_by_name = {}

    # What subclasses know.

    @property
    @abstractmethod
    def row_count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def heading(self) -> str:
        """Returns the heading's text."""

    @abstractmethod
    def cells(self, row: int) -> Sequence[Cell]:
        """Returns what a row says."""

    def key(self, row: int) -> int:
        """Returns a number by which a row is known, also when rows are added or taken away before
        it. Greater for rows further down."""
        return row

    def row_of_key(self, key: int) -> int:
        """Returns the row with a key, or the one behind where it would be."""
        return key

    def is_marked(self, row: int) -> bool:
        """Tells whether there is a mark before a row."""
        return False

    def empty_words(self) -> str:
        """Returns what is said where there are no rows."""
        return ""

    # What others call.

    @property
    def page(self) -> int:
        """How many rows fit on the screen."""
        return max(1, self.size.height - 1)

    @property
    def has_row(self) -> bool:
        """Whether the cursor is on a row."""
        return 0 <= self.cursor < self.row_count

    def move_to(self, row: int) -> None:
        """Moves the cursor to a row, or to the first or last where there is none."""
        before, top = self.cursor, self.top
        self.cursor = min(max(0, row), max(0, self.row_count - 1))
        self._bring_into_view()
        if self.top != top:
            self.refresh()
        elif self.cursor != before:
            self._refresh_row(before)
            self._refresh_row(self.cursor)
        self.tell_cursor()

    def forget_cursor(self) -> None:
        """Goes to the first row. Which one that is will be told, also where its key is the same."""
        self.cursor = self.top = 0
        self._told = _NOTHING_TOLD
        self.refresh()

    def tell_cursor(self) -> None:
        """Tells which row the cursor is on, if that is another than was told."""
        key = self.key(self.cursor) if self.has_row else None
        if key != self._told:
            self._told = key
            self.post_message(self.CursorMoved(self))

    # Keys and the mouse.

    def action_open(self) -> None:
        """Asks for a closer look at the row under the cursor."""
        if self.has_row:
            self.post_message(self.Opened(self))

    def action_move(self, rows: int) -> None:
        """Moves the cursor."""
        self.move_to(self.cursor + rows)

    def action_move_page(self, pages: int) -> None:
        """Moves the cursor by what fits on the screen."""
        self.action_move(pages * max(1, self.page - 1))

    def action_first(self) -> None:
        """Goes to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Goes to the last row."""
        self.move_to(self.row_count - 1)

    def on_click(self, event: events.Click) -> None:
        """Opens a row that is clicked twice."""
        # Textual would select everything.
        event.prevent_default()
        row = self._row_at(event.y)
        if row is not None and event.chain > 1 and row == self.cursor:
            self.action_open()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Moves the cursor to the row that is clicked."""
        row = self._row_at(event.y)
        if row is not None:
            self.move_by_hand(row)

    def move_by_hand(self, row: int) -> None:
        """Moves the cursor to a row that was pointed at."""
        self.move_to(row)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scrolls, and takes the cursor along."""
        event.prevent_default().stop()
        self.action_move(-_WHEEL_ROWS)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scrolls, and takes the cursor along."""
        event.prevent_default().stop()
        self.action_move(_WHEEL_ROWS)

    def on_resize(self) -> None:
        """Keeps the cursor on the screen."""
        self._bring_into_view()
        self.refresh()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draws the heading, or one row."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("row-view--heading")
            return strip_of([(f"{_GUTTER}{self.heading()}", _PLAIN)], width, style)
        row = self.top + y - 1
        if row >= self.row_count:
            words = f"  {self.empty_words()}" if not self.row_count and y == 1 else ""
            style = self.get_component_rich_style("row-view--heading")
            return strip_of([(words, _PLAIN)], width, style)
        # Unlike the widget's own style, this one is kept.
        name = "row-view--cursor" if row == self.cursor else "row-view--row"
        style = self.get_component_rich_style(name)
        pieces = [
            ("▸" if row == self.cursor else " ", _PLAIN),
            ("•", self._style("accent")) if self.is_marked(row) else (" ", _PLAIN),
            *((text, self._style(name)) for text, name in self.cells(row)),
        ]
        if self.is_stale:
            style += Style(dim=True)
        return self._selectable(row, pieces, width, style)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Returns the text that is selected, of the rows that are there."""
        lines = []
        for row in range(self.row_count):
            span = selection.get_span(self.key(row))
            if span is not None:
                text = self._text(row)
                start, end = span
                lines.append(text[start : len(text) if end == -1 else end].strip())
        return "\n".join(lines), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draws what is selected."""
        self.refresh()

    def _selectable(
        self, row: int, pieces: list[tuple[str, Style]], width: int, style: Style
    ) -> Strip:
        key = self.key(row)
        selection = self.text_selection
        span = None if selection is None else selection.get_span(key)
        if span is not None:
            text = Text(no_wrap=True, end="")
            for piece in pieces:
                text.append(*piece)
            start, end = span
            selected = self.screen.get_component_rich_style("screen--selection")
            text.stylize(selected, start, len(text) if end == -1 else end)
            strip = Strip(text.render(self.app.console)).crop_extend(0, width, style)
            strip = strip.apply_style(style)
        else:
            strip = strip_of(pieces, width, style)
        return strip if self.is_drawing else strip.apply_offsets(0, key)

    def _style(self, name: str) -> Style:
        if not self._styles_by_name:
            self._styles_by_name = named_styles(self.app.theme_variables)
        return self._styles_by_name.get(name, _PLAIN)

    def _text(self, row: int) -> str:
        return _GUTTER + "".join(text for text, _ in self.cells(row))

    def _row_at(self, y: int) -> int | None:
        row = self.top + y - 1
        return row if y >= 1 and row < self.row_count else None

    def _bring_into_view(self) -> None:
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1
        self.top = max(0, min(self.top, self.row_count - self.page))

    def _refresh_row(self, row: int) -> None:
        y = row - self.top + 1
        if 1 <= y <= self.page:
            self.refresh(Region(0, y, self.size.width, 1))
