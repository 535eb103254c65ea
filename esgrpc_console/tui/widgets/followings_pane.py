"""Whom an application follows, and who follows it."""

from __future__ import annotations

from textual.containers import Vertical

from esgrpc_console.system_view import ApplicationView
from esgrpc_console.tui.session import Session


class FollowingsPane(Vertical, can_focus=True):
    """Shows the followings of one application, in both directions."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session

    def show_application(self, application: ApplicationView) -> None:
        """Shows the followings of an application."""

    def enter(self) -> None:
        """Puts the focus on the followings."""
        self.screen.set_focus(self)
