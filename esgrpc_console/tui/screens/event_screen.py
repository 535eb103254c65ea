"""One event, decoded, over the screen that it was opened from."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from esgrpc_console.system_view import RequestFailed, words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.background import background
from esgrpc_console.tui.event_actions import EVENT_ACTIONS, EventActions, EventAt
from esgrpc_console.tui.places import EventPlace
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.event_detail import EventDetail


class EventScreen(ModalScreen[None], EventActions):
    """Shows all of an event, and of those before and behind it."""

    CSS_PATH = "event_screen.tcss"
    AUTO_FOCUS = "StyledLines"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close"),
        *bindings_of("event.older", "event.newer", *EVENT_ACTIONS),
    ]

    class Stepped(Message):
        """Posted when the ID of the next event is known, or could not be found out."""

        def __init__(self, notification_id: int | None, error: str = "") -> None:
            super().__init__()
            self.notification_id = notification_id
            self.error = error

    def __init__(self, session: Session, place: EventPlace) -> None:
        super().__init__()
        self.session = session
        self.place = place
        self._detail = EventDetail(session)

    def compose(self) -> ComposeResult:
        """The event in a box."""
        with Vertical(id="event") as box:
            box.border_subtitle = (
                "esc close  ←→ older, newer  y copy  t trace  A aggregate  L in log"
            )
            yield self._detail

    def on_mount(self) -> None:
        """Reads the event."""
        self._detail.show_id(self.place.application, self.place.notification_id)

    @property
    def selected_event(self) -> EventAt | None:
        """The event that is shown."""
        return self._detail.shown

    def action_step(self, step: int) -> None:
        """Goes to the next event of the log, older for -1, newer for 1."""
        self._find(self.place.notification_id + step, is_backwards=step < 0)

    @background("step")
    async def _find(self, start: int, *, is_backwards: bool) -> None:
        try:
            page = await self.session.operations.read_events(
                self.place.application,
                start=start,
                limit=1,
                is_backwards=is_backwards,
                with_state=False,
            )
        except RequestFailed as e:
            self.post_message(self.Stepped(None, str(e)))
        else:
            self.post_message(self.Stepped(page.events[0].id if page.events else None))

    @on(Stepped)
    def show_next(self, message: Stepped) -> None:
        """Shows the next event."""
        if message.error:
            self.notify(words.line(message.error), severity="error", markup=False)
        elif message.notification_id is not None:
            self.place = EventPlace(self.place.application, message.notification_id)
            self._detail.show_id(self.place.application, self.place.notification_id)
        else:
            self.notify("there is no further event", markup=False, timeout=2)
