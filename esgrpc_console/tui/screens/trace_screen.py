"""Everything that mentions a text, in all applications, by time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.command_lines import trace_command
from esgrpc_console.system_view import OptionError, SystemState, words
from esgrpc_console.system_view.tracing import Trace
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.background import background
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.event_actions import EVENT_ACTIONS, EventActions, EventAt
from esgrpc_console.tui.places import EventPlace, Open, TracePlace
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.event_detail import EventDetail
from esgrpc_console.tui.widgets.trace_view import TraceView

DETAIL_WIDTH = 180
"""From this width on, the selected event is shown beside the list."""
PROGRESS_SECONDS = 0.25
"""Between two tellings of what has been found."""


class TraceLines(Widget):
    """What is traced, what was found, how far the search is, and what may be missing."""

    parts: reactive[tuple[str, str, str]] = reactive(("", "", ""))
    """What was found, how far the search is, what people should know."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self) -> Text:
        """Two lines."""
        found, progress, notes = self.parts
        appearance = Appearance(self.app.theme_variables)
        width = self.size.width
        first = Text("everything that mentions ", no_wrap=True, end="")
        first.append(words.line(self._text), "bold")
        first.truncate(max(1, width - len(found) - 3), overflow="ellipsis")
        first.append(f"   {found}")
        second = Text(progress, "dim", no_wrap=True, end="")
        if notes:
            second.append_text(appearance.text(f"   {notes}", Tone.WAITING))
        second.truncate(width, overflow="ellipsis")
        return Text("\n", no_wrap=True, end="").join((first, second))


class TraceScreen(LiveScreen, EventActions):
    """Everything that mentions a text, in all applications, by time."""

    CSS_PATH: ClassVar = ["live_screen.tcss", "trace_screen.tcss"]
    AUTO_FOCUS = "TraceView"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "trace.stop",
        "trace.again",
        "trace.other",
        "trace.copy-trace-command",
        *EVENT_ACTIONS,
    )

    class Heard(Message):
        """Posted when more has been found, or looked at."""

        def __init__(self, trace: Trace, *, is_over: bool = False) -> None:
            super().__init__()
            self.trace = trace
            self.is_over = is_over

    def __init__(self, session: Session, place: TracePlace) -> None:
        super().__init__(session)
        self.place = place
        self._trace: Trace | None = None
        self._is_searching = self._is_stopped = False
        self._lines = TraceLines(place.text)
        self._view = TraceView()
        self._detail = EventDetail(session)

    def compose_body(self) -> Iterable[Widget]:
        """What is traced, what was found, one of it closely."""
        yield self._lines
        yield Horizontal(self._view, self._detail, id="trace-parts")

    def on_mount(self) -> None:
        """Begins to search."""
        self._search()

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now. The search itself tells what it finds."""

    @property
    def selected_event(self) -> EventAt | None:
        """The event that the cursor is on."""
        traced = self._view.cursor_event
        return None if traced is None else EventAt(traced.application, traced.event)

    def _search(self) -> None:
        try:
            trace = Trace(self.session.operations, self.place.text)
        except OptionError as e:
            self._lines.parts = ("", "", words.line(str(e)))
            return
        self._trace = trace
        self._is_searching = True
        self._is_stopped = False
        self._view.forget()
        self._tell(trace)
        self._run(trace)
        self._watch_trace(trace)

    @background("trace")
    async def _run(self, trace: Trace) -> None:
        try:
            await trace.run()
        finally:
            self.post_message(self.Heard(trace, is_over=True))

    @background("trace progress")
    async def _watch_trace(self, trace: Trace) -> None:
        seen = trace.changes.count
        while True:
            seen = await trace.changes.wait(seen)
            self.post_message(self.Heard(trace))
            await asyncio.sleep(PROGRESS_SECONDS)

    @on(Heard)
    def show_found(self, message: Heard) -> None:
        """Shows what has been found so far."""
        message.stop()
        trace = message.trace
        if trace is not self._trace:
            return
        if message.is_over:
            self._is_searching = False
            self.refresh_bindings()
        self._tell(trace)

    @on(TraceView.CursorMoved)
    def show_detail(self) -> None:
        """Shows the event under the cursor, where there is room for it."""
        if self.has_class("-with-detail"):
            self._detail.show(self.selected_event, mark=self.place.text)

    @on(TraceView.Opened)
    def open_event(self, message: TraceView.Opened) -> None:
        """Shows an event closely."""
        message.stop()
        selected = self.selected_event
        if selected is not None:
            self.post_message(Open(EventPlace(selected.application, selected.event.id)))

    def on_resize(self, event: events.Resize) -> None:
        """Shows the selected event where there is room."""
        self.set_class(event.size.width >= DETAIL_WIDTH, "-with-detail")
        self.call_after_refresh(self.show_detail)

    def action_stop(self) -> None:
        """Searches no further."""
        self._is_stopped = True
        self.workers.cancel_group(self, "trace")

    def action_again(self) -> None:
        """Searches again."""
        self._search()

    def action_other(self) -> None:
        """Asks what else is to be traced."""

        def trace(text: str | None) -> None:
            if text:
                self.post_message(Open(TracePlace(text)))

        self.app.push_screen(
            AskScreen("Trace everything that mentions", placeholder="an ID, or any text"), trace
        )

    def action_copy_trace_command(self) -> None:
        """Copies the command line that traces the same."""
        command = trace_command(self.session.target, self.place.text)
        copy(self.app, command, "the command line that traces the same")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves the screen by the key that stops the search, once it has ended."""
        if action == "stop":
            return self._is_searching
        return super().check_action(action, parameters)

    def _tell(self, trace: Trace) -> None:
        self._view.today = self.session.wall_clock().astimezone().date()
        found = trace.events
        places = len({traced.application for traced in found})
        progress = trace.progress.values()
        searched = " + ".join(words.number(one.looked_at) for one in progress)
        if self._is_searching:
            of = " + ".join(words.number(one.of or None) for one in progress)
            how = f"searched {searched} of {of} …"
            empty = "nothing found yet"
        elif self._is_stopped or trace.failures:
            how, empty = f"searched {searched}   not all", "nothing found"
        else:
            how, empty = f"searched {searched}   done", "nothing mentions it"
        self._view.show(found, empty=empty)
        count = words.count(len(found), "event")
        self._lines.parts = (
            f"{count} in {words.count(places, 'application')}",
            how,
            " · ".join(words.line(note) for note in trace.notes),
        )
