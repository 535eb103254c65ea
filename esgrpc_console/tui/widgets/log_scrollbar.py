"""Shows where in the whole log the screen is, by IDs, and goes to where it is clicked or dragged."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


class LogScrollbar(Widget):
    """One column beside a log, below the line of its heading."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-scrollbar--thumb", "log-scrollbar--track"}

    DEFAULT_CSS = """
    LogScrollbar {
        width: 1;
        height: 1fr;

        & > .log-scrollbar--track {
            color: $foreground 20%;
        }
        & > .log-scrollbar--thumb {
            color: $foreground 50%;
        }
        &:hover > .log-scrollbar--thumb {
            color: $accent;
        }
    }
    """

    thumb: reactive[range] = reactive(range(0))
    """The lines that stand for what is on the screen. Empty: all is."""

    class PlaceWanted(Message):
        """Posted when a place of the log is wanted."""

        def __init__(self, notification_id: int) -> None:
            super().__init__()
            self.notification_id = notification_id

    def __init__(self) -> None:
        super().__init__()
        self._shown = 0, 0, 0

    def show(self, first: int, last: int, head: int) -> None:
        """Shows a place.

        :param first: the first ID on the screen.
        :param last: the last one.
        :param head: the log's greatest.
        """
        self._shown = first, last, head
        self._place()

    def on_resize(self) -> None:
        """Shows the place again."""
        self._place()

    def render_line(self, y: int) -> Strip:
        """Draws one cell."""
        if y == 0 or not self.thumb:
            return Strip.blank(1, self.rich_style)
        is_thumb = y in self.thumb
        name = "log-scrollbar--thumb" if is_thumb else "log-scrollbar--track"
        style = self.get_component_rich_style(name)
        return Strip([Segment("┃" if is_thumb else "│", style)], 1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Goes there, and on with the mouse."""
        event.stop()
        self.capture_mouse()
        self._want(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Goes on with the mouse."""
        if self.app.mouse_captured is self:
            event.stop()
            self._want(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Stays."""
        event.stop()
        self.release_mouse()

    def _place(self) -> None:
        # Most of what is recorded does not move it.
        first, last, head = self._shown
        height = self.size.height - 1
        if height < 1 or not head or (first <= 1 and last >= head):
            self.thumb = range(0)
            return
        length = min(height, max(1, round((last - first + 1) / head * height)))
        before, behind = first - 1, max(0, head - last)
        start = round((height - length) * before / (before + behind)) if before + behind else 0
        self.thumb = range(1 + start, 1 + start + length)

    def _want(self, y: int) -> None:
        head = self._shown[2]
        height = self.size.height - 1
        if head and height > 0:
            place = min(max(0, y - 1), height - 1) / max(1, height - 1)
            self.post_message(self.PlaceWanted(max(1, round(place * head))))
