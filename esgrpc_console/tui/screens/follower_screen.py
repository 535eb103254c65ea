"""One following closely: where it is, what it fails on, what can be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.command_lines import ControlAction
from esgrpc_console.system_view import (
    FollowingState,
    FollowingView,
    Health,
    SystemState,
    words,
)
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance, Tone, state_tone
from esgrpc_console.tui.event_actions import EventActions, EventAt
from esgrpc_console.tui.following_actions import confirm_and_run, is_applicable
from esgrpc_console.tui.following_words import catch_up_words, meaning
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace, Open
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.error_pane import ErrorPane
from esgrpc_console.tui.widgets.event_detail import EventDetail
from esgrpc_console.tui.widgets.following_line import FollowingLine
from esgrpc_console.tui.widgets.positions_plot import PositionsPlot

_GAP = "   "
_CONTROLS = {action.value: action for action in ControlAction}
_EVENT_ACTIONS = {"trace", "aggregate", "copy", "copy_id", "copy_command", "open_event"}
_LEAST_LINES = 16
"""On a screen with fewer, there is no plot."""


class FollowerScreen(LiveScreen, EventActions):
    """One follower and one leader of it."""

    CSS_PATH: ClassVar = ["live_screen.tcss", "follower_screen.tcss"]

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "follower.open-event",
        "follower.retry",
        "follower.skip",
        "follower.pause",
        "follower.resume",
        "follower.leader",
        "follower.follower",
        "event.trace",
        "event.aggregate",
        "event.copy",
        "event.copy-id",
        "event.copy-command",
    )

    def __init__(self, session: Session, place: FollowingPlace) -> None:
        super().__init__(session)
        self.place = place
        self._line = FollowingLine()
        self._meaning = Static(id="following-meaning", markup=False)
        self._facts = Static(id="following-facts", markup=False)
        self._plot = PositionsPlot(id="positions")
        self._error = ErrorPane(id="error")
        self._event = EventDetail(session, id="failed-on")
        self._wanted: tuple[int, bool] | None = None
        self._offered: tuple[bool, ...] | None = None

    def compose_body(self) -> Iterable[Widget]:
        """From the whole to the part."""
        yield self._line
        yield self._meaning
        yield self._facts
        yield self._plot
        with Container(id="following-error"):
            yield self._error
            yield self._event

    def on_resize(self) -> None:
        """Leaves out the plot where there is no room for it."""
        self.set_class(self.size.height < _LEAST_LINES, "-tiny")

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        following = self._following
        self.set_class(following is None, "-missing")
        if following is None:
            place = self.place
            told = f"✗ {place.follower} does not follow {place.leader} in this system"
            _update(self._meaning, appearance.text(told, Tone.BAD))
            return
        self._line.show_following(following, appearance, now, self.session.wall_clock())
        told = meaning(following, state, now, is_local=self.session.servers is not None)
        _update(self._meaning, Text(words.line(told), end=""))
        _update(self._facts, _facts(following, appearance))
        tone = Tone.PLAIN if following.stale_since is not None else state_tone(following.state)
        self._plot.show(state.positions(following.follower, following.leader), tone, now)
        self._show_error(following, state)
        self._offer(following)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offers what can be done to the following as it is, as far as it is allowed."""
        control = _CONTROLS.get(action)
        if control is not None:
            following = self._following
            if following is None or not is_applicable(control, following):
                return False
        elif action in _EVENT_ACTIONS and self.selected_event is None:
            return False
        return super().check_action(action, parameters)

    @on(EventDetail.Fetched)
    def offer_event(self) -> None:
        """Offers what can be done with the event, when it has been read."""
        following = self._following
        if following is not None:
            self._offer(following)

    # What can be done.

    @property
    def selected_event(self) -> EventAt | None:
        """The event that it fails on, as soon as that has been read."""
        return self._event.shown

    def action_open_event(self) -> None:
        """Shows the event that it fails on among those around it."""
        self.action_in_log()

    def action_retry(self) -> None:
        """Tries at once what would be tried again later."""
        self._control(ControlAction.RETRY)

    def action_skip(self) -> None:
        """Skips the event that it fails on, when the person is sure."""
        self._control(ControlAction.SKIP)

    def action_pause(self) -> None:
        """Lets it wait."""
        self._control(ControlAction.PAUSE)

    def action_resume(self) -> None:
        """Lets it go on."""
        self._control(ControlAction.RESUME)

    def action_leader(self) -> None:
        """Opens the log of the leader: where it goes on from, if it waits."""
        following = self._following
        status = following.status if following else None
        is_waiting = status is not None and status.state is not FollowingState.LIVE
        at = status.position if status and status.position and is_waiting else None
        self.post_message(Open(ApplicationPlace(self.place.leader, "log", at)))

    def action_follower(self) -> None:
        """Opens the followings of the follower."""
        self.post_message(Open(ApplicationPlace(self.place.follower, "followings")))

    def _control(self, action: ControlAction) -> None:
        following = self._following
        if following is not None:
            confirm_and_run(self.screen, self.session, action, following)

    def _offer(self, following: FollowingView) -> None:
        """Lets the footer show what can be done now, where that is something else."""
        is_read = self.selected_event is not None
        offered = is_read, *(is_applicable(action, following) for action in ControlAction)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    # What is known.

    @property
    def _following(self) -> FollowingView | None:
        place = self.place
        for following in self.session.operations.state.followings:
            if (following.follower, following.leader) == (place.follower, place.leader):
                return following
        return None

    def _show_error(self, following: FollowingView, state: SystemState) -> None:
        error = following.status.last_error if following.status else None
        self.set_class(error is None, "-no-error")
        if error is None:
            self._event.show(None)
            self._wanted = None
            return
        is_on_event = following.status is not None and (
            error.notification_id > following.status.read_through
        )
        is_over = following.state not in {
            FollowingState.FAILING,
            FollowingState.UNREACHABLE,
            FollowingState.DIVERGED,
        } and not (is_on_event and following.state is FollowingState.PAUSED)
        self._error.show_error(following.leader, error, is_over=is_over)
        if not error.notification_id:
            self._event.display = False
            self._wanted = None
            return
        self._event.display = True
        leader = state.applications.get(following.leader)
        is_leader_there = leader is not None and leader.health is not Health.UNREACHABLE
        wanted = error.notification_id, is_leader_there
        is_read = self._event.shown is not None
        if wanted != self._wanted:
            is_other = self._wanted is None or self._wanted[0] != error.notification_id
            self._wanted = wanted
            # What could not be read may be there by now.
            if is_other or not is_read:
                self._event.show_id(following.leader, error.notification_id)


def _facts(following: FollowingView, appearance: Appearance) -> Text:
    status = following.status
    is_stale = following.stale_since is not None
    is_head_stale = is_stale or following.head_stale_since is not None
    line = appearance.text("")
    seconds = status.lag_seconds if status else None
    behind = f", {words.duration(seconds)}" if seconds else ""
    rate = status.events_per_second if status and not is_stale else None
    facts = (
        ("position", words.number(status.position if status else None), is_stale),
        ("head", words.number(following.head), is_head_stale),
        ("lag", f"{words.number(following.lag)}{behind}", is_head_stale),
        ("events/s", words.rate(rate), is_stale),
    )
    for name, value, is_dim in facts:
        line.append(f"{name} ", "dim")
        line.append_text(appearance.text(value, is_dim=is_dim))
        line.append(_GAP)
    line.append(catch_up_words(following))
    return line


def _update(widget: Static, text: Text) -> None:
    content = Content.from_rich_text(text)
    if widget.content != content:
        widget.update(content)
