"""One aggregate: its events, and its state at every version."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.places import AggregatePlace
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session


class AggregateScreen(LiveScreen):
    """One aggregate: its events, and its state at every version."""

    def __init__(self, session: Session, place: AggregatePlace) -> None:
        super().__init__(session)
        self.place = place

    def go_to(self, place: AggregatePlace) -> None:
        """Shows another part of the same place."""
        self.place = place

    def compose_body(self) -> Iterable[Widget]:
        """What it shows."""
        yield Static("")

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
