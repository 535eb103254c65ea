"""One event, decoded."""

from __future__ import annotations

import json
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from esgrpc_console.system_view import EventView, RequestFailed, words
from esgrpc_console.tui.places import EventPlace
from esgrpc_console.tui.session import Session

_MAX_SHOWN = 50_000


class EventScreen(ModalScreen[None]):
    """Shows all of an event."""

    CSS_PATH = "event_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "close")]

    class Read(Message):
        """Posted when the event has been read, or could not be."""

        def __init__(self, event: EventView | None, error: str) -> None:
            super().__init__()
            self.event = event
            self.error = error

    def __init__(self, session: Session, place: EventPlace) -> None:
        super().__init__()
        self.session = session
        self.place = place
        self._text = Static("reading …", markup=False)

    def compose(self) -> ComposeResult:
        """What it is, and its attributes as JSON."""
        with VerticalScroll(id="event") as box:
            box.border_subtitle = "esc close"
            yield self._text

    def on_mount(self) -> None:
        """Reads the event."""
        self._read()

    @work(exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        place = self.place
        try:
            event = await self.session.events.get(place.application, place.notification_id)
        except RequestFailed as e:
            self.post_message(self.Read(None, str(e)))
        else:
            self.post_message(self.Read(event, ""))

    def on_event_screen_read(self, message: Read) -> None:
        """Shows the event."""
        if message.event is None:
            self._text.update(Content(words.line(message.error)))
        else:
            self._text.update(_content(self.place.application, message.event))


def _content(application: str, event: EventView) -> Content:
    time = event.timestamp
    at = f"{time.astimezone():%Y-%m-%d %H:%M:%S.%f %z}" if time else words.NONE
    facts = (
        ("in", f"{application} #{words.number(event.id)}"),
        ("topic", event.topic),
        ("aggregate", f"{event.originator_id}, version {words.number(event.originator_version)}"),
        ("time", at),
    )
    parts: list[Content | str | tuple[str, str]] = [
        (f"{words.line(event.short_topic)}\n", "bold $accent")
    ]
    for name, value in facts:
        parts += [(f"{name:<11}", "dim"), f"{words.line(value)}\n"]
    if event.error:
        parts.append((f"{words.block(event.error)}\n", "$text-error"))
    parts.append(words.block(_readable(event.state)))
    return Content.assemble(*parts)


def _readable(state: str) -> str:
    if len(state) > _MAX_SHOWN:
        return (
            f"{state[:_MAX_SHOWN]}\n… the first {words.number(_MAX_SHOWN)} "
            f"of {words.number(len(state))} characters"
        )
    try:
        return json.dumps(json.loads(state), indent=2, ensure_ascii=False)
    except ValueError:
        # Shown as it came: it is for reading only.
        return state
