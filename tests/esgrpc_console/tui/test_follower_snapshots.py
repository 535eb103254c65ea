"""Pictures of the screen of one follower, in each of its states."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from esgrpc_console.system_view import FollowingState, FollowingStatus
from esgrpc_console.tui.places import FollowingPlace, Open
from tests.esgrpc_console.fake_system import NOW, FakeSystem, a_following, console_on
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.followings import a_failing_following, a_system_with, an_error
from tests.esgrpc_console.tui.snapshots import SIZES, Compare


def compare(snap_compare: Compare, size: tuple[int, int], system: FakeSystem, *texts: str) -> bool:
    """Compares the screen, as soon as some texts are on it."""

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "FOLLOWER")
        pilot.app.screen.post_message(Open(FollowingPlace("Payments", "Orders")))
        await wait_for_text(pilot, "Payments ← Orders", "the last 14m 56s", *texts)
        await pilot.pause()

    return snap_compare(console_on(system), terminal_size=size, run_before=run_before)


def _with_state(state: FollowingState, position: int = 8012, **changes: object) -> FollowingStatus:
    return replace(a_following("Orders", position, 12402, state), **changes)  # type: ignore[arg-type]


@SIZES
def test_failing(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_system_with(a_failing_following())
    assert compare(snap_compare, size, system, "Order.Reserved", "event in log")


@SIZES
def test_live(snap_compare: Compare, size: tuple[int, int]) -> None:
    following = _with_state(FollowingState.LIVE, 12402, events_per_second=309.7)
    assert compare(snap_compare, size, a_system_with(following), "● live", "p pause")


@SIZES
def test_catching_up(snap_compare: Compare, size: tuple[int, int]) -> None:
    following = _with_state(
        FollowingState.CATCHING_UP, 12102, events_per_second=640.2, lag_seconds=1.4
    )
    assert compare(snap_compare, size, a_system_with(following), "◐ catching up", "p pause")


@SIZES
def test_paused(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_system_with(_with_state(FollowingState.PAUSED, lag_seconds=130.0))
    assert compare(snap_compare, size, system, "‖ paused", "R resume")


@SIZES
def test_diverged(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_system_with(a_following("Orders", 12402, 5, FollowingState.DIVERGED))
    assert compare(snap_compare, size, system, "≠ diverged", "r retry now")


@SIZES
def test_unreachable(snap_compare: Compare, size: tuple[int, int]) -> None:
    error = an_error(
        error_class="ServiceUnavailable",
        message="Orders on localhost:50051 is unavailable: connection refused",
        notification_id=0,
        traceback="",
    )
    system = a_system_with(_with_state(FollowingState.UNREACHABLE, last_error=error))
    system.state.lose("Orders", "connection refused", since=NOW - 130)
    assert compare(snap_compare, size, system, "○ unreachable", "r retry now")


@SIZES
def test_stale(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_system_with(a_failing_following())
    system.state.lose("Payments", "connection refused", since=NOW - 12)
    assert compare(snap_compare, size, system, "stale for 12s", "Order.Reserved", "event in log")
