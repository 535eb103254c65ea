"""Watching how an application is, on a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import monotonic
from typing import NoReturn
from uuid import UUID

import grpc
import pytest
from eventsourcing.domain import Aggregate
from eventsourcing.system import ProcessApplication, System
from google.protobuf.duration_pb2 import Duration

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from tests.eventsourcing_grpc.shop import TIMEOUT, Shop, call, violations
from tests.waiting import addresses_of

pytest_plugins = ["tests.eventsourcing_grpc.shop_server"]


class Grumpy(ProcessApplication[UUID]):
    """Follows, and does not like what it is told."""

    def policy(self, domain_event: object, processing_event: object) -> NoReturn:
        msg = f"don't want {type(domain_event).__name__}"
        raise ValueError(msg)


def watch(stub: OperationsStub, seconds: float = 0.1) -> Iterator[pb.ApplicationStatus]:
    return iter(watch_call(stub, seconds))


def watch_call(stub: OperationsStub, seconds: float) -> grpc.CallIterator[pb.ApplicationStatus]:
    interval = Duration()
    interval.FromNanoseconds(int(seconds * 1e9))
    return stub.Watch(pb.WatchRequest(interval=interval), timeout=60)


def next_status(
    statuses: Iterator[pb.ApplicationStatus], **expected: object
) -> pb.ApplicationStatus:
    """Returns the next status that has the expected figures."""
    for status in statuses:
        if all(getattr(status, name) == value for name, value in expected.items()):
            return status
    pytest.fail("the stream has ended")


def test_first_status_comes_at_once(stub: OperationsStub) -> None:
    started = monotonic()
    status = next(watch(stub, 60))
    assert monotonic() - started < 5
    assert status.name == "Shop"
    assert (status.head, status.subscribers, status.log_error) == (0, 1, "")
    assert not status.calls.HasField("p50_seconds")


def test_status_has_the_figures_of_its_interval(stub: OperationsStub) -> None:
    statuses = watch(stub, 0.5)
    next(statuses)
    for _ in range(5):
        call(stub, "sell", pears=1)
    with pytest.raises(grpc.RpcError):
        call(stub, "sell", pears=11)
    first, second = next(statuses), next(statuses)
    assert second.head == 6
    assert (second.calls.calls, second.calls.errors) == (6, 1)
    # The calls may have ended on both sides of a status.
    assert first.events_per_second + second.events_per_second == pytest.approx(12, rel=0.2)
    assert first.calls.calls_per_second + second.calls.calls_per_second == pytest.approx(
        12, rel=0.2
    )
    busy = first if first.calls.calls_per_second else second
    assert 0 < busy.calls.p50_seconds <= busy.calls.p99_seconds < TIMEOUT
    idle = next(statuses)
    assert idle.events_per_second == idle.calls.calls_per_second == 0.0
    assert not idle.calls.HasField("p99_seconds")
    assert idle.uptime.ToTimedelta() > first.uptime.ToTimedelta()


def test_status_tells_how_many_calls_are_in_progress(stub: OperationsStub) -> None:
    slow = stub.CallMethod.future(
        pb.OperationsCallMethodRequest(method="wait", arguments='{"seconds": 1}'), timeout=TIMEOUT
    )
    statuses = watch(stub)
    assert any(status.calls.in_progress == 1 for status in statuses)
    assert json.loads(slow.result().result) == "closing: False"
    assert any(status.calls.in_progress == 0 for status in statuses)


@pytest.mark.parametrize("seconds", [0.0, 1e-9])
def test_short_interval_is_made_longer(stub: OperationsStub, seconds: float) -> None:
    statuses = watch(stub, seconds)
    started = monotonic()
    for _ in range(4):
        next(statuses)
    assert monotonic() - started > 0.25


def test_negative_interval_is_refused(stub: OperationsStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(watch(stub, -1))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(caught.value) == {"interval": "must not be negative"}


def test_watcher_that_goes_is_not_waited_for(stub: OperationsStub) -> None:
    statuses = watch(stub)
    gone = watch_call(stub, 60)
    next(iter(gone))
    next_status(statuses, subscribers=2)
    gone.cancel()
    next_status(statuses, subscribers=1)


def test_watching_takes_no_thread_that_a_call_needs(stub: OperationsStub) -> None:
    watchers = [watch(stub, 60) for _ in range(40)]
    for watcher in watchers:
        next(watcher)
    assert call(stub, "wait", seconds=0).result


def test_watching_ends_when_the_server_stops(
    server: GrpcApplicationServer, stub: OperationsStub
) -> None:
    watchers = [watch(stub, 60) for _ in range(3)]
    for watcher in watchers:
        next(watcher)
    started = monotonic()
    server.stop(wait=True)
    assert monotonic() - started < 3
    for watcher in watchers:
        with pytest.raises(grpc.RpcError) as caught:
            next(watcher)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_failing_policy_is_in_the_status() -> None:
    env = addresses_of(Shop, Grumpy)
    system = System([[Shop, Grumpy]])
    leader = GrpcApplicationServer(Shop, env, system=system)
    follower = GrpcApplicationServer(Grumpy, env, system=system)
    leader.start()
    follower.start()
    leader.application.save(Aggregate())
    with grpc.insecure_channel(follower.address) as channel:
        for status in watch(OperationsStub(channel)):
            (following,) = status.followings
            if following.last_error.attempts > 1:
                break
    leader.stop()
    follower.stop(wait=True)
    leader.wait_for_termination()
    assert (following.leader, following.leader_address) == ("Shop", leader.address)
    assert following.state == pb.FOLLOWING_STATE_FAILING
    assert (following.position, following.head, following.lag_events) == (0, 1, 1)
    error = following.last_error
    assert (error.error_class, error.message) == ("ValueError", "don't want Created")
    assert "in policy" in error.traceback
    assert error.notification_id == 1
    assert error.first_at.ToDatetime() < error.last_at.ToDatetime()
    assert error.last_at.ToDatetime() <= error.next_try_at.ToDatetime()
