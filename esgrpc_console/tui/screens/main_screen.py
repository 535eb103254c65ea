"""The system on one screen: what is wrong, applications, followers, and one application closely."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from esgrpc_console.system_view import ApplicationView, SystemOperations
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.screens.event_screen import EventScreen
from esgrpc_console.tui.widgets.application_bar import ApplicationBar
from esgrpc_console.tui.widgets.applications_table import ApplicationsTable
from esgrpc_console.tui.widgets.followers_table import FollowersTable, follower_of
from esgrpc_console.tui.widgets.headline import Headline
from esgrpc_console.tui.widgets.live_table import LiveTable
from esgrpc_console.tui.widgets.log_pane import LogPane
from esgrpc_console.tui.widgets.log_view import LogView
from esgrpc_console.tui.widgets.methods_pane import MethodsPane

REFRESH_SECONDS = 0.25
BREAKPOINTS = [(120, "-wide")]


class MainScreen(Screen[None]):
    """Shows the live state of a system, at most four times a second and only when it has changed."""

    CSS_PATH = "main_screen.tcss"
    AUTO_FOCUS = "ApplicationsTable"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "applications", "applications", show=False),
        Binding("l", "log", "log"),
        Binding("m", "methods", "methods"),
    ]

    class Changed(Message):
        """Posted when there is something new to show."""

    def __init__(
        self,
        operations: SystemOperations,
        title: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param title: names the system.
        :param clock: the clock of ``operations.state``.
        """
        super().__init__()
        self._operations = operations
        self._title = title
        self._clock = clock
        self._selected = ""
        self._headline = Headline()
        self._applications = ApplicationsTable(id="applications")
        self._followers = FollowersTable(id="followers")
        self._bar = ApplicationBar()
        self._log_pane = LogPane(operations, id="log-pane")
        self._methods_pane = MethodsPane(operations, id="methods-pane")

    def compose(self) -> ComposeResult:
        """From the whole to the part."""
        yield self._headline
        yield self._applications
        yield self._followers
        yield self._bar
        with Horizontal(id="panes"):
            yield self._log_pane
            yield self._methods_pane
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Shows what is known, and goes on doing so."""
        self._show_pane("log")
        # When its parts have been mounted too.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._watch()
        # Ages grow though nothing changes.
        self.set_interval(1.0, self._show_ages)
        self.show_state()

    def on_screen_resume(self) -> None:
        """Shows what has changed under another screen."""
        self.show_state()
        self._log_pane.resume()

    @work(exclusive=True, group="watch", exit_on_error=False)
    async def _watch(self) -> None:
        changes = self._operations.state.changes
        seen = changes.count
        while True:
            seen = await changes.wait(seen)
            self.post_message(self.Changed())
            await asyncio.sleep(REFRESH_SECONDS)

    @on(Changed)
    def show_state(self) -> None:
        """Shows what is known just now."""
        if not self.is_current:
            return
        state, now = self._operations.state, self._clock()
        appearance = Appearance(self.app.theme_variables)
        title = state.system_topic or self._title
        self._headline.show_state(state, now, title)
        self._applications.show_state(state, appearance, now)
        self._followers.show_state(state, appearance, now)
        if not self._selected and state.applications:
            self._select(next(iter(state.applications)))
        application = self._application
        if application is not None:
            self._bar.show_application(application, appearance, now)
            self._methods_pane.show_application(application)

    def _show_ages(self) -> None:
        state = self._operations.state
        is_aging = any(view.stale_since is not None for view in state.applications.values())
        if is_aging or any(following.state.word != "live" for following in state.followings):
            self.show_state()

    @on(LiveTable.KeyHighlighted, "#applications")
    def select_application(self, message: LiveTable.KeyHighlighted) -> None:
        """Shows an application closely."""
        self._select(message.key)

    @on(LiveTable.RowSelected, "#applications")
    def open_application(self) -> None:
        """Goes to the log of the application."""
        self.action_log()

    @on(LiveTable.RowSelected, "#followers")
    def open_follower(self, message: LiveTable.RowSelected) -> None:
        """Goes to the log of the follower."""
        self._applications.highlight(follower_of(message.row_key.value or ""))
        self.action_log()

    @on(LogView.Opened)
    def open_event(self, message: LogView.Opened) -> None:
        """Shows an event closely."""
        self.app.push_screen(EventScreen(self._selected, message.event))

    @on(ApplicationBar.PaneWanted)
    def show_wanted_pane(self, message: ApplicationBar.PaneWanted) -> None:
        """Shows the pane whose name was clicked."""
        if message.pane == "log":
            self.action_log()
        else:
            self.action_methods()

    def action_applications(self) -> None:
        """Goes to the applications."""
        self.set_focus(self._applications)

    def action_log(self) -> None:
        """Goes to the log of the selected application."""
        self._show_pane("log")
        self._log_pane.enter()

    def action_methods(self) -> None:
        """Goes to the methods of the selected application."""
        self._show_pane("methods")
        self._methods_pane.enter()

    @property
    def _application(self) -> ApplicationView | None:
        return self._operations.state.applications.get(self._selected)

    def _select(self, name: str) -> None:
        if name == self._selected:
            return
        self._selected = name
        self._log_pane.show_application(name)
        self.show_state()

    def _show_pane(self, pane: str) -> None:
        # Both are shown where there is room: the style sheet knows.
        self.set_class(pane == "log", "-log")
        self.set_class(pane == "methods", "-methods")
        self._bar.show_pane(pane)
