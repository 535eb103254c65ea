"""One application closely: its log, its methods, its followings, its aggregates."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.places import ApplicationPlace
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session


class ApplicationScreen(LiveScreen):
    """One application closely: its log, its methods, its followings, its aggregates."""

    def __init__(self, session: Session, place: ApplicationPlace) -> None:
        super().__init__(session)
        self.place = place

    def go_to(self, place: ApplicationPlace) -> None:
        """Shows another part of the same place."""
        self.place = place

    def compose_body(self) -> Iterable[Widget]:
        """What it shows."""
        yield Static("")

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
