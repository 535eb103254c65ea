"""One aggregate: its events, and its state at every version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.command_lines import aggregate_command
from esgrpc_console.system_view import (
    AggregateView,
    LogFilter,
    RequestFailed,
    SystemState,
    words,
)
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.background import background
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.event_actions import EVENT_ACTIONS, EventActions, EventAt
from esgrpc_console.tui.json_text import laid_out
from esgrpc_console.tui.places import AggregatePlace, EventPlace, Open, TracePlace
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.version_search import find_version
from esgrpc_console.tui.widgets.aggregate_state import AggregateState
from esgrpc_console.tui.widgets.event_list import EventList
from esgrpc_console.tui.widgets.log_view import LogView


class AggregateTitle(Widget):
    """Names the aggregate, and the version that is shown of it."""

    parts: reactive[tuple[str, str, str]] = reactive(("", "", ""))
    """Type, where it is, which version."""

    def __init__(self, originator_id: str) -> None:
        super().__init__()
        self._originator_id = originator_id

    def render(self) -> Text:
        """One line."""
        kind, where, version = self.parts
        line = Text(no_wrap=True, end="")
        line.append(f"{kind} ", "bold").append(words.line(self._originator_id), "bold")
        line.append(f"   {where}", "dim")
        room = self.size.width - len(version) - 3
        line.truncate(max(1, room), overflow="ellipsis")
        return line.append(f"   {version}")


class AggregateScreen(LiveScreen, EventActions):
    """One aggregate: its events, and its state at every version."""

    CSS_PATH: ClassVar = ["live_screen.tcss", "aggregate_screen.tcss"]
    AUTO_FOCUS = "LogView"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "aggregate.go-to",
        "aggregate.copy-state",
        "aggregate.copy-state-command",
        *(action for action in EVENT_ACTIONS if action != "event.aggregate"),
    )

    class VersionFound(Message):
        """Posted when it is known which event made a version, or that it can't be found."""

        def __init__(self, notification_id: int | None, error: str = "") -> None:
            super().__init__()
            self.notification_id = notification_id
            self.error = error

    class CopyReady(Message):
        """Posted when a state can be copied."""

        def __init__(self, version: int, text: str) -> None:
            super().__init__()
            self.version = version
            self.text = text

    def __init__(self, session: Session, place: AggregatePlace) -> None:
        super().__init__(session)
        self.place = place
        self._newest = 0
        self._is_stale = False
        self._title = AggregateTitle(place.originator_id)
        self._list = EventList(session, shows_aggregate=False)
        self._state = AggregateState(session, place.application, place.originator_id)

    def compose_body(self) -> Iterable[Widget]:
        """The aggregate, its events, its state."""
        yield self._title
        yield Container(self._list, self._state, id="aggregate-parts")

    def on_mount(self) -> None:
        """Reads the events."""
        place = self.place
        self.watch(self._list, "status", self._entitle)
        self._list.open(place.application, LogFilter(originator_id=place.originator_id))
        self.go_to(place)

    def go_to(self, place: AggregatePlace) -> None:
        """Shows another version of the same aggregate."""
        self.place = place
        if place.version is None:
            self._state.show_version(None)
            self._list.follow()
        else:
            self._state.show_version(place.version)
            self._find_version(place.version)

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        application = state.applications.get(self.place.application)
        if application is not None:
            is_stale = application.stale_since is not None
            if self._is_stale and not is_stale:
                self._state.read_again()
            self._is_stale = is_stale
            self._list.hear(application)
            self._entitle()

    @property
    def selected_event(self) -> EventAt | None:
        """The event that led to the version that is shown."""
        event = self._list.selected
        return None if event is None else EventAt(self.place.application, event)

    @background("find version")
    async def _find_version(self, version: int) -> None:
        place = self.place
        try:
            found = await find_version(
                self.session.operations, place.application, place.originator_id, version
            )
        except RequestFailed as e:
            self.post_message(self.VersionFound(None, str(e)))
        else:
            self.post_message(self.VersionFound(found))

    @on(VersionFound)
    def go_to_version(self, message: VersionFound) -> None:
        """Goes to the event that made a version."""
        message.stop()
        if message.error:
            self.notify(words.line(message.error), severity="error", markup=False)
        elif message.notification_id is not None:
            self._list.go_to(message.notification_id)

    async def action_trace(self) -> None:
        """Finds everything that mentions the aggregate, also where it has no events."""
        self.post_message(Open(TracePlace(self.place.originator_id)))

    def action_copy_id(self) -> None:
        """Copies the aggregate's ID."""
        copy(self.app, self.place.originator_id)

    def action_go_to(self) -> None:
        """Asks for a version, and goes there."""

        def check(text: str) -> str:
            is_number = text.isascii() and text.isdigit()
            return "" if is_number else f"{text!r} is no version: give a number like 3"

        def go(text: str | None) -> None:
            if text is not None:
                place = self.place
                self.go_to(AggregatePlace(place.application, place.originator_id, int(text)))

        question = f"Go to a version, 1 to {words.number(self._newest)}"
        self.app.push_screen(AskScreen(question, check=check), go)

    def action_copy_state(self) -> None:
        """Copies the state that is shown."""
        aggregate = self._state.aggregate
        if aggregate is not None:
            self._lay_out_copy(aggregate)

    @background("copy")
    async def _lay_out_copy(self, aggregate: AggregateView) -> None:
        # A long one takes a while.
        text = await asyncio.to_thread(laid_out, aggregate.state)
        self.post_message(self.CopyReady(aggregate.version, text))

    @on(CopyReady)
    def copy_state(self, message: CopyReady) -> None:
        """Copies a state that was laid out."""
        message.stop()
        copy(self.app, message.text, f"the state at version {words.number(message.version)}")

    def action_copy_state_command(self) -> None:
        """Copies the command line that fetches the state that is shown."""
        place, aggregate = self.place, self._state.aggregate
        version = aggregate.version if aggregate else place.version
        command = aggregate_command(
            self.session.target, place.application, place.originator_id, version
        )
        copy(self.app, command, "the command line that fetches the state")

    @on(EventList.Selected)
    def show_version(self, message: EventList.Selected) -> None:
        """Shows the state after the event under the cursor."""
        message.stop()
        event = self._list.selected
        if event is not None:
            self._newest = max(self._newest, event.originator_version)
            self._state.show_version(event.originator_version)
            self._entitle()

    @on(LogView.Opened)
    def open_event(self, message: LogView.Opened) -> None:
        """Shows an event closely."""
        message.stop()
        selected = self.selected_event
        if selected is not None:
            self.post_message(Open(EventPlace(selected.application, selected.event.id)))

    @on(EventList.LogReplaced)
    def read_again(self, message: EventList.LogReplaced) -> None:
        """Reads everything again."""
        message.stop()
        self._newest = 0
        self._state.forget()
        self.notify(
            "≠ the log is another than before: this is the aggregate in the new one",
            severity="warning",
            markup=False,
        )

    @on(AggregateState.Read)
    def name_type(self, message: AggregateState.Read) -> None:
        """Says what the aggregate is."""
        message.stop()
        aggregate = message.aggregate
        if aggregate is not None:
            self._newest = max(self._newest, aggregate.version)
        self._entitle()

    def _entitle(self) -> None:
        aggregate, event = self._state.aggregate, self._list.selected
        window = self._list.window
        if window is not None and window.events:
            self._newest = max(self._newest, window.events[-1].originator_version)
        kind = "aggregate"
        if aggregate is not None:
            kind = aggregate.topic.rpartition(":")[2]
        elif event is not None:
            kind = event.short_topic.rpartition(".")[0]
        shown = event.originator_version if event else (aggregate.version if aggregate else None)
        version = f"version {words.number(shown)} of {words.number(self._newest or None)}"
        view = self.session.operations.state.applications.get(self.place.application)
        where = f"in {words.line(self.place.application)}"
        if view is not None and view.stale_since is not None:
            age = words.duration(self.session.clock() - view.stale_since)
            version = f"○ {age} old: {words.line(view.why)}"
        elif self._list.status.error:
            version = f"✗ {words.line(self._list.status.error)}"
        self._title.parts = (words.line(kind), where, version)
