"""One event, decoded."""

from __future__ import annotations

import json
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esgrpc_console.system_view import EventView, words

_MAX_SHOWN = 50_000


class EventScreen(ModalScreen[None]):
    """Shows all of an event."""

    CSS_PATH = "event_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "close")]

    def __init__(self, application: str, event: EventView) -> None:
        super().__init__()
        self._application = application
        self._event = event

    def compose(self) -> ComposeResult:
        """What it is, and its attributes as JSON."""
        event = self._event
        time = event.timestamp
        at = f"{time.astimezone():%Y-%m-%d %H:%M:%S.%f %z}" if time else words.NONE
        facts = (
            ("in", f"{self._application} #{words.number(event.id)}"),
            ("topic", event.topic),
            (
                "aggregate",
                f"{event.originator_id}, version {words.number(event.originator_version)}",
            ),
            ("time", at),
        )
        parts: list[Content | str | tuple[str, str]] = [
            (f"{words.line(event.short_topic)}\n", "bold $accent")
        ]
        for name, value in facts:
            parts += [(f"{name:<11}", "dim"), f"{words.line(value)}\n"]
        with VerticalScroll(id="event") as box:
            box.border_subtitle = "esc close"
            yield Static(Content.assemble(*parts))
            if event.error:
                yield Static(Content(words.block(event.error)), classes="-error")
            yield Static(Content(words.block(_readable(event.state))))


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
