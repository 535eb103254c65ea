"""Tests of the follower's loop: in order, exactly once, again after errors, and never silently."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import Tracking

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import start_server_subprocess
from tests.system import applications
from tests.system.applications import (
    Copies,
    Fussy,
    Letters,
    Memos,
    Signatures,
)
from tests.system.serving import Operator, application_of, pb, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

CLASSES = (Letters, Memos, Copies, Fussy, Signatures)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Addresses, and a SQLite file for each application."""
    return {
        **addresses_of(*CLASSES),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        **{
            f"{cls.name.upper()}_SQLITE_DBNAME": str(tmp_path / f"{cls.name.lower()}.db")
            for cls in CLASSES
        },
    }


@pytest.fixture
def memory_env() -> dict[str, str]:
    """Addresses of applications that are recorded in memory."""
    return addresses_of(*CLASSES)


@pytest.fixture(autouse=True)
def poisonous() -> Iterator[set[int]]:
    """The numbers of letters that a Fussy does not process."""
    yield Fussy.poisonous
    Fussy.poisonous.clear()


def test_follower_processes_what_was_recorded_before_it_started(env: dict[str, str]) -> None:
    with serving(Letters, env) as server:
        application_of(server, Letters).write_many(1, 30)
        with (
            serving(Copies, env, applications.one_way) as follower,
            Operator(follower.address) as operator,
        ):
            operator.wait_for_position("Letters", 30)
            assert application_of(follower, Copies).numbers() == list(range(1, 31))


def test_follower_processes_what_is_recorded_while_it_follows(env: dict[str, str]) -> None:
    with (
        serving(Letters, env) as server,
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_LIVE)
        application_of(server, Letters).write_many(1, 30)
        operator.wait_for_position("Letters", 30)

        assert application_of(follower, Copies).numbers() == list(range(1, 31))


