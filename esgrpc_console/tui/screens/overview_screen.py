"""The whole system: applications, followers, how they hang together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.actions import bindings_of, hidden_bindings_of
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.key_names import active_keys
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.screens.overview_room import drawing_room, share_room
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.applications_table import ApplicationsTable
from esgrpc_console.tui.widgets.filter_line import FilteredTable
from esgrpc_console.tui.widgets.followers_table import FollowersTable
from esgrpc_console.tui.widgets.system_drawing import SystemDrawing

_UPTIME_SECONDS = 1.0


class OverviewScreen(LiveScreen):
    """Shows both tables and, where there is room, the drawing of the system."""

    CSS_PATH: ClassVar = ["live_screen.tcss", "overview_screen.tcss"]
    AUTO_FOCUS = "ApplicationsTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("overview.drawing", "overview.tables"),
        # The first line itself names these.
        *hidden_bindings_of("headline.retry", "headline.skip", "headline.resume"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._applications = ApplicationsTable(id="applications-table")
        self._followers = FollowersTable(session, id="followers-table")
        self._application_part = FilteredTable(self._applications, id="applications")
        self._follower_part = FilteredTable(self._followers, id="followers")
        self._drawing = SystemDrawing(id="drawing")
        self._is_alone = False
        self._left: Widget | None = None

    def compose_body(self) -> Iterable[Widget]:
        """From the whole to the part."""
        with Vertical(id="overview"):
            yield self._application_part
            yield self._follower_part
            yield self._drawing

    def on_mount(self) -> None:
        """Lets uptimes grow while nothing else changes."""
        self.set_interval(_UPTIME_SECONDS, self._show_uptimes)

    def on_resize(self) -> None:
        """Shares the room anew."""
        self.call_after_refresh(self.show_now)

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        self._applications.show_state(state, appearance, now)
        self._followers.show_state(state, appearance, now)
        self._drawing.take_figure(state)
        self._share_room(appearance)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Lets keys act on what the first line tells, but for those that a row of followers has."""
        match action:
            case "tables":
                return self._is_alone
            case "retry" | "skip" | "resume":
                if self.focused is self._followers:
                    return False
                return self._headline.check_action(action, parameters)
            case _:
                return super().check_action(action, parameters)

    def action_retry(self) -> None:
        """Asks whether to try at once what the first line tells."""
        self._headline.action_retry()

    def action_skip(self) -> None:
        """Asks whether to skip the event that the first line tells."""
        self._headline.action_skip()

    def action_resume(self) -> None:
        """Asks whether to let the follower go on that the first line tells."""
        self._headline.action_resume()

    def action_drawing(self) -> None:
        """Gives the screen to the drawing, or takes it back."""
        self._is_alone = not self._is_alone
        self.set_class(self._is_alone, "-alone")
        self._drawing.can_focus = self._is_alone
        if self._is_alone:
            self._left = self.focused
            self._drawing.focus()
        else:
            (self._left or self._applications).focus()
        self.refresh_bindings()
        self.show_now()

    def action_tables(self) -> None:
        """Shows the tables again."""
        self.action_drawing()

    @on(FilteredTable.Resized)
    def make_room(self) -> None:
        """Makes room for the line of a filter."""
        self.show_now()

    def _show_uptimes(self) -> None:
        if self.is_current:
            state, now = self.session.operations.state, self.session.clock()
            self._applications.show_state(state, Appearance(self.app.theme_variables), now)

    def _share_room(self, appearance: Appearance) -> None:
        drawing = self._drawing
        width, lines = self.query_one("#overview").size
        if not lines:
            # It is shared when the screen has been laid out.
            return
        if self._is_alone:
            drawing.display = True
            drawing.styles.margin = 0
            drawing.fit_alone(width)
            drawing.show(appearance, "there is nothing to draw")
            return
        applications, followers = self._application_part, self._follower_part
        natural = applications.natural_height, followers.natural_height
        wanted = drawing.fit(width, drawing_room(lines, *natural))
        room = share_room(lines, *natural, wanted)
        _set_room(applications, room.applications, room.applications_gap)
        _set_room(followers, room.followers, room.followers_gap)
        drawing.display = room.drawing > 0
        if drawing.display:
            drawing.show(appearance, "" if wanted else self._told_of_no_room())

    def _told_of_no_room(self) -> str:
        key = active_keys(self).get("overview.drawing", "")
        return f"there is no room for the drawing here: {key} shows it alone"


def _set_room(part: Widget, height: int, gap: int) -> None:
    height_before = part.styles.height.value if part.styles.height else None
    if (height_before, part.styles.margin.bottom) != (height, gap):
        part.styles.height = height
        part.styles.margin = (0, 0, gap, 0)
