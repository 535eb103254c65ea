"""Tests of several servers of one follower on PostgreSQL: one follows, the others are on standby."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from time import monotonic
from uuid import UUID

import grpc
import pytest

from eventsourcing_grpc import example
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders, Payments, Reservations
from eventsourcing_grpc.topics import system_topic
from tests.eventsourcing_grpc.steering import Refused, Steering
from tests.postgres_server import PostgresServer
from tests.system import applications
from tests.system.applications import Copies, Letters
from tests.system.serving import Operator, application_of, pb, serving, spawning
from tests.waiting import addresses_of, wait_until

pytest_plugins = ["tests.postgres"]

LIVE, STANDBY = pb.FOLLOWING_STATE_LIVE, pb.FOLLOWING_STATE_STANDBY
PAUSED = pb.FOLLOWING_STATE_PAUSED


@pytest.fixture
def env(postgres_env: dict[str, str]) -> dict[str, str]:
    """A new store, and the leader's address."""
    return {**postgres_env, **addresses_of(Letters), "MAX_PULL_INTERVAL": "60"}


class Instance:
    """One server of a follower, and those who watch and steer it."""

    def __init__(self, operator: Operator, steering: Steering, copies: Copies) -> None:
        self.operator = operator
        self.steering = steering
        self.copies = copies

    def wait_for(self, state: pb.FollowingState.ValueType, position: int = 0) -> pb.FollowingStatus:
        return self.operator.following(
            "Letters", lambda status: status.state == state and status.position >= position
        )


@contextmanager
def instance(env: dict[str, str]) -> Iterator[Instance]:
    """Another server of Copies in this process."""
    with (
        serving(Copies, {**env, **addresses_of(Copies)}, applications.one_way) as server,
        Operator(server.address) as operator,
        Steering(server.address) as steering,
    ):
        yield Instance(operator, steering, application_of(server, Copies))


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGSTOP"])
def test_another_takes_over_within_five_seconds(env: dict[str, str], signal_name: str) -> None:
    topic = system_topic(applications.one_way)
    with serving(Letters, env) as leader, ExitStack() as stack:
        letters = application_of(leader, Letters)
        holder_env = {**env, **addresses_of(Copies)}
        holder = stack.enter_context(spawning(Copies, holder_env, topic))
        operator = stack.enter_context(Operator(holder.address))
        operator.wait_for_state("Letters", LIVE)
        other = stack.enter_context(instance(env))
        status = other.wait_for(STANDBY)
        assert status.followed_by.endswith(f"process {holder.pid}")
        letters.write_many(1, 20)
        other.wait_for(STANDBY, 20)

        os.kill(holder.pid, signal.Signals[signal_name])
        started = monotonic()
        letters.write(21)
        wait_until(lambda: other.copies.recorder.max_tracking_id("Letters") == 21)
        assert monotonic() - started < 5
        assert other.wait_for(LIVE).followed_by == ""
        if signal_name == "SIGSTOP":
            os.kill(holder.pid, signal.SIGCONT)
            status = operator.wait_for_state("Letters", STANDBY)
            assert status.followed_by.endswith(f"process {os.getpid()}")
        letters.write_many(22, 9)
        other.wait_for(LIVE, 30)
        assert other.copies.numbers() == list(range(1, 31))


def test_one_takes_over_after_another_and_nothing_is_done_twice(env: dict[str, str]) -> None:
    with serving(Letters, env) as leader, ExitStack() as rest:
        letters = application_of(leader, Letters)
        with instance(env) as first:
            first.wait_for(LIVE)
            others = [rest.enter_context(instance(env)) for _ in range(2)]
            for other in others:
                other.wait_for(STANDBY)
            letters.write_many(1, 50)
        letters.write_many(51, 50)
        wait_until(lambda: others[0].copies.recorder.max_tracking_id("Letters") == 100)
        wait_until(
            lambda: sorted(each.operator.following("Letters").state for each in others)
            == sorted((LIVE, STANDBY))
        )
        for other in others:
            other.operator.following("Letters", lambda status: status.read_through == 100)
        assert others[0].copies.numbers() == list(range(1, 101))


def test_pausing_the_one_that_follows_keeps_the_others_from_it(env: dict[str, str]) -> None:
    with serving(Letters, env) as leader, instance(env) as holder:
        letters = application_of(leader, Letters)
        holder.wait_for(LIVE)
        with instance(env) as other:
            letters.write_many(1, 3)
            status = other.wait_for(STANDBY, 3)
            assert (status.read_through, status.last_error.message) == (3, "")
            paused = holder.steering.pause()
            assert (paused.state, paused.followed_by) == (PAUSED, "")
            letters.write_many(4, 2)
            # It tells how far behind the follower is.
            status = other.operator.following(
                "Letters", lambda s: s.lag_events == 2 and s.HasField("lag_seconds")
            )
            assert (status.state, status.position, status.head) == (STANDBY, 3, 5)
            assert status.lag_seconds > 0
            # What the one is paused before can be skipped, there and nowhere else.
            holder.steering.skip(4)
            holder.steering.resume()
            holder.wait_for(LIVE, 5)
            assert other.copies.numbers() == [1, 2, 3, 5]


