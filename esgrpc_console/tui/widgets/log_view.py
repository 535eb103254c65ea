"""Events as lines: draws only those that are on the screen. Which they are is left to ``log_pane``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from esgrpc_console.system_view import EventView, words

_MIN_ID_WIDTH = 6
_TIME_WIDTH = 12
_MAX_TOPIC_WIDTH = 36
_VERSION_WIDTH = 5
_FULL_AGGREGATE_WIDTH = 36
_MIN_AGGREGATE_WIDTH = 8
_GAP = "  "


class LogView(ScrollView, can_focus=True):
    """Shows events one a line, with a cursor. Follows the newest until the cursor leaves it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-view--heading",
        "log-view--cursor",
        "log-view--quiet",
        "log-view--error",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("f,end,G", "follow", "follow", key_display="f"),
        Binding("g,home", "first", "first", key_display="g"),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "move_page(-1)", "page up", show=False),
        Binding("pagedown", "move_page(1)", "page down", show=False),
    ]

    is_following: reactive[bool] = reactive(True)
    """Whether the newest event is to be in view."""

    class Opened(Message):
        """Posted when an event is to be looked at closely."""

        def __init__(self, event: EventView) -> None:
            super().__init__()
            self.event = event

    class FollowingChanged(Message):
        """Posted when the newest event is to be in view from now on, or no more."""

    class Wanted(Message):
        """Posted when events are wanted that aren't in the window: ``older``, ``newer``, ``first``
        or ``last``."""

        def __init__(self, where: str) -> None:
            super().__init__()
            self.where = where

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._events: Sequence[EventView] = ()
        self._cursor = 0
        self._topic_width = len("TOPIC")
        self._id_width = _MIN_ID_WIDTH

    @property
    def cursor_event(self) -> EventView | None:
        """The event that the cursor is on."""
        return self._events[self._cursor] if self._cursor < len(self._events) else None

    def show(self, shown: Sequence[EventView], *, is_from_first: bool = False) -> None:
        """Shows these events. The cursor stays on its event, or on the newest while following.

        :param is_from_first: whether the cursor is to be on the first of them instead.
        """
        kept = self.cursor_event
        top = self._events[self._top] if self._top < len(self._events) else None
        self._events = shown
        if shown:
            self._id_width = max(self._id_width, len(words.number(shown[-1].id)))
            self._topic_width = max(
                self._topic_width,
                *(min(_MAX_TOPIC_WIDTH, len(event.short_topic)) for event in shown),
            )
        self.virtual_size = Size(self.size.width, len(shown) + 1)
        if is_from_first:
            self._move_to(0)
        elif self.is_following or kept is None:
            self._cursor = max(0, len(shown) - 1)
            self._bring_into_view(self._cursor)
        else:
            self._cursor = self._row_of(kept.id)
            if top is not None:
                self.scroll_to(y=self._row_of(top.id), animate=False, immediate=True, force=True)
        self.refresh()

    def forget(self) -> None:
        """Shows nothing, and follows the newest of what comes."""
        self._events = ()
        self._cursor = 0
        self._topic_width = len("TOPIC")
        self._id_width = _MIN_ID_WIDTH
        self.is_following = True
        self.virtual_size = Size(self.size.width, 1)
        self.refresh()

    def watch_is_following(self) -> None:
        """Tells whoever says so on the screen."""
        self.post_message(self.FollowingChanged())

    def action_open(self) -> None:
        """Asks for a closer look at the event under the cursor."""
        event = self.cursor_event
        if event is not None:
            self.post_message(self.Opened(event))

    def action_follow(self) -> None:
        """Goes to the newest event and stays there."""
        self.is_following = True
        self._move_to(len(self._events) - 1)
        self.post_message(self.Wanted("last"))

    def action_first(self) -> None:
        """Goes to the log's first event."""
        self.is_following = False
        self._move_to(0)
        self.post_message(self.Wanted("first"))

    def action_move(self, lines: int) -> None:
        """Moves the cursor."""
        wanted = self._cursor + lines
        if wanted < 0:
            self.post_message(self.Wanted("older"))
        elif wanted >= len(self._events):
            self.post_message(self.Wanted("newer"))
        self._move_to(wanted)
        self.is_following = lines > 0 and self.is_following

    def action_move_page(self, pages: int) -> None:
        """Moves the cursor by what fits on the screen."""
        self.action_move(pages * max(1, self._height - 1))

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to the line that was clicked, and opens it when it was there already."""
        row = self._top + event.y - 1
        if event.y < 1 or row >= len(self._events):
            return
        if row == self._cursor and event.chain > 1:
            self.action_open()
        self.is_following = False
        self._move_to(row)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scrolls by moving the cursor, so that it stays in view."""
        event.prevent_default().stop()
        self.action_move(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scrolls by moving the cursor, so that it stays in view."""
        event.prevent_default().stop()
        self.action_move(3)

    def on_resize(self) -> None:
        """Keeps the cursor in view."""
        self.virtual_size = Size(self.size.width, len(self._events) + 1)
        self._bring_into_view(self._cursor)

    def render_line(self, y: int) -> Strip:
        """Draws the heading, or one event."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("log-view--heading")
            return self._strip(self._heading(), width, style)
        row = self._top + y - 1
        if row >= len(self._events):
            text = Text("  nothing has been recorded yet" if not self._events and y == 1 else "")
            return self._strip(text, width, self.get_component_rich_style("log-view--quiet"))
        style = self.rich_style
        if row == self._cursor:
            style = self.get_component_rich_style("log-view--cursor")
        return self._strip(self._line(self._events[row], width), width, style)

    def _heading(self) -> Text:
        heading = f"{'ID':>{self._id_width}}{_GAP}{'TIME':<{_TIME_WIDTH}}{_GAP}"
        aggregate = self._aggregate_width(self.size.width)
        heading += f"{'TOPIC':<{self._topic_width}}{_GAP}"
        if aggregate:
            heading += f"{'AGGREGATE':<{aggregate}}{_GAP}"
        return Text(f"{heading}{'VER':>{_VERSION_WIDTH}}")

    def _line(self, event: EventView, width: int) -> Text:
        time = event.timestamp
        at = f"{time.astimezone():%H:%M:%S}.{time.microsecond // 1000:03d}" if time else words.NONE
        topic = _shorten(words.line(event.short_topic), self._topic_width)
        aggregate_width = self._aggregate_width(width)
        line = Text(no_wrap=True)
        line.append(f"{words.number(event.id):>{self._id_width}}{_GAP}{at:<{_TIME_WIDTH}}{_GAP}")
        style = self.get_component_rich_style("log-view--error") if event.error else Style()
        line.append(_pad(topic, self._topic_width), Style(color=style.color))
        if aggregate_width:
            aggregate = _elide(words.line(event.originator_id), aggregate_width)
            line.append(_GAP + _pad(aggregate, aggregate_width))
        line.append(f"{_GAP}{words.number(event.originator_version):>{_VERSION_WIDTH}}")
        return line

    def _aggregate_width(self, width: int) -> int:
        others = self._id_width + _TIME_WIDTH + self._topic_width + _VERSION_WIDTH
        left = width - others - 5 * len(_GAP)
        return 0 if left < _MIN_AGGREGATE_WIDTH else min(left, _FULL_AGGREGATE_WIDTH)

    def _strip(self, text: Text, width: int, style: Style) -> Strip:
        segments = list(text.render(self.app.console))
        strip = Strip([Segment(" ", None), *segments])
        return strip.crop_extend(0, width, style).apply_style(style)

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    @property
    def _height(self) -> int:
        return max(1, self.size.height - 1)

    def _row_of(self, notification_id: int) -> int:
        for row, event in enumerate(self._events):
            if event.id >= notification_id:
                return row
        return max(0, len(self._events) - 1)

    def _move_to(self, row: int) -> None:
        self._cursor = min(max(0, row), max(0, len(self._events) - 1))
        self._bring_into_view(self._cursor)
        self.refresh()

    def _bring_into_view(self, row: int) -> None:
        if row < self._top:
            self.scroll_to(y=row, animate=False, immediate=True, force=True)
        elif row >= self._top + self._height:
            self.scroll_to(y=row - self._height + 1, animate=False, immediate=True, force=True)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - Text(text).cell_len)


def _shorten(text: str, width: int) -> str:
    shortened = Text(text)
    shortened.truncate(width, overflow="ellipsis")
    return shortened.plain


def _elide(text: str, width: int) -> str:
    """Shortens in the middle: IDs that begin alike often end differently."""
    if Text(text).cell_len <= width:
        return text
    if not text.isascii():
        return _shorten(text, width)
    tail = min(4, width // 3)
    return f"{text[: width - tail - 1]}…{text[-tail:]}"
