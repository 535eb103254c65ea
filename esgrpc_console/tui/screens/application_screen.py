"""One application closely: its log, its methods, its followings, its aggregates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeAlias

from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.places import ApplicationPlace, Tab
from esgrpc_console.tui.screens.live_screen import WIDTHS, LiveScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.aggregates_pane import AggregatesPane
from esgrpc_console.tui.widgets.application_bar import ApplicationBar
from esgrpc_console.tui.widgets.followings_pane import FollowingsPane
from esgrpc_console.tui.widgets.log_pane import DETAIL_WIDTH, LogPane
from esgrpc_console.tui.widgets.methods_pane import MethodsPane

Pane: TypeAlias = LogPane | MethodsPane | FollowingsPane | AggregatesPane


class ApplicationScreen(LiveScreen):
    """One application closely: its log, its methods, its followings, its aggregates.

    A pane is made when it is wanted for the first time, and hears of the application only while it
    is the one that is shown.
    """

    CSS_PATH: ClassVar = ["live_screen.tcss", "application_screen.tcss"]
    AUTO_FOCUS = ""

    HORIZONTAL_BREAKPOINTS = [*WIDTHS[:-1], (DETAIL_WIDTH, "-beside"), WIDTHS[-1]]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "application.log",
        "application.methods",
        "application.followings",
        "application.aggregates",
        "application.next",
        "application.previous",
    )

    def __init__(self, session: Session, place: ApplicationPlace) -> None:
        super().__init__(session)
        self.place = place
        self._bar = ApplicationBar(place.tab)
        self._panes: dict[Tab, Pane] = {place.tab: self._make_pane(place.tab)}
        self._room = Container(*self._panes.values(), id="panes")

    def compose_body(self) -> Iterable[Widget]:
        """The application in one line, and the pane that is wanted."""
        yield self._bar
        yield self._room

    def on_mount(self) -> None:
        """Shows the pane that is wanted, and does not wait for the screen to be drawn."""
        self.go_to(self.place)

    def go_to(self, place: ApplicationPlace) -> None:
        """Shows another part of the same application."""
        self.place = place
        self.call_next(self._go)

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        application = state.applications.get(self.place.application)
        pane = self._panes.get(self.place.tab)
        if application is None:
            self._bar.show_missing(self.place.application, appearance)
            return
        self._bar.show_application(application, appearance, now)
        if pane is not None and pane.is_mounted:
            pane.show_application(application)

    @on(ApplicationBar.TabWanted)
    def show_wanted_tab(self, message: ApplicationBar.TabWanted) -> None:
        """Shows the pane whose name was clicked."""
        message.stop()
        self.go_to(ApplicationPlace(self.place.application, message.tab))

    def action_show_tab(self, tab: Tab) -> None:
        """Shows a pane."""
        self.go_to(ApplicationPlace(self.place.application, tab))

    def action_other_application(self, step: int) -> None:
        """Goes to the same pane of another application."""
        names = list(self.session.operations.state.applications)
        if self.place.application in names and len(names) > 1:
            index = (names.index(self.place.application) + step) % len(names)
            place = ApplicationPlace(names[index], self.place.tab)
            self.app.switch_screen(ApplicationScreen(self.session, place))

    def _make_pane(self, tab: Tab) -> Pane:
        pane_id = f"{tab}-pane"
        match tab:
            case "log":
                return LogPane(self.session, id=pane_id)
            case "methods":
                return MethodsPane(self.session, id=pane_id)
            case "followings":
                return FollowingsPane(self.session, self.place.application, id=pane_id)
            case "aggregates":
                return AggregatesPane(self.session, self.place.application, id=pane_id)

    async def _go(self) -> None:
        tab = self.place.tab
        self._bar.show_tab(tab)
        pane = self._panes.get(tab)
        if pane is None:
            pane = self._panes[tab] = self._make_pane(tab)
            await self._room.mount(pane)
        if self not in self.app.screen_stack:
            # It was left meanwhile.
            return
        for other in self._panes.values():
            other.display = other is pane
        if isinstance(pane, LogPane):
            pane.go_to(self.place)
        elif isinstance(pane, MethodsPane) and self.place.method:
            pane.select_method(self.place.method)
        self.show_now()
        pane.enter()