def test_pause_that_a_lost_session_has_ended_is_told(
    env: dict[str, str], postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(Letters, env), instance(env) as holder:
        holder.wait_for(LIVE)
        with instance(env) as other:
            other.wait_for(STANDBY)
            holder.steering.pause()

            def has_other_taken_over() -> bool:
                # Both try to get the lock. Who was paused gets it again, or the other does.
                if other.operator.following("Letters").state == LIVE:
                    return True
                postgres_server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                )
                return False

            wait_until(has_other_taken_over)
            status = holder.operator.following("Letters", lambda s: bool(s.followed_by))
            assert status.state == PAUSED
            wait_until(lambda: "Copies is paused no longer: its session" in caplog.text)
            assert f"now {status.followed_by} follows Letters. Pause it there" in caplog.text


def test_paused_standby_does_not_take_over_before_it_is_resumed(
    env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventsourcing_grpc")
    with serving(Letters, env) as leader, ExitStack() as stack:
        holder = stack.enter_context(instance(env))
        holder.wait_for(LIVE)
        with instance(env) as other:
            other.wait_for(STANDBY)
            paused = other.steering.pause()
            assert paused.state == PAUSED
            assert paused.followed_by.endswith(f"process {os.getpid()}")
            assert f"{paused.followed_by} follows" in caplog.text
            letters = application_of(leader, Letters)
            letters.write(1)
            other.wait_for(PAUSED, 1)
            stack.close()
            # It is told that nobody follows.
            other.operator.following("Letters", lambda s: not s.followed_by)
            letters.write(2)
            other.operator.following("Letters", lambda s: s.head == 2)
            assert other.wait_for(PAUSED).position == 1
            other.steering.resume()
            other.wait_for(LIVE, 2)


def test_operators_are_sent_from_the_standby_to_the_one_that_follows(env: dict[str, str]) -> None:
    with serving(Letters, env), instance(env) as holder:
        holder.wait_for(LIVE)
        with instance(env) as other:
            other.wait_for(STANDBY)
            for request in (other.steering.retry, lambda: other.steering.skip(1)):
                with Refused() as refused:
                    request()
                assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
                assert (
                    "Copies is on standby: another server of Copies follows Letters"
                    in refused.message
                )
                assert f"process {os.getpid()}" in refused.message


def test_lock_that_is_lost_goes_to_one_of_them(
    env: dict[str, str], postgres_server: PostgresServer
) -> None:
    with serving(Letters, env) as leader, instance(env) as first, instance(env) as second:
        letters = application_of(leader, Letters)
        both = (first, second)
        for round_number in (1, 2):
            letters.write(round_number)
            wait_until(lambda: len(postgres_server.sessions("%: Copies")) == 2)
            assert postgres_server.end_sessions("%: Copies") == 2
            letters.write_many(round_number * 100, 20)
        wait_until(
            lambda: sorted(each.operator.following("Letters").state for each in both)
            == sorted((LIVE, STANDBY))
        )
        for each in both:
            each.operator.following("Letters", lambda s: s.read_through == 42)
        numbers = [n for r in (1, 2) for n in (r, *range(r * 100, r * 100 + 20))]
        assert first.copies.numbers() == numbers


def test_all_servers_of_an_application_serve_calls(env: dict[str, str]) -> None:
    classes = (Orders, Reservations, Payments)
    envs = [{**env, **addresses_of(*classes)} for _ in range(2)]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(cls, each, example.system))
            for each in envs
            for cls in classes
        ]
        clients = [stack.enter_context(connect(Orders, each)) for each in envs]
        order_ids = [client.app.create_new_order() for client in clients * 5]
        for client in clients:
            wait_until(partial(_are_paid, client.app, order_ids))
        states: dict[tuple[str, str], list[pb.FollowingState.ValueType]] = {}
        for server in servers:
            with Operator(server.address) as operator:
                status = operator.wait_for_status(
                    lambda s: all(f.state in (LIVE, STANDBY) for f in s.followings)
                )
                for following in status.followings:
                    states.setdefault((status.name, following.leader), []).append(following.state)
        # One of them follows each leader.
        assert len(states) == 4
        assert all(sorted(each) == sorted((LIVE, STANDBY)) for each in states.values())


def _are_paid(orders: Orders, order_ids: list[UUID]) -> bool:
    return all(map(orders.is_order_paid, order_ids))
