"""Pausing, resuming and retrying followings: nothing is lost, nothing is repeated, nobody waits."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from time import monotonic

import grpc
import pytest
from eventsourcing.persistence import Tracking

from eventsourcing_grpc.followers.following_control import FollowingControl
from tests.eventsourcing_grpc.steering import (
    DIVERGED,
    FAILING,
    LIVE,
    PAUSED,
    UNREACHABLE,
    Gated,
    Refused,
    Steering,
    following_fussily,
    gated,
    stop_at,
)
from tests.serving import InBackground
from tests.system.applications import Letters
from tests.system.serving import Operator, application_of, pb, serving
from tests.waiting import DEADLINE

pytest_plugins = ["tests.eventsourcing_grpc.steering_fixtures"]


def test_paused_following_is_live_again_when_it_is_resumed(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        letters = application_of(server, Letters)
        letters.write_many(1, 3)
        operator.wait_for_position("Letters", 3)
        status = steering.pause()
        assert (status.state, status.position, status.lag_events) == (PAUSED, 3, 0)
        letters.write_many(4, 3)
        # It still hears how long the log has become, and how old is what it has not processed.
        status = operator.following(
            "Letters", lambda s: s.lag_events == 3 and s.HasField("lag_seconds")
        )
        assert (status.state, status.position) == (PAUSED, 3)
        assert 0 < status.lag_seconds < DEADLINE
        assert fussy.numbers() == [1, 2, 3]
        assert steering.resume().state != PAUSED
        operator.wait_for_position("Letters", 6)
        assert fussy.numbers() == [1, 2, 3, 4, 5, 6]


def test_pause_in_the_middle_of_a_batch_stops_after_the_event_in_process(
    memory_env: dict[str, str], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 100)
    with serving(Letters, memory_env) as server:
        application_of(server, Letters).write_at_once(1, 700)
        with (
            serving(Gated, memory_env, gated) as follower,
            Operator(follower.address) as operator,
            Steering(follower.address) as steering,
        ):
            assert Gated.has_come.wait(DEADLINE)
            started = monotonic()
            status = steering.pause()
            # It only asks, since nobody knows how long the policy takes.
            assert monotonic() - started < 5
            assert (status.state, status.position) == (pb.FOLLOWING_STATE_CATCHING_UP, 99)
            gate.set()
            status = operator.wait_for_state("Letters", PAUSED)
            assert (status.position, status.read_through, status.head) == (100, 100, 700)
            application_of(server, Letters).write(701)
            status = operator.following("Letters", lambda status: status.head == 701)
            assert (status.state, status.position) == (PAUSED, 100)
            steering.resume()
            operator.wait_for_position("Letters", 701)
            assert application_of(follower, Gated).numbers() == list(range(1, 702))


def test_pausing_twice_and_resuming_twice_change_nothing(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env),
        following_fussily(memory_env) as (_, operator, steering),
    ):
        operator.wait_for_state("Letters", LIVE)
        assert steering.resume().state == LIVE
        first = steering.pause()
        assert steering.pause() == first
        steering.resume()
        operator.wait_for_state("Letters", LIVE)


def test_paused_following_stays_paused_while_its_leader_is_restarted(
    sqlite_env: dict[str, str],
) -> None:
    with following_fussily(sqlite_env) as (fussy, operator, steering):
        with serving(Letters, sqlite_env) as server:
            application_of(server, Letters).write_many(1, 5)
            operator.wait_for_position("Letters", 5)
            steering.pause()
        with serving(Letters, sqlite_env) as server:
            application_of(server, Letters).write_many(6, 5)
            status = operator.following("Letters", lambda status: status.head == 10)
            assert (status.state, status.position) == (PAUSED, 5)
            steering.resume()
            operator.wait_for_position("Letters", 10)
            assert fussy.numbers() == list(range(1, 11))


def test_following_is_paused_while_its_leader_is_away(memory_env: dict[str, str]) -> None:
    with following_fussily(memory_env) as (fussy, operator, steering):
        operator.wait_for_state("Letters", UNREACHABLE)
        assert steering.pause().state == PAUSED
        with serving(Letters, memory_env) as server:
            application_of(server, Letters).write(1)
            status = operator.following("Letters", lambda status: status.head == 1)
            assert (status.state, status.position) == (PAUSED, 0)
            steering.resume()
            operator.wait_for_position("Letters", 1)
        assert fussy.numbers() == [1]


def test_pause_does_not_outlive_the_server(sqlite_env: dict[str, str]) -> None:
    with serving(Letters, sqlite_env) as server:
        with following_fussily(sqlite_env) as (_, operator, steering):
            steering.pause()
            operator.wait_for_state("Letters", PAUSED)
        application_of(server, Letters).write(1)
        with following_fussily(sqlite_env) as (_, operator, _):
            operator.wait_for_position("Letters", 1)


def test_paused_while_failing_it_goes_on_with_the_same_event(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(2)
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        application_of(server, Letters).write_many(1, 3)
        operator.following("Letters", lambda status: status.last_error.attempts >= 3)
        paused = steering.pause()
        assert (paused.state, paused.position) == (PAUSED, 1)
        # What it fails on is still to be seen, but nothing waits to be tried.
        assert paused.last_error.notification_id == 2
        assert not paused.last_error.HasField("next_try_at")
        steering.resume()
        status = operator.wait_for_state("Letters", FAILING)
        # Attempts go on being counted.
        assert status.last_error.attempts > paused.last_error.attempts
        assert status.last_error.first_at == paused.last_error.first_at
        poisonous.clear()
        steering.retry()
        operator.wait_for_position("Letters", 3)
        assert fussy.numbers() == [1, 2, 3]


def test_retry_does_not_wait_for_the_next_try(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        application_of(server, Letters).write(1)
        status = operator.wait_for_state("Letters", FAILING)
        while status.last_error.attempts < 9:
            attempts = status.last_error.attempts
            status = steering.retry()
            assert status.state == FAILING
            assert status.last_error.attempts > attempts
        error = status.last_error
        delay = error.next_try_at.ToNanoseconds() - error.last_at.ToNanoseconds()
        assert delay == pytest.approx(0.1e9 * 2 ** (error.attempts - 1), rel=0.01)
        poisonous.clear()
        steering.retry()
        operator.wait_for_position("Letters", 1)
        assert error.next_try_at.ToSeconds() > operator.status().time.ToSeconds()
        assert fussy.numbers() == [1]


def test_retry_looks_for_a_leader_that_was_away(memory_env: dict[str, str]) -> None:
    with following_fussily(memory_env) as (_, operator, steering):
        operator.wait_for_state("Letters", UNREACHABLE)
        with serving(Letters, memory_env):
            steering.retry()
            operator.wait_for_state("Letters", LIVE)


def test_retry_looks_again_at_a_log_that_was_too_short(memory_env: dict[str, str]) -> None:
    with (
        following_fussily(memory_env, position=5) as (fussy, operator, steering),
        serving(Letters, memory_env) as server,
    ):
        application_of(server, Letters).write_many(1, 3)
        status = operator.wait_for_state("Letters", DIVERGED)
        assert "Restore it, then let Fussy retry" in status.last_error.message
        status = steering.retry()
        assert (status.state, status.position, status.head) == (DIVERGED, 5, 3)
        assert status.last_error.attempts == 2
        # Neither a pause nor time resolves it.
        assert steering.pause().state == PAUSED
        application_of(server, Letters).write_many(4, 3)
        assert steering.resume().state == DIVERGED
        operator.following("Letters", lambda s: (s.state, s.head) == (DIVERGED, 6))
        steering.retry()
        operator.wait_for_position("Letters", 6)
        assert fussy.numbers() == [6]


def test_nothing_to_retry_is_told_in_words(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env),
        following_fussily(memory_env) as (_, operator, steering),
    ):
        operator.wait_for_state("Letters", LIVE)
        with Refused() as refused:
            steering.retry()
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert "Fussy is live on Letters: there is nothing to retry" in refused.message
        steering.pause()
        with Refused() as refused:
            steering.retry()
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert "Fussy is paused on Letters: resume it" in refused.message


@pytest.mark.parametrize("state", ["LIVE", "PAUSED", "FAILING", "UNREACHABLE", "DIVERGED"])
def test_server_stops_at_once_in_every_state(
    memory_env: dict[str, str], poisonous: set[int], state: str
) -> None:
    if state == "FAILING":
        poisonous.add(1)
    with ExitStack() as others, ExitStack() as stack:
        _, operator, steering = stack.enter_context(
            following_fussily(memory_env, position=5 if state == "DIVERGED" else 0)
        )
        if state != "UNREACHABLE":
            server = others.enter_context(serving(Letters, memory_env))
            application_of(server, Letters).write(1)
        if state == "PAUSED":
            steering.pause()
        operator.wait_for_state("Letters", pb.FollowingState.Value(f"FOLLOWING_STATE_{state}"))
        if state == "FAILING":
            # Its next try is more than ten seconds away.
            while steering.retry().last_error.attempts < 8:
                pass
        started = monotonic()
        stack.close()
        # A policy that hangs would be waited for, for 1.5 s.
        assert monotonic() - started < 1.4


def test_storm_of_requests_loses_and_repeats_nothing(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    count = 400
    poisonous.update(range(50, count, 100))
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        skipped: list[int] = []
        is_over = threading.Event()

        def skip() -> None:
            if failing := operator.following("Letters").last_error.notification_id:
                steering.skip(failing)
                skipped.append(failing)

        def storm(seed: int) -> None:
            choice = random.Random(seed)
            requests: list[Callable[[], object]] = [
                steering.pause,
                steering.resume,
                steering.resume,
                steering.retry,
                skip,
            ]
            while not is_over.is_set():
                try:
                    choice.choice(requests)()
                except grpc.RpcError as e:
                    if "FollowingStateError" not in str(e):
                        raise

        storms = [InBackground(partial(storm, seed)) for seed in range(3)]
        try:
            application_of(server, Letters).write_many(1, count)
            operator.following("Letters", lambda status: status.position >= count - 60)
        finally:
            is_over.set()
        for each in storms:
            each.result()
        poisonous.clear()
        steering.resume()
        operator.wait_for_position("Letters", count)

        assert len(skipped) == len(set(skipped))
        assert skipped
        assert fussy.numbers() == [n for n in range(1, count + 1) if n not in skipped]


def test_another_instance_goes_on_while_one_is_paused(sqlite_env: dict[str, str]) -> None:
    with (
        serving(Letters, sqlite_env) as server,
        following_fussily(sqlite_env) as (fussy, operator, steering),
    ):
        steering.pause()
        operator.wait_for_state("Letters", PAUSED)
        application_of(server, Letters).write_many(1, 3)
        # What the other instance records.
        fussy.recorder.insert_tracking(Tracking("Letters", 2))
        steering.resume()
        operator.wait_for_position("Letters", 3)
        assert fussy.numbers() == [3]


def test_policy_that_hangs_makes_nobody_wait(
    memory_env: dict[str, str], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 1)
    with (
        serving(Letters, memory_env) as server,
        serving(Gated, memory_env, gated) as follower,
        Operator(follower.address) as operator,
        Steering(follower.address) as steering,
    ):
        application_of(server, Letters).write(1)
        assert Gated.has_come.wait(DEADLINE)
        started = monotonic()
        for _ in range(2):
            with Refused() as refused:
                steering.skip(1)
            assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
            assert "Letters #1 is being processed just now" in refused.message
            assert steering.pause().state != PAUSED
        assert monotonic() - started < 5
        # Asking again to go on, before it has paused, is no loss either.
        steering.resume()
        gate.set()
        operator.wait_for_position("Letters", 1)
        assert application_of(follower, Gated).numbers() == [1]


def idle_control() -> FollowingControl:
    return FollowingControl(listen=lambda: None, cancel=lambda: None)


def test_held_loop_rests_until_it_is_let_go() -> None:
    control = idle_control()
    resting = InBackground(lambda: control.rest(control.begin_round()))
    with control.hold(DEADLINE) as is_held:
        assert is_held
        assert control.wake(0)
        with control.hold(0) as is_held_twice:
            assert not is_held_twice
        assert resting.is_running
    resting.result()


def test_loop_does_not_rest_when_it_has_been_interrupted_before() -> None:
    control = idle_control()
    round_number = control.begin_round()
    control.pause()
    control.rest(round_number)
    assert control.is_paused


def test_loop_that_does_not_rest_can_be_neither_woken_nor_held() -> None:
    control = idle_control()
    assert not control.wake(0)
    with control.hold(0) as is_held:
        assert not is_held
