from dataclasses import replace

import pytest

from esgrpc_console.system_view import (
    Condition,
    FollowingError,
    FollowingState,
    Health,
    SystemState,
)
from tests.esgrpc_console.fake_system import NOW, a_following, an_application, the_example


def _state(
    following_state: FollowingState = FollowingState.LIVE,
    *,
    read: int = 12,
    heard: int = 12,
    told: int = 12,
    lag_seconds: float | None = 0.0,
) -> SystemState:
    following = replace(
        a_following("Orders", read, heard, following_state), lag_seconds=lag_seconds
    )
    state = SystemState()
    state.put(an_application("Orders", 50051, head=told))
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    return state


def _condition(state: SystemState) -> Condition:
    return Condition.of(state, NOW)


def test_a_system_in_which_all_is_well_is_healthy_and_caught_up() -> None:
    condition = _condition(the_example().state)
    assert condition == Condition((), (), True, 0, 0.0, ())
    assert (condition.is_healthy, condition.is_caught_up) == (True, True)


def test_a_lag_is_not_caught_up_and_no_illness() -> None:
    condition = _condition(_state(FollowingState.CATCHING_UP, read=8, lag_seconds=3.5))
    arrears = ("Payments is 4 events behind Orders (catching up)",)
    assert condition == Condition((), arrears, True, 4, 3.5, ())
    assert (condition.is_healthy, condition.is_caught_up) == (True, False)


def test_a_follower_that_has_not_heard_of_the_newest_event_is_not_caught_up() -> None:
    condition = _condition(_state(told=13))
    assert not condition.is_caught_up
    assert condition.max_lag_events == 0


def test_heads_that_are_read_from_logs_count_instead_of_what_was_told() -> None:
    state = _state(told=13)
    assert Condition.of(state, NOW, {"Orders": 12}).is_caught_up
    assert not Condition.of(state, NOW, {"Orders": 13}).is_caught_up
    assert not Condition.of(state, NOW, {}).is_caught_up


@pytest.mark.parametrize(
    ("following_state", "is_healthy", "is_caught_up"),
    [
        (FollowingState.LIVE, True, True),
        (FollowingState.CATCHING_UP, True, True),
        (FollowingState.PAUSED, True, True),
        (FollowingState.CONNECTING, True, False),
        (FollowingState.FAILING, False, True),
        (FollowingState.UNREACHABLE, False, False),
        (FollowingState.DIVERGED, False, False),
        (FollowingState.STANDBY, True, True),
    ],
)
def test_a_stuck_following_is_an_illness_and_one_that_is_cut_off_is_not_caught_up(
    following_state: FollowingState, is_healthy: bool, is_caught_up: bool
) -> None:
    condition = _condition(_state(following_state))
    assert (condition.is_healthy, condition.is_caught_up) == (is_healthy, is_caught_up)


@pytest.mark.parametrize("name", ["Orders", "Payments"])
def test_what_is_not_known_is_neither_healthy_nor_caught_up(name: str) -> None:
    state = _state()
    state.lose(name, "connection refused", since=NOW - 5)
    condition = _condition(state)
    assert not condition.is_healthy
    assert not condition.is_caught_up
    # A follower that is live hears its leader, also when this view does not.
    assert condition.is_lag_known is (name == "Orders")
    assert [problem.application for problem in condition.problems] == [name]


def test_a_system_of_which_nothing_is_known_is_not_well() -> None:
    condition = _condition(SystemState())
    assert (condition.is_healthy, condition.is_caught_up) == (False, False)


def test_an_application_that_has_not_been_heard_is_not_well() -> None:
    state = SystemState()
    state.put(replace(an_application("Shop", 1), status=None, health=Health.CONNECTING))
    condition = _condition(state)
    assert (condition.is_healthy, condition.is_caught_up) == (False, False)


def test_a_following_that_its_follower_says_nothing_of_is_not_caught_up() -> None:
    state = SystemState()
    state.put(an_application("Orders", 50051, head=12))
    state.put(an_application("Payments", 50053, follows=["Orders"]))
    condition = _condition(state)
    assert not condition.is_caught_up
    assert condition.max_lag_seconds is None


def test_a_lag_of_unknown_age_has_no_seconds() -> None:
    condition = _condition(_state(FollowingState.FAILING, read=8, lag_seconds=None))
    assert (condition.max_lag_events, condition.max_lag_seconds) == (4, None)


def test_a_log_that_cannot_be_read_is_an_illness() -> None:
    state = the_example().state
    status = state.applications["Orders"].status
    assert status is not None
    state.hear("Orders", replace(status, log_error="disk I/O error"))
    assert not _condition(state).is_healthy


def test_problems_are_told_the_worst_first() -> None:
    state = _state(FollowingState.FAILING)
    error = FollowingError("AssertionError", "already paid", notification_id=13)
    payments = state.applications["Payments"]
    assert payments.status is not None
    following = replace(payments.status.followings[0], last_error=error)
    state.hear("Payments", replace(payments.status, followings=(following,)))
    state.set_health("Orders", Health.NOT_SERVING)
    assert [problem.notification_id for problem in _condition(state).problems] == [0, 13]
