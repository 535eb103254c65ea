"""The whole system: applications, followers, how they hang together."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.applications_table import ApplicationsTable
from esgrpc_console.tui.widgets.followers_table import FollowersTable


class OverviewScreen(LiveScreen):
    """The whole system: applications, followers, how they hang together."""

    AUTO_FOCUS = "ApplicationsTable"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._applications = ApplicationsTable(id="applications")
        self._followers = FollowersTable(session, id="followers")

    def compose_body(self) -> Iterable[Widget]:
        """From the whole to the part."""
        yield self._applications
        yield self._followers

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        self._applications.show_state(state, appearance, now)
        self._followers.show_state(state, appearance, now)
