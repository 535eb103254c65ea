"""The notification log of one application: which events of it, where in it, and one of them closely."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from esgrpc_console.system_view import ApplicationView, LogFilter, words
from esgrpc_console.system_view.log_filter import ALL
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.event_actions import EVENT_ACTIONS, EventActions, EventAt
from esgrpc_console.tui.list_status import list_words
from esgrpc_console.tui.log_places import place_of
from esgrpc_console.tui.places import ApplicationPlace, EventPlace, Open
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.screens.topics_screen import TopicsScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.event_detail import EventDetail
from esgrpc_console.tui.widgets.event_list import EventList
from esgrpc_console.tui.widgets.log_filter_line import LogFilterLine
from esgrpc_console.tui.widgets.log_view import LogView
from esgrpc_console.tui.widgets.search_line import SearchLine

DETAIL_WIDTH = 110
"""From this width on, the selected event is shown beside the log."""


class LogPane(Vertical, EventActions):
    """Shows the notification log of one application."""

    DEFAULT_CSS = """
    LogPane {
        height: 1fr;

        #log-parts {
            height: 1fr;
        }

        EventDetail {
            display: none;
            width: 8fr;
            border-left: vkey $panel;
        }

        EventList {
            width: 11fr;
        }

    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "log.follow",
        "log.pause",
        "log.go-to",
        "log.search",
        "log.older-hit",
        "log.newer-hit",
        "log.stop-search",
        "log.only-found",
        "log.topics",
        "log.this-aggregate",
        "log.ask-aggregate",
        "log.clear-filters",
        *EVENT_ACTIONS,
    )

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self._application: ApplicationView | None = None
        self._place: ApplicationPlace | None = None
        self._filter = ALL
        self._line = LogFilterLine()
        self._search = SearchLine(session)
        self._list = EventList(session)
        self._detail = EventDetail(session)

    def compose(self) -> ComposeResult:
        """What is shown, the log, the selected event."""
        yield self._line
        with Horizontal(id="log-parts"):
            yield self._list
            yield self._detail
        yield self._search

    def on_mount(self) -> None:
        """Says how the list is, whenever that changes."""
        self.watch(self._list, "status", self._say)

    @property
    def selected_event(self) -> EventAt | None:
        """The event that the cursor is on."""
        event = self._list.selected
        if event is None or self._application is None:
            return None
        return EventAt(self._application.name, event)

    def go_to(self, place: ApplicationPlace) -> None:
        """Shows an event, or the events of an aggregate, as soon as the application is known."""
        self._place = place
        if self._application is not None:
            self._open_place(self._application.name)

    def show_application(self, application: ApplicationView) -> None:
        """Shows what is new in the log of an application."""
        before, self._application = self._application, application
        if before is None:
            self._open_place(application.name)
        elif before.stale_since is not None and application.stale_since is None:
            self._detail.read_again()
        self._list.hear(application)
        self._say()

    def enter(self) -> None:
        """Puts the focus on the log."""
        # At once, so that the next key goes there.
        self.screen.set_focus(self._list.view)

    def _open_place(self, application: str) -> None:
        place = self._place
        at = place.notification_id if place else None
        wanted = LogFilter(originator_id=place.originator_id) if place else ALL
        if self._list.window is None or (place and place.originator_id):
            self._open(application, wanted, at)
        elif at is not None:
            # Where it is hidden, the filter goes.
            if self._filter:
                self._open(application, ALL, at)
            else:
                self._list.go_to(at)
        self._place = None

    def _open(self, application: str, wanted: LogFilter, at: int | None) -> None:
        self._filter = wanted
        self._line.wanted = wanted
        self._list.open(application, wanted, at=at)

    def _filter_by(self, wanted: LogFilter) -> None:
        """Shows other events, and stays where the cursor is unless the newest is followed."""
        if self._application is None or wanted == self._filter:
            return
        event = self._list.selected
        is_following = self._list.status.is_following
        at = None if is_following or event is None else event.id
        self._open(self._application.name, wanted, at)

    # What is done.

    def action_follow(self) -> None:
        """Goes to the newest event and follows."""
        self._list.follow()

    def action_pause(self) -> None:
        """Stays where it is, or follows."""
        if self._list.view.is_following:
            self._list.view.is_following = False
        else:
            self._list.follow()

    def action_go_to(self) -> None:
        """Asks for a place, and goes there."""
        head = self._list.status.head

        def check(text: str) -> str:
            return (
                ""
                if place_of(text, head) is not None
                else (
                    f"{text!r} is no place: give an ID like 12,398, or a part of the log like 50%"
                )
            )

        def go(text: str | None) -> None:
            place = None if text is None else place_of(text, head)
            if place is not None:
                self._list.go_to(place)

        question = f"Go to an event of the log, 1 to {words.number(head)}"
        self.app.push_screen(AskScreen(question, placeholder="12,398 or 50%", check=check), go)

    def action_search(self) -> None:
        """Asks for a text, and searches the whole log for it."""

        def search(text: str | None) -> None:
            if text and self._application is not None:
                wanted = replace(self._filter, text=text)
                self._search.start(self._application.name, wanted)
                self._mark()

        question = "Search the whole log, in topics, originator IDs and states"
        self.app.push_screen(AskScreen(question, value=self._search.text), search)

    def action_hit(self, step: int) -> None:
        """Goes to what was found next to the cursor."""
        event = self._list.selected
        if event is not None and self._search.text:
            found = self._search.next_hit(step, event.id)
            if found is not None:
                self._list.go_to(found)

    def action_stop_search(self) -> None:
        """Stops searching. When it has come to its end, forgets what was found."""
        if self._search.is_searching:
            self._search.stop()
        else:
            self._search.forget()

    def action_only_found(self) -> None:
        """Shows only what has the text that was searched for, or all again."""
        self._filter_by(replace(self._filter, text="" if self._filter.text else self._search.text))

    def action_topics(self) -> None:
        """Asks which topics are to be shown."""
        application = self._application
        if application is None:
            return
        window = self._list.window
        known = {event.topic for event in window.events} if window else set()
        known.update(self._filter.topics)
        if application.description is not None:
            known.update(application.description.event_topics)

        def show(topics: tuple[str, ...] | None) -> None:
            if topics is not None:
                self._filter_by(replace(self._filter, topics=topics))

        ordered = sorted(known, key=lambda topic: (topic.rpartition(":")[2], topic))
        self.app.push_screen(TopicsScreen(application.name, ordered, self._filter.topics), show)

    def action_this_aggregate(self) -> None:
        """Shows only the events of this aggregate, or all again."""
        event = self._list.selected
        wanted = "" if self._filter.originator_id or event is None else event.originator_id
        self._filter_by(replace(self._filter, originator_id=wanted))

    def action_ask_aggregate(self) -> None:
        """Asks whose events are to be shown."""

        def show(text: str | None) -> None:
            if text is not None:
                self._filter_by(replace(self._filter, originator_id=text))

        question = "Show only the events of the aggregate with this ID"
        self.app.push_screen(
            AskScreen(question, value=self._filter.originator_id, placeholder="all"), show
        )

    def action_clear_filters(self) -> None:
        """Shows all events."""
        self._filter_by(ALL)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use just now."""
        match action:
            case "stop_search" | "hit":
                return bool(self._search.text)
            case "only_found":
                return bool(self._search.text or self._filter.text)
            case "clear_filters":
                return bool(self._filter)
            case _:
                return True

    # What is heard.

    @on(EventList.Selected)
    def show_detail(self) -> None:
        """Shows the event under the cursor, where there is room beside the log."""
        if self._detail.size.width:
            self._detail.show(self.selected_event, mark=self._search.text)

    @on(LogView.Opened)
    def open_event(self, message: LogView.Opened) -> None:
        """Shows an event on a screen of its own."""
        message.stop()
        selected = self.selected_event
        if selected is not None:
            self.post_message(Open(EventPlace(selected.application, selected.event.id)))

    @on(EventList.LogReplaced)
    def tell_of_other_log(self, message: EventList.LogReplaced) -> None:
        """Says that what is shown now is another log."""
        message.stop()
        # What comes now may have the same ID.
        self._detail.show(None)
        name = words.line(self._application.name) if self._application else "the application"
        self.notify(
            f"≠ the log of {name} is another than before: it is shown from its newest event",
            severity="warning",
            markup=False,
        )

    @on(SearchLine.Found)
    def go_to_hit(self, message: SearchLine.Found) -> None:
        """Goes to what was found."""
        message.stop()
        self._list.go_to(message.notification_id)

    @on(SearchLine.Changed)
    def mark_hits(self, message: SearchLine.Changed) -> None:
        """Marks what was found."""
        message.stop()
        self._mark()

    @on(LogFilterLine.Clicked)
    async def change_filter(self, message: LogFilterLine.Clicked) -> None:
        """Does what was clicked."""
        message.stop()
        await self.run_action(message.action)

    def on_resize(self) -> None:
        """Shows the selected event where there is room."""
        self.call_after_refresh(self.show_detail)

    def _mark(self) -> None:
        self._list.view.hits = self._search.hits
        self._list.view.refresh()
        self.show_detail()
        self.refresh_bindings()

    def _say(self) -> None:
        age: float | None = None
        application = self._application
        if application is not None and application.stale_since is not None:
            age = self.session.clock() - application.stale_since
        self._line.say(*list_words(self._list.status, age, application.why if application else ""))
