"""The aggregates of an application whose events are the newest."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import ApplicationView, EventPage, RequestFailed, words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.background import background
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.places import AggregatePlace, ApplicationPlace, Open, TracePlace
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.aggregates_view import AggregatesView, seen_aggregates

EVENTS = 1_000
"""How many of the newest events are looked at."""
READ_SECONDS = 2.0
"""Between two readings, at least: a list that reorders itself all the time can't be read."""


class AggregatesNote(Widget):
    """Says what the list is made from."""

    DEFAULT_CSS = """
    AggregatesNote {
        height: 1;
        padding: 0 1;
        color: $foreground 60%;

        &.-error {
            color: $text-error;
        }
    }
    """

    text: reactive[str] = reactive("")

    def render(self) -> Text:
        """One line."""
        line = Text(self.text, no_wrap=True, end="")
        line.truncate(self.size.width, overflow="ellipsis")
        return line


class AggregatesPane(Vertical):
    """Lists the aggregates whose events are the newest."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "aggregates.type-id", "aggregates.events", "aggregates.trace", "aggregates.copy-id"
    )

    class Read(Message):
        """Posted when the newest events have been read, or could not be."""

        def __init__(self, page: EventPage | None, error: str) -> None:
            super().__init__()
            self.page = page
            self.error = error

    def __init__(self, session: Session, application: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._application = application
        self._note = AggregatesNote()
        self._view = AggregatesView()
        self._read_at: float | None = None
        self._read_head = -1
        self._is_reading = False

    def compose(self) -> ComposeResult:
        """What the list is made from, and the list."""
        yield self._note
        yield self._view

    def show_application(self, application: ApplicationView) -> None:
        """Reads again, when there are newer events and the last reading is a while ago."""
        is_stale = application.stale_since is not None
        if is_stale != self._view.is_stale:
            self._view.is_stale = is_stale
            self._view.refresh()
        if application.status is None or is_stale or self._is_reading:
            return
        now = self._session.clock()
        is_due = self._read_at is None or now - self._read_at >= READ_SECONDS
        if is_due and application.status.head != self._read_head:
            self._read_at, self._read_head = now, application.status.head
            self._is_reading = True
            self._read_newest()

    def enter(self) -> None:
        """Puts the focus on the list."""
        self.screen.set_focus(self._view)

    @background("read")
    async def _read_newest(self) -> None:
        try:
            page = await self._session.operations.read_events(
                self._application, limit=EVENTS, is_backwards=True, with_state=False
            )
        except RequestFailed as e:
            self.post_message(self.Read(None, str(e)))
        else:
            self.post_message(self.Read(page, ""))

    @on(Read)
    def show_read(self, message: Read) -> None:
        """Shows the aggregates."""
        message.stop()
        self._is_reading = False
        page = message.page
        self._note.set_class(page is None, "-error")
        if page is None:
            # With the next status, it is tried again.
            self._read_head = -1
            self._note.text = words.line(f"✗ the log can't be read: {message.error}")
            return
        aggregates = seen_aggregates(page.events)
        self._view.today = self._session.wall_clock().astimezone().date()
        self._view.show(aggregates, empty="there are no aggregates yet: nothing has been recorded")
        scope = "all" if page.is_end else "the newest"
        self._note.text = (
            f"{words.count(len(aggregates), 'aggregate')} of "
            f"{scope} {words.count(len(page.events), 'event')}"
        )

    @on(AggregatesView.Opened)
    def open_aggregate(self, message: AggregatesView.Opened) -> None:
        """Shows an aggregate."""
        message.stop()
        aggregate = self._view.cursor_aggregate
        if aggregate is not None:
            self.post_message(Open(AggregatePlace(self._application, aggregate.originator_id)))

    def action_type_id(self) -> None:
        """Asks for an ID, and shows the aggregate."""

        def show(text: str | None) -> None:
            if text:
                self.post_message(Open(AggregatePlace(self._application, text)))

        question = f"Show the aggregate of {self._application} with this ID"
        self.app.push_screen(AskScreen(question, placeholder="an originator ID"), show)

    def action_events(self) -> None:
        """Shows the log with only the aggregate's events."""
        aggregate = self._view.cursor_aggregate
        if aggregate is not None:
            originator_id = aggregate.originator_id
            place = ApplicationPlace(self._application, "log", originator_id=originator_id)
            self.post_message(Open(place))

    async def action_trace(self) -> None:
        """Finds everything that mentions the aggregate, or asks what is to be found."""
        aggregate = self._view.cursor_aggregate
        if aggregate is not None:
            self.post_message(Open(TracePlace(aggregate.originator_id)))
        else:
            await self.run_action("app.trace")

    def action_copy_id(self) -> None:
        """Copies the aggregate's ID."""
        aggregate = self._view.cursor_aggregate
        if aggregate is not None:
            copy(self.app, aggregate.originator_id)
