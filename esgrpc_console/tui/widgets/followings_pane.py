"""Whom an application follows, and who follows it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from esgrpc_console.system_view import ApplicationView
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.filter_line import FilteredTable
from esgrpc_console.tui.widgets.followers_table import FollowersTable


class FollowingsPane(Vertical):
    """Shows the followings of one application, in both directions."""

    DEFAULT_CSS = """
    FollowingsPane {
        height: 1fr;

        FilteredTable {
            height: 1fr;
        }
    }
    """

    def __init__(self, session: Session, application: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._table = FollowersTable(session, application=application)

    def compose(self) -> ComposeResult:
        """The table, and the line of its filter."""
        yield FilteredTable(self._table)

    def show_application(self, application: ApplicationView) -> None:
        """Shows the followings as they are just now."""
        appearance = Appearance(self.app.theme_variables)
        state, now = self._session.operations.state, self._session.clock()
        self._table.show_state(state, appearance, now)

    def enter(self) -> None:
        """Puts the focus on the table."""
        self.screen.set_focus(self._table)
