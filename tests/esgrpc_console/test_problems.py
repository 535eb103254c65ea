from dataclasses import replace

import pytest

from esgrpc_console.system_view import (
    FollowingError,
    FollowingState,
    Health,
    SystemState,
    find_problems,
    summarise,
)
from esgrpc_console.system_view.condition import Condition
from esgrpc_console.system_view.problems import standby_text
from esgrpc_console.system_view.views import RESTARTING, STOPPED_BY_YOU
from tests.esgrpc_console.fake_system import NOW, a_following, an_application, the_example


def _texts(state: SystemState) -> list[str]:
    return [problem.text for problem in find_problems(state, now=NOW)]


def _state(following_state: FollowingState, error: FollowingError | None = None) -> SystemState:
    state = SystemState()
    following = replace(a_following("Orders", 8012, 12402, following_state), last_error=error)
    state.put(an_application("Orders", 50051, head=12402))
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    return state


def test_a_system_without_problems_is_summarised() -> None:
    state = the_example().state
    assert _texts(state) == []
    assert summarise(state) == "all is well: 3 applications, 4 followings, all caught up"


def test_a_failing_policy_is_told_with_event_age_and_error() -> None:
    error = FollowingError(
        "AssertionError", "already\npaid", notification_id=8013, failing_since=NOW - 130
    )
    assert _texts(_state(FollowingState.FAILING, error)) == [
        "Payments has been failing on Orders #8,013 for 2m 10s: AssertionError: already␊paid"
    ]


def test_an_unreachable_server_comes_before_what_follows_from_it() -> None:
    state = _state(FollowingState.UNREACHABLE)
    state.lose("Orders", "connection refused", since=NOW - 12)
    assert _texts(state) == [
        "Orders has been unreachable on localhost:50051 for 12s: connection refused",
        "Payments has not reached Orders for 2m 10s",
    ]


@pytest.mark.parametrize(
    ("error_class", "told"),
    [
        ("ServiceUnavailable", "Payments has not reached Orders for 2m 10s: it␊is so"),
        ("PermissionDeniedError", "Payments may not follow Orders: it␊is so"),
    ],
)
def test_a_leader_that_serves_and_is_not_reached_is_told_with_the_reason(
    error_class: str, told: str
) -> None:
    error = FollowingError(error_class, "it\nis so")
    assert _texts(_state(FollowingState.UNREACHABLE, error)) == [told]


def test_a_server_that_died_is_said_to_have_died() -> None:
    state = _state(FollowingState.LIVE)
    state.set_ending("Payments", "by SIGKILL")
    assert _texts(state) == []
    state.lose("Payments", "connection refused", since=NOW - 3)
    assert _texts(state) == ["the server of Payments died 3s ago, by SIGKILL"]


def test_a_server_that_was_stopped_is_not_said_to_have_died() -> None:
    state = _state(FollowingState.LIVE)
    state.lose("Payments", "connection refused", since=NOW - 3)
    state.set_ending("Payments", STOPPED_BY_YOU)
    assert _texts(state) == ["the server of Payments was stopped by you 3s ago"]
    state.set_ending("Payments", RESTARTING)
    assert _texts(state) == ["the server of Payments is being restarted by you"]


def test_divergence_is_told_with_both_numbers() -> None:
    state = SystemState()
    following = a_following("Orders", 8012, 5, FollowingState.DIVERGED)
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    (text,) = _texts(state)
    assert "8,012" in text
    assert "head 5" in text


def test_a_server_that_does_not_serve_is_a_problem() -> None:
    state = the_example().state
    state.set_health("Orders", Health.NOT_SERVING)
    assert _texts(state) == ["Orders says that it is not serving"]


def test_a_log_that_cannot_be_read_is_a_problem() -> None:
    state = the_example().state
    status = state.applications["Orders"].status
    assert status is not None
    state.hear("Orders", replace(status, log_error="disk I/O error"))
    assert _texts(state) == ["Orders's log can't be read: disk I/O error"]


def test_a_small_lag_is_no_problem_and_a_great_one_is() -> None:
    state = _state(FollowingState.CATCHING_UP)
    assert _texts(state) == ["Payments is catching up with Orders: 4,390 events behind"]
    following = a_following("Orders", 12400, 12402, FollowingState.CATCHING_UP)
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    assert _texts(state) == []
    assert summarise(state).endswith("2 events behind")


def test_standing_by_is_no_problem_and_says_who_follows() -> None:
    following = replace(
        a_following("Orders", 8012, 12402, FollowingState.STANDBY),
        followed_by="payments-0, process 7",
    )
    state = _state(FollowingState.STANDBY)
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    assert _texts(state) == []
    assert standby_text(state.followings[0]) == "followed by payments-0, process 7"
    assert Condition.of(state, NOW).is_healthy


def test_pause_of_one_server_while_another_follows_is_told_with_which() -> None:
    following = replace(
        a_following("Orders", 8012, 12402, FollowingState.PAUSED),
        followed_by="payments-1, process 7",
    )
    state = _state(FollowingState.PAUSED)
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    assert _texts(state) == [
        "Payments is paused on the server that is asked, but payments-1, process 7 may follow "
        "Orders"
    ]
    assert standby_text(state.followings[0]) == "followed by payments-1, process 7"


def test_standing_by_one_that_does_not_get_on_is_a_problem() -> None:
    following = replace(
        a_following("Orders", 8012, 12402, FollowingState.STANDBY),
        followed_by="payments-0, process 7",
        lag_seconds=45.0,
    )
    state = _state(FollowingState.STANDBY)
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    said = "Payments has been behind Orders for 45s: payments-0, process 7 follows, and is not asked here"
    assert _texts(state) == [said]
    assert Condition.of(state, NOW).illnesses == (said,)


def test_a_failing_policy_is_told_with_where_to_go() -> None:
    error = FollowingError("AssertionError", "already paid", notification_id=8013)
    (problem,) = find_problems(_state(FollowingState.FAILING, error), now=NOW)
    assert (problem.application, problem.leader, problem.notification_id) == (
        "Payments",
        "Orders",
        8013,
    )
    (paused,) = find_problems(_state(FollowingState.PAUSED, error), now=NOW)
    assert paused.notification_id == 0


def test_an_error_of_a_megabyte_is_shortened() -> None:
    error = FollowingError("ValueError", "x" * 1_000_000)
    (text,) = _texts(_state(FollowingState.FAILING, error))
    assert len(text) < 600
    assert text.endswith("x…")
