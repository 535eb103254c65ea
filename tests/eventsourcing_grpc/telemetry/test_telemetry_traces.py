"""Traces: from a call, through what is recorded, into followers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import grpc
import pytest
from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.system import ProcessApplication, System
from opentelemetry.trace import SpanKind, StatusCode

from eventsourcing_grpc.application_client import (
    GrpcApplicationClient,
    GrpcError,
    ServiceUnavailable,
)
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Order, Orders, Payments, Reservations, system
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.protos.application_pb2 import SelectNotificationsRequest
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.telemetry import event_tracing
from tests.applications import Notebook
from tests.eventsourcing_grpc.shop import Shop, call
from tests.eventsourcing_grpc.telemetry_fixtures import (
    Traced,
    attributes_of,
    is_child,
    trace_of,
    traced,
)
from tests.serving import sqlite_env
from tests.waiting import addresses_of, wait_until

__all__ = ["traced"]

SECRET = "4929 1234 5678 9012"


class Courier(ProcessApplication[UUID]):
    """Does not know what to do with orders, until it is told."""

    knows: ClassVar[threading.Event] = threading.Event()

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        if isinstance(domain_event, Order.Created) and not self.knows.is_set():
            msg = f"No way to send to the owner of card {SECRET}"
            raise LookupError(msg)


couriers = System([[Orders, Courier]])


@pytest.fixture(autouse=True)
def _courier_knows_nothing() -> None:
    Courier.knows.clear()


def test_call_and_all_that_follows_from_it_are_one_trace(traced: Traced) -> None:
    env = traced.system(system, Orders, Reservations, Payments)
    orders = traced.client(Orders, env)

    orders.app.create_new_order()

    # Created, reserved and paid, as two followers see it. And what the two have to say of it.
    heard = traced.wait_for(6, "process Orders")
    reserved = traced.wait_for(1, "process Reservations")[0]
    paid = traced.wait_for(1, "process Payments")[0]
    client, server = (
        next(span for span in traced.spans("Orders/create_new_order") if span.kind is kind)
        for kind in (SpanKind.CLIENT, SpanKind.SERVER)
    )
    spans = [client, server, *heard, reserved, paid]
    assert len({trace_of(span) for span in spans}) == 1
    assert client.parent is None
    assert is_child(server, client)
    creation = next(
        span
        for span in heard
        if attributes_of(span)["eventsourcing.application"] == "Reservations"
        and attributes_of(span)["eventsourcing.notification.id"] == 1
    )
    assert is_child(creation, server)
    assert is_child(reserved, creation)
    assert any(is_child(span, reserved) for span in heard)
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}


def test_spans_of_calls_have_the_attributes_of_the_conventions(traced: Traced) -> None:
    env = traced.system(System([[Orders]]), Orders)
    traced.client(Orders, env).app.create_new_order()
    client, server = sorted(
        traced.wait_for(2, "Orders/create_new_order"), key=lambda span: span.kind is SpanKind.SERVER
    )
    host, _, port = env["ORDERS_GRPC_SERVER_ADDRESS"].rpartition(":")
    common = {
        "rpc.system.name": "grpc",
        "rpc.method": "eventsourcing_grpc.v1.Application/CallMethod",
        "rpc.response.status_code": "OK",
        "eventsourcing.application": "Orders",
        "eventsourcing.method": "create_new_order",
    }
    assert attributes_of(client) == {**common, "server.address": host, "server.port": int(port)}
    assert attributes_of(server) == common


def test_spans_of_followers_have_the_attributes_of_the_conventions(traced: Traced) -> None:
    env = traced.system(System([[Orders, Reservations]]), Orders, Reservations)
    traced.client(Orders, env).app.create_new_order()
    span = traced.wait_for(1, "process Orders", application="Reservations")[0]
    assert span.kind is SpanKind.CONSUMER
    assert attributes_of(span) == {
        "messaging.system": "eventsourcing",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "Orders",
        "messaging.consumer.group.name": "Reservations",
        "messaging.message.id": "1",
        "eventsourcing.application": "Reservations",
        "eventsourcing.leader": "Orders",
        "eventsourcing.notification.id": 1,
        "eventsourcing.notification.topic": "eventsourcing_grpc.example:Order.Created",
        "eventsourcing.trace.is_continued": True,
    }


def test_trace_of_the_caller_goes_on(traced: Traced) -> None:
    env = traced.system(System([[Orders]]), Orders)
    orders = traced.client(Orders, env)
    with traced.provider.get_tracer("test").start_as_current_span("own") as own:
        orders.app.create_new_order()
        orders.app.notification_log.select(1, 10)
    wanted = own.get_span_context().trace_id
    for name in ("Orders/create_new_order", "Orders/SelectNotifications"):
        spans = traced.wait_for(2, name)
        assert {span.kind for span in spans} == {SpanKind.CLIENT, SpanKind.SERVER}
        assert {trace_of(span) for span in spans} == {wanted}


def test_reads_that_nobody_traces_leave_no_spans(traced: Traced) -> None:
    env = traced.system(System([[Orders]]), Orders)
    with grpc.insecure_channel(env["ORDERS_GRPC_SERVER_ADDRESS"]) as channel:
        ApplicationStub(channel).SelectNotifications(SelectNotificationsRequest(limit=1))
        traced.client(Orders, env).app.create_new_order()
    traced.wait_for(2, "Orders/create_new_order")
    assert not traced.spans("Orders/SelectNotifications")


def test_calls_of_operators_are_traced(traced: Traced) -> None:
    env = traced.system(System([[Shop]]), Shop)
    with grpc.insecure_channel(env["SHOP_GRPC_SERVER_ADDRESS"]) as channel:
        call(OperationsStub(channel), "sell", pears=1)
    (span,) = traced.wait_for(1, "Shop/sell")
    assert attributes_of(span)["rpc.method"] == "eventsourcing_grpc.v1.Operations/CallMethod"


def test_concurrent_recordings_keep_their_traces(traced: Traced, tmp_path: Path) -> None:
    env = traced.system(
        couriers,
        Orders,
        Courier,
        **sqlite_env(tmp_path / "orders"),
        COURIER_SQLITE_DBNAME=":memory:",
    )
    Courier.knows.set()
    clients = [traced.client(Orders, env) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda c=client: [c.app.create_new_order() for _ in range(25)])
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = traced.wait_for(100, "process Orders")
    assert all(attributes_of(span)["eventsourcing.trace.is_continued"] for span in heard)
    called = {trace_of(span) for span in traced.wait_for(200, "Orders/create_new_order")}
    assert {trace_of(span) for span in heard} == called
    assert len(called) == 100


def test_follower_that_comes_later_goes_on_with_the_trace(traced: Traced) -> None:
    env = addresses_of(Orders, Courier)
    Courier.knows.set()
    traced.server(Orders, env, couriers)
    traced.client(Orders, env).app.create_new_order()
    traced.server(Courier, env, couriers)
    (heard,) = traced.wait_for(1, "process Orders")
    assert trace_of(heard) == trace_of(traced.spans("Orders/create_new_order")[0])


def test_events_from_before_the_leaders_restart_begin_traces_of_their_own(traced: Traced) -> None:
    env = addresses_of(Orders, Courier)
    Courier.knows.set()
    leader = traced.server(Orders, env, couriers)
    traced.client(Orders, env).app.create_new_order()
    leader.stop(wait=True)
    leader.start()
    follower = traced.server(Courier, env, couriers)
    (heard,) = traced.wait_for(1, "process Orders")
    assert attributes_of(heard)["eventsourcing.trace.is_continued"] is False
    assert heard.parent is None
    assert heard.status.status_code is StatusCode.UNSET
    assert trace_of(heard) != trace_of(traced.spans("Orders/create_new_order")[0])
    wait_until(lambda: follower.followings[0].status().state is FollowingState.LIVE)

    traced.client(Orders, env).app.create_new_order()
    assert attributes_of(traced.wait_for(2, "process Orders")[1])[
        "eventsourcing.trace.is_continued"
    ]


def test_failures_and_retries_are_events_of_the_span(traced: Traced) -> None:
    env = traced.system(couriers, Orders, Courier)
    follower = _follower(traced, env)
    traced.client(Orders, env).app.create_new_order()
    wait_until(lambda: (error := follower.followings[0].status().error) and error.attempts >= 2)
    Courier.knows.set()
    (heard,) = traced.wait_for(1, "process Orders")
    names = [event.name for event in heard.events]
    assert names[:4] == ["exception", "retry", "exception", "retry"]
    first, retry = (dict(event.attributes or {}) for event in heard.events[:2])
    assert first["exception.type"] == "LookupError"
    assert "in policy" in str(first["exception.stacktrace"])
    assert retry == {"eventsourcing.attempt": 2, "eventsourcing.retry.delay": 0.1}
    # It was processed in the end.
    assert heard.status.status_code is StatusCode.UNSET


def test_event_that_fails_for_long_is_seen_before_it_succeeds(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_tracing, "MAX_DURATION", 0.0)
    env = traced.system(couriers, Orders, Courier)
    traced.client(Orders, env).app.create_new_order()
    first, second = traced.wait_for(2, "process Orders")[:2]
    for span in (first, second):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes_of(span)["error.type"] == "LookupError"
    assert trace_of(first) == trace_of(second)
    assert first.parent == second.parent
    Courier.knows.set()


def test_no_span_has_what_an_exception_says(traced: Traced) -> None:
    env = traced.system(System([[Notebook]]), Notebook)
    notebook = traced.client(Notebook, env)
    with pytest.raises(GrpcError, match=SECRET):
        notebook.app.fail("own", SECRET)
    server, client = traced.wait_for(2, "Notebook/fail")
    for span in (server, client):
        (event,) = span.events
        assert (event.attributes or {})["exception.type"] == "tests.applications.NoteError"
        assert SECRET not in span.to_json()
    # What an application refuses is an error to the caller alone.
    assert server.status.status_code is StatusCode.UNSET
    assert client.status.status_code is StatusCode.ERROR
    assert attributes_of(client)["error.type"] == "FAILED_PRECONDITION"


def test_defect_is_an_error_of_the_server(traced: Traced) -> None:
    env = traced.system(System([[Notebook]]), Notebook)
    with pytest.raises(GrpcError):
        traced.client(Notebook, env).app.fail("key", SECRET)
    server, _ = traced.wait_for(2, "Notebook/fail")
    assert server.status.status_code is StatusCode.ERROR
    assert attributes_of(server)["rpc.response.status_code"] == "UNKNOWN"
    assert SECRET not in server.to_json()


def test_what_is_not_there_has_one_name(traced: Traced) -> None:
    env = traced.system(System([[Notebook]]), Notebook)
    client = GrpcApplicationClient(Notebook, env)
    for name in ("make_up", "_private"):
        with client, pytest.raises(GrpcError):
            client.call_application_method(name)
        client = GrpcApplicationClient(Notebook, env)
    client.close()
    assert len(traced.wait_for(2, "Notebook/_OTHER")) == 2


def test_call_of_nobody_is_a_failed_span(traced: Traced) -> None:
    is_stopping = threading.Event()
    is_stopping.set()
    client = GrpcApplicationClient(
        Orders, addresses_of(Orders), is_stopping=is_stopping, tracer_provider=traced.provider
    )
    with client, pytest.raises(ServiceUnavailable):
        client.app.create_new_order()
    (span,) = traced.spans("Orders/create_new_order")
    assert attributes_of(span)["error.type"] == "UNAVAILABLE"
    assert span.status.status_code is StatusCode.ERROR


def _follower(traced: Traced, env: dict[str, str]) -> GrpcApplicationServer:
    return next(
        server for server in traced.servers if server.address == env["COURIER_GRPC_SERVER_ADDRESS"]
    )