def test_follower_that_is_caught_up_says_so(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        serving(Copies, memory_env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write_many(1, 5)
        status = operator.wait_for_position("Letters", 5)

    assert (status.position, status.read_through, status.head) == (5, 5, 5)
    assert status.lag_events == 0
    assert status.HasField("lag_seconds")
    assert status.lag_seconds == 0
    assert not status.HasField("last_error")
    assert status.leader_address == memory_env["LETTERS_GRPC_SERVER_ADDRESS"]


def test_why_a_leader_can_not_be_reached_is_looked_at_again(
    memory_env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(Copies, memory_env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        with serving(Letters, memory_env) as server:
            application_of(server, Letters).write(1)
            operator.wait_for_position("Letters", 1)
        # Not what it heard when the leader stopped, as long as it is gone.
        refused = operator.following(
            "Letters", lambda following: "refused" in following.last_error.message
        )
        assert refused.state == pb.FOLLOWING_STATE_UNREACHABLE
    assert "refused" in caplog.text


def test_follower_started_before_its_leader_waits_for_it(memory_env: dict[str, str]) -> None:
    with (
        serving(Copies, memory_env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        status = operator.wait_for_state("Letters", pb.FOLLOWING_STATE_UNREACHABLE)
        assert status.last_error.error_class == "ServiceUnavailable"
        assert memory_env["LETTERS_GRPC_SERVER_ADDRESS"] in status.last_error.message
        assert status.last_error.notification_id == 0
        with serving(Letters, memory_env) as server:
            application_of(server, Letters).write(1)
            status = operator.wait_for_position("Letters", 1)

    assert not status.HasField("last_error")


def test_leader_that_is_just_starting_is_not_called_unreachable(
    memory_env: dict[str, str],
) -> None:
    with (
        serving(Copies, memory_env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        assert operator.following("Letters").state == pb.FOLLOWING_STATE_CONNECTING
        with serving(Letters, memory_env):
            status = operator.wait_for_state("Letters", pb.FOLLOWING_STATE_LIVE)

    assert not status.HasField("last_error")


def test_leader_restarted_on_its_address_is_followed_again(env: dict[str, str]) -> None:
    with (
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        with serving(Letters, env) as server:
            application_of(server, Letters).write_many(1, 10)
            operator.wait_for_position("Letters", 10)
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_UNREACHABLE)
        with serving(Letters, env) as server:
            application_of(server, Letters).write_many(11, 10)
            seconds = wait_until(
                lambda: operator.status().followings[0].position == 20, "followed again"
            )

        # 2.5 s where nothing else is going on.
        assert seconds < 5
        assert application_of(follower, Copies).numbers() == list(range(1, 21))


def test_leader_killed_and_restarted_is_followed_again(env: dict[str, str]) -> None:
    with (
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        process = start_server_subprocess(Letters, env)
        with connect(Letters, env, max_attempts=10) as letters:
            letters.app.write_many(1, 10)
        operator.wait_for_position("Letters", 10)
        os.kill(process.pid, signal.SIGKILL)
        process.stop()
        with serving(Letters, env) as server:
            application_of(server, Letters).write_many(11, 10)
            operator.wait_for_position("Letters", 20)

            assert application_of(follower, Copies).numbers() == list(range(1, 21))


def test_stopped_follower_goes_on_where_it_was(env: dict[str, str]) -> None:
    with serving(Letters, env) as server:
        application_of(server, Letters).write_many(1, 500)
        for _ in range(3):
            with serving(Copies, env, applications.one_way) as follower:
                # Stopped in the middle of it.
                wait_until(application_of(follower, Copies).numbers)
        with (
            serving(Copies, env, applications.one_way) as follower,
            Operator(follower.address) as operator,
        ):
            operator.wait_for_position("Letters", 500)
            assert application_of(follower, Copies).numbers() == list(range(1, 501))


def test_policy_that_raises_is_tried_again_at_the_same_event(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(3)
    with (
        serving(Letters, memory_env) as server,
        serving(Fussy, memory_env, applications.fussy) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write_many(1, 5)
        # The third may have failed before the others were written.
        status = operator.following(
            "Letters", lambda status: status.last_error.attempts >= 3 and status.head == 5
        )
        error = status.last_error

        assert status.state == pb.FOLLOWING_STATE_FAILING
        assert (status.position, status.read_through, status.lag_events) == (2, 2, 3)
        assert status.lag_seconds > 0
        assert (error.error_class, error.message) == ("PoisonError", "letter 3 is poisonous")
        assert "raise PoisonError(msg)" in error.traceback
        assert error.notification_id == 3
        assert error.first_at.ToNanoseconds() < error.last_at.ToNanoseconds()
        # Doubled twice.
        delay = error.next_try_at.ToNanoseconds() - error.last_at.ToNanoseconds()
        assert delay == pytest.approx(0.1e9 * 2 ** (error.attempts - 1), rel=0.01)
        assert application_of(follower, Fussy).numbers() == [1, 2]


def test_follower_recovers_when_its_policy_stops_raising(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.update((2, 3))
    with (
        serving(Letters, memory_env) as server,
        serving(Fussy, memory_env, applications.fussy) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write_many(1, 5)
        operator.following("Letters", lambda status: status.last_error.notification_id == 2)
        poisonous.remove(2)
        # An error at another event is another error.
        status = operator.following("Letters", lambda s: s.last_error.notification_id == 3)
        assert status.last_error.first_at.ToNanoseconds() >= status.state_since.ToNanoseconds()
        poisonous.remove(3)
        status = operator.wait_for_position("Letters", 5)

        assert not status.HasField("last_error")
        assert application_of(follower, Fussy).numbers() == [1, 2, 3, 4, 5]


def test_failing_on_one_leader_does_not_stop_following_another(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    with (
        serving(Letters, memory_env) as letters,
        serving(Memos, memory_env) as memos,
        serving(Fussy, memory_env, applications.two_leaders) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(letters, Letters).write_many(1, 3)
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
        application_of(memos, Memos).write_many(1_001, 3)
        operator.wait_for_position("Memos", 3)

        assert operator.following("Letters").state == pb.FOLLOWING_STATE_FAILING
        assert application_of(follower, Fussy).numbers() == [1_001, 1_002, 1_003]


def test_failing_follower_still_hears_how_long_the_log_becomes(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    with (
        serving(Letters, memory_env) as server,
        serving(Fussy, memory_env, applications.fussy) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write(1)
        operator.following("Letters", lambda status: status.last_error.attempts >= 5)
        application_of(server, Letters).write_many(2, 9)
        status = operator.following("Letters", lambda status: status.head == 10)

    assert (status.state, status.lag_events) == (pb.FOLLOWING_STATE_FAILING, 10)


def test_server_stops_while_its_follower_is_failing(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    with (
        serving(Letters, memory_env) as server,
        serving(Fussy, memory_env, applications.fussy) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write(1)
        operator.following("Letters", lambda status: status.last_error.attempts >= 4)
        follower.stop()
        assert follower.has_stopped.wait(3)


def test_follower_with_topics_records_how_far_it_has_read(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        serving(Signatures, memory_env, applications.filtered) as follower,
        Operator(follower.address) as operator,
    ):
        letters = application_of(server, Letters)
        signatures = application_of(follower, Signatures)
        letters.sign(letters.write(1), 1)
        letters.write_at_once(2, 3_000)
        signatures.recorder.wait("Letters", 3_002, timeout=DEADLINE)
        status = operator.wait_for_position("Letters", 3_002)

        assert (status.position, status.head, status.lag_events) == (3_002, 3_002, 0)
        assert signatures.recorder.max_tracking_id("Letters") == 3_002
        assert signatures.numbers() == [1]


def test_follower_with_topics_processes_what_matches_among_what_does_not(
    env: dict[str, str],
) -> None:
    with serving(Letters, env) as server:
        letters = application_of(server, Letters)
        letters.write_at_once(1, 2_500)
        letters.sign(letters.write(1), 7)
        with (
            serving(Signatures, env, applications.filtered) as follower,
            Operator(follower.address) as operator,
        ):
            operator.wait_for_position("Letters", 2_502)
            letters.write_at_once(1, 2_500)
            letters.sign(letters.write(1), 8)
            operator.wait_for_position("Letters", 5_004)

            assert application_of(follower, Signatures).numbers() == [7, 8]


def test_log_that_is_shorter_than_the_position_is_never_followed(
    env: dict[str, str], tmp_path: Path
) -> None:
    with (
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        with serving(Letters, env) as server:
            application_of(server, Letters).write_many(1, 5)
            operator.wait_for_position("Letters", 5)
        replaced = {**env, "LETTERS_SQLITE_DBNAME": str(tmp_path / "replaced.db")}
        with serving(Letters, replaced) as server:
            application_of(server, Letters).write_many(101, 3)
            # It may have been found out before all of them were written.
            operator.wait_for_state("Letters", pb.FOLLOWING_STATE_DIVERGED)
            status = operator.following("Letters", lambda status: status.head == 3)
            assert status.state == pb.FOLLOWING_STATE_DIVERGED
            assert status.position == 5
            assert "its store was lost or replaced" in status.last_error.message
            assert not status.last_error.HasField("next_try_at")
            # Nor when the log has become as long as it was.
            application_of(server, Letters).write_many(104, 7)
            status = operator.following("Letters", lambda status: status.head == 10)

        assert status.state == pb.FOLLOWING_STATE_DIVERGED
        assert status.position == 5
        assert application_of(follower, Copies).numbers() == [1, 2, 3, 4, 5]


def test_log_that_was_replaced_while_the_follower_was_away_is_not_followed(
    env: dict[str, str], tmp_path: Path
) -> None:
    with serving(Letters, env) as server, serving(Copies, env, applications.one_way) as follower:
        application_of(server, Letters).write_many(1, 5)
        application_of(follower, Copies).recorder.wait("Letters", 5, timeout=DEADLINE)
    replaced = {**env, "LETTERS_SQLITE_DBNAME": str(tmp_path / "replaced.db")}
    with (
        serving(Letters, replaced),
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_DIVERGED)


def test_another_application_on_the_leader_s_address_is_not_followed(
    memory_env: dict[str, str],
) -> None:
    wrong = {**memory_env, "MEMOS_GRPC_SERVER_ADDRESS": memory_env["LETTERS_GRPC_SERVER_ADDRESS"]}
    with (
        serving(Memos, wrong) as server,
        serving(Copies, memory_env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Memos).write(1)
        status = operator.wait_for_state("Letters", pb.FOLLOWING_STATE_UNREACHABLE)

        assert "Letters was asked for, but Memos is served here" in status.last_error.message
        assert application_of(follower, Copies).numbers() == []


def test_what_another_instance_has_processed_is_not_processed_again(env: dict[str, str]) -> None:
    with (
        serving(Letters, env) as server,
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_LIVE)
        copies = application_of(follower, Copies)
        # What another instance records when nothing is to be done.
        copies.recorder.insert_tracking(Tracking("Letters", 10))
        application_of(server, Letters).write_many(1, 12)
        operator.wait_for_position("Letters", 12)

        assert copies.numbers() == [11, 12]


def test_policy_that_raises_because_another_instance_was_first_is_not_failing(
    env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    with (
        serving(Letters, env) as server,
        serving(Fussy, env, applications.fussy) as follower,
        Operator(follower.address) as operator,
    ):
        application_of(server, Letters).write_many(1, 3)
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
        # The other instance processes it.
        application_of(follower, Fussy).recorder.insert_tracking(Tracking("Letters", 1))
        status = operator.wait_for_position("Letters", 3)

        assert not status.HasField("last_error")
        assert application_of(follower, Fussy).numbers() == [2, 3]


def test_commands_at_the_same_time_do_not_make_a_follower_fail(env: dict[str, str]) -> None:
    with (
        serving(Letters, env) as server,
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        letters = application_of(server, Letters)
        writers = [
            threading.Thread(target=letters.write_many, args=(first, 25)) for first in (1, 26, 51)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        status = operator.wait_for_position("Letters", 75)

        assert not status.HasField("last_error")
        assert sorted(application_of(follower, Copies).numbers()) == list(range(1, 76))
