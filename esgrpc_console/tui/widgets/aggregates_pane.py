"""The aggregates of an application whose events were seen lately."""

from __future__ import annotations

from textual.containers import Vertical

from esgrpc_console.system_view import ApplicationView
from esgrpc_console.tui.session import Session


class AggregatesPane(Vertical, can_focus=True):
    """Lists the aggregates whose events were seen lately."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session

    def show_application(self, application: ApplicationView) -> None:
        """Lists the aggregates of an application."""

    def enter(self) -> None:
        """Puts the focus on the list."""
        self.screen.set_focus(self)
