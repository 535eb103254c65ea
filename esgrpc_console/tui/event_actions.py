"""What can be done with one event, wherever it is shown: trace, copy, open its aggregate."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC

from textual.message import Message
from textual.widget import Widget

from esgrpc_console.command_lines import log_command
from esgrpc_console.system_view import EventView, RequestFailed, words
from esgrpc_console.tui.background import background
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.json_text import laid_out
from esgrpc_console.tui.places import AggregatePlace, ApplicationPlace, Open, TracePlace
from esgrpc_console.tui.session import Session

EVENT_ACTIONS = (
    "event.trace",
    "event.aggregate",
    "event.copy",
    "event.copy-id",
    "event.copy-command",
    "event.in-log",
)
"""For ``bindings_of``."""


@dataclass(frozen=True)
class EventAt:
    """An event, and the application whose log it is in."""

    application: str
    event: EventView


class EventActions(Widget):
    """Does what can be done with the event that is selected."""

    class CopyFetched(Message):
        """Posted when an event that is to be copied has been fetched, or could not be."""

        def __init__(self, selected: EventAt, text: str, error: str = "") -> None:
            super().__init__()
            self.selected = selected
            self.text = text
            self.error = error

    session: Session

    @property
    @abstractmethod
    def selected_event(self) -> EventAt | None:
        """The event that is selected."""

    async def action_trace(self) -> None:
        """Finds everything that mentions the aggregate, or asks what is to be found."""
        selected = self.selected_event
        if selected is not None:
            self.post_message(Open(TracePlace(selected.event.originator_id)))
        else:
            await self.run_action("app.trace")

    def action_aggregate(self) -> None:
        """Shows the aggregate as it was after the event."""
        selected = self.selected_event
        if selected is not None:
            event = selected.event
            place = AggregatePlace(
                selected.application, event.originator_id, event.originator_version
            )
            self.post_message(Open(place))

    def action_in_log(self) -> None:
        """Shows the event among those around it."""
        selected = self.selected_event
        if selected is not None:
            place = ApplicationPlace(selected.application, "log", selected.event.id)
            self.post_message(Open(place))

    def action_copy(self) -> None:
        """Copies the event, when it has been fetched."""
        selected = self.selected_event
        if selected is not None:
            self._fetch_copy(selected)

    def action_copy_id(self) -> None:
        """Copies the originator ID."""
        selected = self.selected_event
        if selected is not None:
            copy(self.app, selected.event.originator_id)

    def action_copy_command(self) -> None:
        """Copies the command line that fetches the event."""
        selected = self.selected_event
        if selected is not None:
            copy(
                self.app,
                log_command(self.session.target, selected.application, selected.event.id),
                "the command line that fetches the event",
            )

    @background("copy")
    async def _fetch_copy(self, selected: EventAt) -> None:
        try:
            event = await self.session.events.get(selected.application, selected.event.id)
        except RequestFailed as e:
            self.post_message(self.CopyFetched(selected, "", str(e)))
            return
        # A long one takes a while to lay out.
        text = await asyncio.to_thread(event_json, EventAt(selected.application, event))
        self.post_message(self.CopyFetched(selected, text))

    def on_event_actions_copy_fetched(self, message: CopyFetched) -> None:
        """Copies what was fetched, or says why nothing was."""
        message.stop()
        selected = message.selected
        name = f"{selected.application} #{words.number(selected.event.id)}"
        if message.error:
            self.app.notify(
                words.line(f"{name} is not copied: {message.error}"),
                severity="error",
                markup=False,
            )
        else:
            copy(self.app, message.text, name)


def event_json(selected: EventAt) -> str:
    """Returns an event as JSON, laid out for people, with every number as its server wrote it."""
    event = selected.event
    at = event.timestamp
    values = {
        "application": selected.application,
        "id": event.id,
        "topic": event.topic,
        "originator_id": event.originator_id,
        "originator_version": event.originator_version,
        "timestamp": at.astimezone(UTC).isoformat(timespec="microseconds") if at else None,
        "error": event.error,
    }
    beginning = json.dumps(values, ensure_ascii=False)[:-1]
    return laid_out(f'{beginning}, "state": {event.state or "null"}}}')
