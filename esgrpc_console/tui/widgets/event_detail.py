"""One event, decoded: what it is, and its state as JSON. Fetched when the cursor has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import EventView, RequestFailed, words
from esgrpc_console.tui.background import background
from esgrpc_console.tui.event_actions import EventAt
from esgrpc_console.tui.json_text import Kind, Line, json_lines, plain_lines
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.styled_lines import StyledLines

REST_SECONDS = 0.12
"""How long the cursor stays before the event under it is fetched."""
_LONG = 20_000
"""Characters that are not laid out in the event loop: it would stutter."""


class EventTitle(Widget):
    """The topic, shortened, and the ID."""

    DEFAULT_CSS = """
    EventTitle {
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-accent;
        text-style: bold;
    }
    """

    parts: reactive[tuple[str, str]] = reactive(("", ""))

    def render(self) -> Text:
        """The topic at the left end, the ID at the right end."""
        left, right = self.parts
        line = Text(left, no_wrap=True, end="")
        line.truncate(max(1, self.size.width - len(right) - 1), overflow="ellipsis", pad=True)
        return line.append(f" {right}")


class EventDetail(Vertical):
    """Shows all of an event that is selected elsewhere."""

    DEFAULT_CSS = """
    EventDetail {
        StyledLines {
            height: 1fr;
            background: $background;
        }
    }
    """

    class Fetched(Message):
        """Posted when an event has been fetched, or could not be."""

        def __init__(
            self, wanted: tuple[str, int], event: EventView | None, lines: Sequence[Line]
        ) -> None:
            super().__init__()
            self.wanted = wanted
            self.event = event
            self.lines = lines

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._title = EventTitle()
        self._lines = StyledLines()
        self._wanted: tuple[str, int] | None = None
        self._mark = ""
        self._has_failed = False
        self.shown: EventAt | None = None
        """The event that is shown."""

    def compose(self) -> ComposeResult:
        """The title, and everything else."""
        yield self._title
        yield self._lines

    def show(self, selected: EventAt | None, *, mark: str = "") -> None:
        """Shows an event that is known without its state.

        :param mark: is marked wherever it is.
        """
        if selected is None:
            self._wanted = self.shown = None
            self.workers.cancel_group(self, "fetch")
            self._title.parts = ("", "")
            self._lines.show(())
            return
        event = selected.event
        if (selected.application, event.id) == self._wanted and mark == self._mark:
            return
        self._entitle(selected.application, event.id, event.short_topic)
        self._want(selected.application, event.id, mark, REST_SECONDS)

    def show_id(self, application: str, notification_id: int) -> None:
        """Shows the event that has an ID."""
        self._entitle(application, notification_id, "")
        self._want(application, notification_id, "", 0.0)

    def read_again(self) -> None:
        """Reads the event again, if it could not be read: by now it may be there."""
        if self._has_failed and self._wanted is not None:
            self._want(*self._wanted, self._mark, 0.0)

    def _want(self, application: str, notification_id: int, mark: str, delay: float) -> None:
        self._wanted = application, notification_id
        self._mark = mark
        self._has_failed = False
        self._fetch(application, notification_id, delay)

    @background("fetch")
    async def _fetch(self, application: str, notification_id: int, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        try:
            event = await self._session.events.get(application, notification_id)
        except RequestFailed as e:
            lines = [Line([(words.line(f"it can't be read: {e}"), Kind.ERROR)])]
            self.post_message(self.Fetched((application, notification_id), None, lines))
            return
        if len(event.state) > _LONG:
            lines = await asyncio.to_thread(event_lines, application, event)
        else:
            lines = event_lines(application, event)
        self.post_message(self.Fetched((application, notification_id), event, lines))

    def on_event_detail_fetched(self, message: Fetched) -> None:
        """Shows the event, unless another is wanted by now."""
        if message.wanted != self._wanted:
            message.stop()
            return
        application, event = message.wanted[0], message.event
        self._has_failed = event is None
        self.shown = None if event is None else EventAt(application, event)
        if event is not None:
            self._entitle(application, event.id, event.short_topic)
        self._lines.show(message.lines, mark=self._mark)

    def _entitle(self, application: str, notification_id: int, topic: str) -> None:
        number = f"#{words.number(notification_id)}"
        self._title.parts = (words.line(topic or application), number)


def event_lines(application: str, event: EventView) -> list[Line]:
    """Returns all of an event: what it is, then its state."""
    at = event.timestamp
    facts = (
        ("in", f"{application} #{words.number(event.id)}"),
        ("topic", event.topic),
        ("aggregate", event.originator_id),
        ("version", words.number(event.originator_version)),
        ("time", date_time_words(at) if at else words.NONE),
    )
    lines = [
        Line([(f"{name:<11}", Kind.LABEL), (words.line(value), Kind.PLAIN)])
        for name, value in facts
    ]
    lines.append(Line())
    if event.error:
        lines += plain_lines(f"✗ {event.error}", Kind.ERROR)
    return lines + json_lines(event.state)


def date_time_words(at: datetime) -> str:
    """Writes a local time with its date and zone."""
    return f"{words.local(at):%Y-%m-%d %H:%M:%S.%f %z}"
