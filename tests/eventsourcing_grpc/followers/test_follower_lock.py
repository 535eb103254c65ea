"""Tests of followings with a lock: nothing is processed by who may not have it any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import grpc
import pytest

from eventsourcing_grpc.errors import FollowingStateError
from eventsourcing_grpc.followers.follower_lock import DatabaseProblem, FollowerLock
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.following import Following
from tests.eventsourcing_grpc.steering import Gated, stop_at
from tests.system.applications import Letters
from tests.system.serving import application_of, serving
from tests.waiting import DEADLINE, wait_until

pytest_plugins = ["tests.eventsourcing_grpc.steering_fixtures"]


class GivenLock(FollowerLock):
    """A lock that a test gives and takes away."""

    def __init__(self) -> None:
        self.is_given = False
        self.is_wanted = True
        self.other = ""
        self.what_is_wrong: DatabaseProblem | None = None

    def give(self) -> None:
        self.is_given = True
        self.tell()

    def tell(self) -> None:
        assert self.on_change is not None
        self.on_change()

    def is_held(self) -> bool:
        return self.is_given

    def is_taken(self) -> bool:
        return bool(self.other)

    @property
    def holder(self) -> str:
        return self.other

    def want(self) -> None:
        self.is_wanted = True

    def decline(self) -> None:
        self.is_wanted = self.is_given

    def problem(self) -> DatabaseProblem | None:
        return self.what_is_wrong


@contextmanager
def following_with(
    env: dict[str, str], lock: FollowerLock
) -> Iterator[tuple[Letters, Gated, Following]]:
    """A Gated that follows Letters, if it has the lock."""
    with serving(Letters, env) as server, grpc.insecure_channel(server.address) as channel:
        gated = Gated()
        following = Following(gated, "Letters", server.address, channel, lock)
        following.start()
        try:
            yield application_of(server, Letters), gated, following
        finally:
            following.stop()
            gated.close()


def test_nothing_is_processed_before_the_lock_is_held(memory_env: dict[str, str]) -> None:
    lock = GivenLock()
    with following_with(memory_env, lock) as (letters, gated, following):
        letters.write(1)
        assert following.status().state is FollowingState.CONNECTING
        lock.other = "payments-0, process 7"
        lock.tell()
        wait_until(lambda: following.status().state is FollowingState.STANDBY)
        assert following.status().followed_by == "payments-0, process 7"
        assert gated.numbers() == []
        lock.other = ""
        lock.give()
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        assert gated.numbers() == [1]
        assert following.status().followed_by == ""


def test_nothing_of_a_batch_is_processed_after_the_lock_is_lost(
    memory_env: dict[str, str], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 5)
    lock = GivenLock()
    with following_with(memory_env, lock) as (letters, gated, following):
        letters.write_at_once(1, 10)
        lock.give()
        assert Gated.has_come.wait(DEADLINE)
        # Nobody tells: the time is over for which it was certain.
        lock.is_given, lock.other = False, "another"
        gate.set()
        wait_until(lambda: following.status().state is FollowingState.STANDBY)
        # What was being processed is fenced by its position, if another has processed it.
        assert gated.numbers() == [1, 2, 3, 4, 5]
        lock.other = ""
        lock.give()
        wait_until(lambda: following.status().position == 10)
        assert gated.numbers() == list(range(1, 11))


def test_what_is_wrong_with_the_database_is_told_while_the_loop_does_not_know(
    memory_env: dict[str, str],
) -> None:
    lock = GivenLock()
    with following_with(memory_env, lock) as (_, _, following):
        lock.give()
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        now = datetime.now(UTC)
        lock.what_is_wrong = DatabaseProblem("it is on fire", "OperationalError", 3, now, now, None)
        status = following.status()
        assert (status.state, status.state_since) == (FollowingState.FAILING, now)
        assert status.error is not None
        assert (status.error.error_class, status.error.message, status.error.attempts) == (
            "OperationalError",
            "it is on fire",
            3,
        )
        lock.is_given = False
        with pytest.raises(FollowingStateError, match="can't follow Letters: it is on fire"):
            following.steering.retry_now()
        lock.what_is_wrong = None
        lock.give()
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        assert following.status().error is None


def test_who_is_paused_on_standby_does_not_want_the_lock_and_who_has_it_keeps_it(
    memory_env: dict[str, str],
) -> None:
    lock = GivenLock()
    with following_with(memory_env, lock) as (_, _, following):
        lock.other = "another"
        following.steering.pause()
        wait_until(lambda: not lock.is_wanted)
        assert following.status().followed_by == "another"
        following.steering.resume()
        wait_until(lambda: lock.is_wanted)
        lock.other = ""
        lock.give()
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        following.steering.pause()
        # Not even when it is lost: it is to be had again.
        lock.is_given = False
        lock.tell()
        wait_until(lambda: following.status().state is FollowingState.PAUSED)
        assert lock.is_wanted
