"""Tests of what is said of a following: what its state means, and what to do now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from esgrpc_console.system_view import FollowingState, FollowingView, Health
from esgrpc_console.tui.following_words import (
    catch_up_words,
    lag_words,
    meaning,
    since_words,
    try_words,
)
from tests.esgrpc_console.fake_system import NOW, FakeSystem, a_following
from tests.esgrpc_console.tui.followings import (
    a_failing_following,
    a_system_with,
    an_error,
    payments,
    put,
)

MIDNIGHT = datetime(2026, 11, 23, 0, 1, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def _following(state: FollowingState, lag: int = 5) -> FollowingView:
    return payments(a_system_with(a_following("Orders", 12 - lag, 12, state)))


def _meaning(system: FakeSystem, *, is_local: bool = False) -> str:
    return meaning(payments(system), system.state, NOW, is_local=is_local)


def test_since_when_is_told_as_time_of_the_day_and_with_the_date_of_another() -> None:
    failing = payments(a_system_with(a_failing_following()))
    assert since_words(failing, NOW, NOON) == "since 11:57:50"
    assert since_words(failing, NOW, MIDNIGHT) == "since 2026-11-22 23:58"
    paused = _following(FollowingState.PAUSED)
    assert since_words(paused, NOW + 10, NOON) == "since 11:57:40"


def test_the_next_try_is_counted_down() -> None:
    failing = payments(a_system_with(a_failing_following()))
    assert try_words(failing, NOW) == "attempt 11   next try in 22s"
    assert try_words(failing, NOW + 20.5) == "attempt 11   next try in 1s"
    assert try_words(failing, NOW + 22) == "attempt 11   trying"
    assert try_words(_following(FollowingState.LIVE), NOW) == ""
    # An error that is over is tried no more.
    over = replace(a_following("Orders", 12, 12), last_error=an_error())
    assert try_words(payments(a_system_with(over)), NOW) == ""


@pytest.mark.parametrize(
    ("growth", "lag", "catch_up"),
    [
        (310.4, "lag 4,390, growing 310/s", "not catching up"),
        (-310.4, "lag 4,390, shrinking 310/s", "caught up in 15s"),
        (0.0, "lag 4,390, steady", "caught up in –"),
        (None, "lag 4,390", "caught up in –"),
    ],
)
def test_the_lag_is_told_with_where_it_goes(growth: float | None, lag: str, catch_up: str) -> None:
    following = replace(
        _following(FollowingState.CATCHING_UP),
        lag=4390,
        lag_growth=growth,
        catch_up_seconds=4390 / -growth if growth and growth < 0 else None,
    )
    assert lag_words(following) == lag
    assert catch_up_words(following) == catch_up


def test_who_processes_nothing_is_not_said_to_catch_up() -> None:
    for state in (FollowingState.FAILING, FollowingState.PAUSED, FollowingState.DIVERGED):
        assert catch_up_words(_following(state)) == ""
    assert catch_up_words(_following(FollowingState.LIVE, lag=0)) == "caught up"
    assert lag_words(_following(FollowingState.DIVERGED, lag=0)) == "beyond the head"
    assert lag_words(replace(_following(FollowingState.LIVE), lag=None)) == "lag not known"


def test_a_lag_that_may_be_another_by_now_is_said_to_be_old() -> None:
    system = a_system_with(a_following("Orders", 7, 12, FollowingState.UNREACHABLE))
    system.state.lose("Orders", "connection refused", since=NOW - 3)
    assert lag_words(payments(system)) == "lag 5, as last heard"
    put(system, a_following("Orders", 12, 12, FollowingState.UNREACHABLE))
    assert lag_words(payments(system)) == "caught up, as last heard"


def test_a_failing_one_is_to_be_mended_or_to_skip() -> None:
    told = _meaning(a_system_with(a_failing_following()))
    assert "raises an error on Orders #8,013" in told
    assert "retry (r), or skip the event (s)" in told


def test_one_without_its_database_says_what_is_wrong_with_that() -> None:
    error = an_error(
        error_class="OperationalError", message="PostgreSQL can't be reached", notification_id=0
    )
    following = replace(a_following("Orders", 7, 12, FollowingState.FAILING), last_error=error)
    told = _meaning(a_system_with(following))
    assert told == "It can't go on: PostgreSQL can't be reached. It tries again by itself."


def test_one_on_standby_says_who_follows() -> None:
    following = replace(
        a_following("Orders", 7, 12, FollowingState.STANDBY), followed_by="payments-0, process 7"
    )
    told = _meaning(a_system_with(following))
    assert "Another server of Payments follows Orders (payments-0, process 7)." in told


def test_a_diverged_one_needs_its_leader_s_store_back() -> None:
    told = _meaning(a_system_with(a_following("Orders", 8012, 5, FollowingState.DIVERGED)))
    assert "Its position 8,012 is beyond the head 5 of Orders" in told
    assert "Restore the store of Orders, then retry (r)." in told


def test_a_paused_one_says_where_it_waits() -> None:
    told = _meaning(a_system_with(a_following("Orders", 7, 12, FollowingState.PAUSED)))
    assert "stays at position 7 until it is resumed (R)" in told


def test_one_that_can_not_reach_its_leader_says_whether_the_console_can() -> None:
    error = an_error(
        error_class="ServiceUnavailable", message="connection refused", notification_id=0
    )
    following = replace(a_following("Orders", 7, 12, FollowingState.UNREACHABLE), last_error=error)
    system = a_system_with(following)
    assert "It can't reach Orders: connection refused. It reconnects by itself." in _meaning(system)
    assert "This console does reach it, on localhost:50051: see whether Payments" in _meaning(
        system
    )
    system.state.lose("Orders", "connection refused", since=NOW - 3)
    told = _meaning(system, is_local=True)
    assert "Nor can this console: Orders is what to look at (O shows what it wrote" in told
    system.state.set_health("Orders", Health.CONNECTING)
    assert _meaning(system).endswith("It reconnects by itself.")


def test_a_stale_one_says_how_old_it_is_and_why() -> None:
    system = a_system_with(a_failing_following())
    system.state.lose("Payments", "connection refused", since=NOW - 12)
    told = _meaning(system)
    assert told.startswith("Payments has not been heard for 12s: connection refused.")
    assert "What is shown here is from then." in told


@pytest.mark.parametrize(
    "state", [FollowingState.LIVE, FollowingState.CATCHING_UP, FollowingState.CONNECTING]
)
def test_healthy_ones_say_what_they_do(state: FollowingState) -> None:
    assert "Orders" in _meaning(a_system_with(a_following("Orders", 7, 12, state)))
