"""The table of who follows whom, and how far."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from esgrpc_console.command_lines import ControlAction
from esgrpc_console.system_view import (
    FollowingState,
    FollowingView,
    Health,
    SystemState,
    words,
)
from esgrpc_console.system_view.problems import error_text, standby_text
from esgrpc_console.tui.actions import bindings_of, hidden_bindings_of
from esgrpc_console.tui.appearance import Appearance, Cell, Tone
from esgrpc_console.tui.following_actions import confirm_and_run, is_applicable
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace, Open, Tab
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.live_table import LiveTable
from esgrpc_console.tui.widgets.table_columns import Column
from esgrpc_console.tui.widgets.table_lines import Row
from esgrpc_console.tui.widgets.table_order import SortValue

_STATE_WIDTH = max(len(f"{state.symbol} {state.word}") for state in FollowingState)
_STATE_ORDER = (
    FollowingState.FAILING,
    FollowingState.DIVERGED,
    FollowingState.UNREACHABLE,
    FollowingState.PAUSED,
    FollowingState.CATCHING_UP,
    FollowingState.CONNECTING,
    FollowingState.LIVE,
    FollowingState.STANDBY,
)
"""The worst first. Before these come those that can't be heard of."""
_STALE = "stale"
_CONTROLS = {action.value: action for action in ControlAction}


class FollowersTable(LiveTable[FollowingView]):
    """One row a following, by its follower's and its leader's name."""

    COLUMNS = (
        Column("name", "FOLLOWER", 100, max_width=32),
        Column("leader", "← LEADER", 95, max_width=34),
        Column("state", "STATE", 90, min_width=_STATE_WIDTH),
        Column("position", "POSITION", 60, is_number=True),
        Column("head", "HEAD", 58, is_number=True, min_width=7),
        Column("lag", "LAG", 85, is_number=True, min_width=6),
        Column("trend", "TREND", 65, is_number=True, min_width=8),
        Column("behind", "BEHIND", 70, is_number=True, min_width=7),
        Column("rate", "EVENTS/S", 50, is_number=True),
        Column("catch_up", "CAUGHT UP IN", 55, is_number=True),
        Column("error", "LAST ERROR", 80, is_elastic=True, max_width=200),
    )
    NOUN = "following"
    EMPTY = "no application follows another"

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(
            "overview.open",
            "overview.retry",
            "overview.skip",
            "overview.pause",
            "overview.resume",
            "table.filter",
            "table.clear-filter",
            "overview.sort-follower",
            "overview.sort-leader",
            "overview.sort-state",
            "overview.sort-position",
            "overview.sort-head",
            "overview.sort-lag",
            "overview.sort-trend",
            "overview.sort-behind",
            "overview.sort-rate",
            "overview.sort-catch-up",
            "overview.sort-error",
        ),
        # The footer has no room for these besides.
        *hidden_bindings_of("overview.log", "overview.methods", "overview.followings"),
    ]

    def __init__(self, session: Session, *, application: str = "", id: str | None = None) -> None:
        """
        :param application: shows only whom this one follows, and who follows it. Empty: all.
        """
        super().__init__(id=id)
        self._session = session
        self._application = application
        self._controls: tuple[bool, ...] | None = None

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known of the followings just now."""
        followings = {
            row_key(following.follower, following.leader): following
            for following in state.followings
            if self._application in {"", following.follower, following.leader}
        }
        self.show_items(followings, appearance, now)

    def row_of(self, item: FollowingView, appearance: Appearance, now: float) -> Row:
        """Returns what is shown of a following."""
        is_dim = item.stale_since is not None
        is_head_dim = is_dim or item.head_stale_since is not None
        status, cell = item.status, appearance.cell
        is_told = status is not None and not is_dim
        return Row(
            (
                cell(item.follower, is_dim=is_dim),
                cell(f"← {item.leader}", is_dim=is_dim),
                _state(item, appearance),
                cell(words.number(status.position if status else None), is_dim=is_dim),
                cell(words.number(item.head), is_dim=is_head_dim),
                cell(words.number(item.lag), is_dim=is_head_dim),
                _trend(item, appearance),
                cell(_behind(item), is_dim=is_head_dim),
                cell(words.rate(status.events_per_second if status and is_told else None)),
                cell(_catch_up(item)),
                _error(item, appearance, now),
            )
        )

    def sort_value(self, item: FollowingView, column: str) -> SortValue:
        """Returns what a following is ordered by in a column."""
        status = item.status
        match column:
            case "name":
                return item.follower
            case "leader":
                return item.leader
            case "state":
                return -1 if item.stale_since is not None else _STATE_ORDER.index(item.state)
            case "head":
                return item.head
            case "lag":
                return item.lag
            case "trend":
                return item.lag_growth
            case "catch_up":
                return item.catch_up_seconds
            case "error":
                return error_text(item) or None
            case "position":
                return status.position if status else None
            case "behind":
                return status.lag_seconds if status else None
            case _:
                return status.events_per_second if status else None

    def search_text(self, item: FollowingView) -> str:
        """Returns what a filter looks for its text in."""
        return "\n".join(
            (item.follower, item.leader, _state_words(item), error_text(item), item.why)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offers what can be done to the following under the cursor, as far as it is allowed."""
        control = _CONTROLS.get(action)
        if control is None:
            return super().check_action(action, parameters)
        if self.chosen is None or not is_applicable(control, self.chosen):
            return False
        return None if self._session.is_read_only else True

    def on_live_table_shown(self) -> None:
        """Offers other actions where they are others now."""
        chosen = self.chosen
        controls = (
            tuple(is_applicable(control, chosen) for control in ControlAction) if chosen else None
        )
        if controls != self._controls:
            self._controls = controls
            self.refresh_bindings()

    def action_open(self) -> None:
        """Opens the following."""
        if self.chosen is not None:
            self.post_message(Open(FollowingPlace(self.chosen.follower, self.chosen.leader)))

    def action_log(self) -> None:
        """Opens the follower's log."""
        self._open("log")

    def action_methods(self) -> None:
        """Opens the follower's methods."""
        self._open("methods")

    def action_followings(self) -> None:
        """Opens all whom the follower follows."""
        self._open("followings")

    def action_retry(self) -> None:
        """Asks whether to try at once."""
        self._control(ControlAction.RETRY)

    def action_skip(self) -> None:
        """Asks whether to skip the event that is waited on."""
        self._control(ControlAction.SKIP)

    def action_pause(self) -> None:
        """Asks whether to let the follower wait."""
        self._control(ControlAction.PAUSE)

    def action_resume(self) -> None:
        """Asks whether to let the follower go on."""
        self._control(ControlAction.RESUME)

    def _open(self, tab: Tab) -> None:
        if self.chosen is not None:
            self.post_message(Open(ApplicationPlace(self.chosen.follower, tab)))

    def _control(self, action: ControlAction) -> None:
        if self.chosen is not None:
            confirm_and_run(self.screen, self._session, action, self.chosen)


