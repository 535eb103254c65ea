"""Clients: connecting, waiting, closing, and what stands for the application."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any, cast

import grpc
import pytest
from eventsourcing.application import Application, NotificationLog
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from eventsourcing_grpc.application_client import (
    ClientClosedError,
    DeadlineExceeded,
    GrpcApplicationClient,
    GrpcError,
    ServiceUnavailable,
    connect,
    create_client,
)
from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.example import Orders
from tests.applications import Bank, Notebook
from tests.serving import (
    ClientOf,
    InBackground,
    Serve,
    address_env,
    free_address,
    sqlite_env,
)
from tests.waiting import DEADLINE, wait_until


def test_program_of_the_older_package_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_GRPC_SERVER_ADDRESS", free_address())
    server = start_server(Orders)
    client = connect(Orders, max_attempts=10)
    order_id = client.app.create_new_order()
    order = client.app.get_order(order_id)
    assert order["id"] == order_id
    assert order["is_reserved"] is False
    assert client.app.is_order_reserved(order_id) is False
    assert client.app.is_order_paid(order_id) is False
    notifications = client.app.notification_log.select(start=1, limit=10)
    assert [n.topic for n in notifications] == ["eventsourcing_grpc.example:Order.Created"]
    assert notifications[0].originator_id == order_id
    client.close()
    server.stop(wait=True)


def test_client_never_opens_the_applications_database(
    serve: Serve, client_of: ClientOf, tmp_path: Path
) -> None:
    server_file, client_file = tmp_path / "server.db", tmp_path / "client.db"
    server = serve(Notebook, **sqlite_env(server_file))
    client = client_of(Notebook, server, **sqlite_env(client_file))
    note_id = client.app.add_note("x")
    assert client.app.get_text(note_id) == "x"
    assert len(client.get_notifications(1, 10)) == 1
    assert next(client.subscribe()).originator_id == note_id
    assert server_file.exists()
    assert not client_file.exists()


def test_application_is_never_constructed_by_a_client() -> None:
    class Untouchable(Application[Any]):
        def __init__(self, env: object = None) -> None:
            raise AssertionError

    connect(Untouchable, address_env(Untouchable, free_address())).close()


def test_connecting_without_attempts_returns_at_once() -> None:
    started = monotonic()
    client = connect(Notebook, address_env(Notebook, free_address()), max_attempts=0)
    assert monotonic() - started < 1
    client.close()


def test_connecting_tells_address_attempts_and_cause() -> None:
    address = free_address()
    with pytest.raises(ServiceUnavailable) as caught:
        connect(Notebook, address_env(Notebook, address), max_attempts=3)
    message = str(caught.value)
    assert "Notebook" in message
    assert address in message
    assert "3 attempts" in message
    assert "refused" in message.lower()


def test_connecting_tells_of_a_server_that_is_not_serving() -> None:
    health = HealthServicer()
    health.set("", HealthCheckResponse.NOT_SERVING)
    foreign = grpc.server(ThreadPoolExecutor(1))
    add_HealthServicer_to_server(health, foreign)
    port = foreign.add_insecure_port("localhost:0")
    foreign.start()
    try:
        with pytest.raises(ServiceUnavailable, match="NOT_SERVING"):
            connect(Notebook, address_env(Notebook, f"localhost:{port}"), max_attempts=2)
    finally:
        foreign.stop(None).wait()


def test_connecting_tells_of_a_server_without_health_checks() -> None:
    foreign = grpc.server(ThreadPoolExecutor(1))
    port = foreign.add_insecure_port("localhost:0")
    foreign.start()
    try:
        with pytest.raises(GrpcError, match="UNIMPLEMENTED") as caught:
            connect(Notebook, address_env(Notebook, f"localhost:{port}"), max_attempts=10)
        assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED
    finally:
        foreign.stop(None).wait()


def test_connecting_waits_for_a_server_that_starts_later(serve: Serve) -> None:
    address = free_address()
    env = address_env(Notebook, address)
    connecting = InBackground(lambda: connect(Notebook, env, max_attempts=100))
    serve(Notebook, address=address)
    client = connecting.result()
    assert client.app.get_name() == "Notebook"
    client.close()


def test_closing_ends_connecting() -> None:
    client = create_client(Notebook, address_env(Notebook, free_address()))
    connecting = InBackground(lambda: client.connect(max_attempts=1_000))
    client.close()
    with pytest.raises(ClientClosedError):
        connecting.result()


def test_callers_event_ends_connecting() -> None:
    is_stopping = threading.Event()
    client = create_client(Notebook, address_env(Notebook, free_address()), is_stopping=is_stopping)
    connecting = InBackground(lambda: client.connect(max_attempts=1_000))
    is_stopping.set()
    with pytest.raises(ClientClosedError):
        connecting.result()
    client.close()


def test_ping_tells_whether_the_server_is_there(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.ping()
    server.stop(wait=True)
    with pytest.raises(ServiceUnavailable) as caught:
        client.ping()
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


def test_something_that_is_not_grpc_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = InBackground(answer)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with (
            connect(Notebook, address_env(Notebook, address)) as client,
            pytest.raises(ServiceUnavailable),
        ):
            client.connect(max_attempts=1)
        answering.result()


def test_named_methods_of_the_client(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    note_id = client.call_application_method("add_note", ["a text"], {})
    assert client.call_application_method("get_text", (), {"note_id": note_id}) == "a text"
    assert client.call_application_method("get_name") == "Notebook"
    notifications = client.get_notifications(start=1, limit=10, stop=None, topics=())
    assert [n.originator_id for n in notifications] == [note_id]


def test_closed_client_says_so(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    client.close()
    client.close()
    for use in (
        client.app.add_note,
        client.ping,
        client.connect,
        client.subscribe,
        lambda: client.get_notifications(1, 1),
    ):
        with pytest.raises(ClientClosedError, match="Notebook on localhost"):
            use()


def test_closing_ends_a_call_in_progress(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client, other = client_of(Notebook, server), client_of(Notebook, server)
    waiting = InBackground(client.app.wait_in_query)
    assert other.app.await_waiting()
    client.close()
    with pytest.raises(ClientClosedError):
        waiting.result(2)
    other.app.release()


def test_closing_ends_a_retry(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, free_address())
    calling = InBackground(client.app.add_note)
    client.close()
    with pytest.raises(ClientClosedError):
        calling.result(2)


def test_client_is_a_context_manager(serve: Serve) -> None:
    server = serve(Notebook)
    with connect(Notebook, address_env(Notebook, server.address), max_attempts=5) as client:
        client.app.add_note("x")
    with pytest.raises(ClientClosedError):
        client.app.add_note("x")


def test_call_that_takes_too_long_exceeds_its_deadline(serve: Serve) -> None:
    server = serve(Notebook)
    env = address_env(Notebook, server.address)
    with GrpcApplicationClient(Notebook, env, timeout=0.2) as client:
        with pytest.raises(DeadlineExceeded, match="Notebook on localhost") as caught:
            client.app.wait_in_command()
        assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
        client.app.release()


def test_clients_may_be_used_by_many_threads(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))

    def add_notes() -> list[str]:
        return [client.app.get_text(client.app.add_note(str(i))) for i in range(25)]

    for adding in [InBackground(add_notes) for _ in range(8)]:
        assert adding.result() == [str(i) for i in range(25)]
    assert len(client.get_notifications(1, 1_000)) == 200


def test_calls_go_through_again_when_the_server_is_back(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    note_id = client.app.add_note("kept")
    server.stop(wait=True)
    with pytest.raises(ServiceUnavailable):
        client.ping()

    def is_back() -> bool:
        try:
            client.ping()
        except ServiceUnavailable:
            return False
        return True

    server.start()
    assert wait_until(is_back) < 5
    assert client.app.get_text(note_id) == "kept"


def test_proxy_has_the_applications_name_and_log(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    assert client.name == client.app.name == "Notebook"
    assert isinstance(client.app.notification_log, NotificationLog)
    assert "Notebook on localhost" in repr(client.app)


@pytest.mark.parametrize("name", ["shelf", "repository", "__fspath__", "__len__"])
def test_proxy_has_no_properties_of_the_application(
    serve: Serve, client_of: ClientOf, name: str
) -> None:
    client = client_of(Notebook, serve(Notebook))
    with pytest.raises(AttributeError, match=name):
        getattr(client.app, name)


def test_what_belongs_to_an_attribute_can_not_be_reached(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    with pytest.raises(AttributeError, match=r"Notebook\.recorder\.select_notifications"):
        client.app.recorder.select_notifications(1, 10)


def test_owner_is_taken() -> None:
    client = connect(Notebook, address_env(Notebook, free_address()), owner_name="Bank")
    client.close()


def test_clients_are_of_applications() -> None:
    with pytest.raises(TypeError, match="Not an application class"):
        connect(cast(type[Notebook], dict), {})


def test_failed_connection_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ServiceUnavailable):
        connect(Bank, address_env(Bank, free_address()), max_attempts=1)
    wait_until(lambda: threading.active_count() <= before, timeout=DEADLINE)