def row_key(follower: str, leader: str) -> str:
    """Returns the key of a following's row."""
    return f"{follower}\n{leader}"


def _state_words(following: FollowingView) -> str:
    return _STALE if following.stale_since is not None else following.state.word


def _state(following: FollowingView, appearance: Appearance) -> Cell:
    """Returns how a following is. What was heard of one that can't be heard is no state."""
    if following.stale_since is not None:
        return appearance.cell(f"{Health.UNREACHABLE.symbol} {_STALE}", is_dim=True)
    return appearance.state_cell(following.state)


def _trend(following: FollowingView, appearance: Appearance) -> Cell:
    """Returns whether the lag grows or shrinks, and by how many events a second."""
    growth = following.lag_growth
    if growth is None or following.stale_since is not None:
        return appearance.cell(words.NONE)
    speed = words.rate(abs(growth))
    if speed == "0":
        return appearance.cell("0/s", is_dim=True)
    if growth > 0:
        return appearance.cell(f"▲ {speed}/s", Tone.BAD)
    return appearance.cell(f"▼ {speed}/s", Tone.GOOD)


def _behind(following: FollowingView) -> str:
    seconds = following.status.lag_seconds if following.status else None
    return words.NONE if seconds is None else words.duration(seconds)


def _catch_up(following: FollowingView) -> str:
    """Returns how long catching up takes. Who has caught up needs no time, and no words."""
    if following.stale_since is not None:
        return words.NONE
    if following.lag == 0:
        return ""
    seconds = following.catch_up_seconds
    return words.NONE if seconds is None else words.duration(seconds)


def _error(following: FollowingView, appearance: Appearance, now: float) -> Cell:
    if following.stale_since is not None:
        age = words.duration(now - following.stale_since)
        return appearance.cell(f"{age} old: {following.why}", is_dim=True)
    if following.head_stale_since is not None:
        age = words.duration(now - following.head_stale_since)
        return appearance.cell(f"head is {age} old: {following.why}", is_dim=True)
    if instead := standby_text(following):
        return appearance.cell(instead, is_dim=True)
    is_over = following.state is FollowingState.LIVE
    return appearance.cell(error_text(following), is_dim=is_over)
