"""The life cycle of a server: start, serve, stop, and start again."""

from __future__ import annotations

import socket
import threading
from functools import partial
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import grpc
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import Notification
from eventsourcing.utils import EnvType
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from eventsourcing_grpc.application_server import (
    AddressUnavailableError,
    GrpcApplicationServer,
    start_server,
    start_server_subprocess,
)
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.errors import ServiceUnavailable, TooManyStreamsError
from eventsourcing_grpc.protos.operations_pb2 import DescribeRequest
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.server import serving
from tests.applications import Notebook
from tests.serving import (
    SERVER_THREADS,
    ClientOf,
    InBackground,
    Serve,
    address_env,
    free_address,
    sqlite_env,
)
from tests.waiting import DEADLINE, wait_until

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
SERVICES = ("eventsourcing_grpc.v1.Application", "eventsourcing_grpc.v1.Operations")


class BadlyClosed(Application[UUID]):
    def close(self) -> None:
        if not self.closing.is_set():
            self.closing.set()
            msg = "can't be closed"
            raise RuntimeError(msg)


class BadlyMade(Application[UUID]):
    is_bad = True

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        if self.is_bad:
            msg = "bad from the start"
            raise RuntimeError(msg)


def server_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith(SERVER_THREADS)]


def application_of(server: GrpcApplicationServer) -> Notebook:
    assert isinstance(server.application, Notebook)
    return server.application


def test_address_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    address = free_address()
    monkeypatch.setenv("NOTEBOOK_GRPC_SERVER_ADDRESS", address)
    server = start_server(Notebook)
    try:
        assert server.address == address
        with grpc.insecure_channel(address) as channel:
            response = HealthStub(channel).Check(HealthCheckRequest(), timeout=DEADLINE)
        assert response.status == SERVING
    finally:
        server.stop(wait=True)


def test_events_tell_of_start_and_stop() -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()))
    assert not server.has_started.is_set()
    server.start()
    assert server.has_started.is_set()
    assert not server.has_stopped.is_set()
    server.stop(wait=True)
    assert server.is_stopping.is_set()
    assert server.has_stopped.is_set()


def test_construction_opens_nothing(tmp_path: Path) -> None:
    database = tmp_path / "notes.db"
    GrpcApplicationServer(
        Notebook, {**address_env(Notebook, free_address()), **sqlite_env(database)}
    )
    assert not database.exists()
    assert server_threads() == []


def test_starting_a_started_server_changes_nothing(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    threads = server_threads()
    server.start()
    assert server_threads() == threads
    client_of(Notebook, server).ping()


def test_stopping_twice_changes_nothing(serve: Serve) -> None:
    server = serve(Notebook)
    server.stop(wait=True)
    server.stop(wait=True)
    assert server.has_stopped.is_set()


def test_server_that_was_never_started_can_be_stopped() -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()))
    server.stop(wait=True)
    server.start()
    assert not server.is_stopping.is_set()
    server.stop(wait=True)


def test_server_stops_when_the_callers_event_is_set(client_of: ClientOf) -> None:
    is_stopping = threading.Event()
    server = start_server(Notebook, address_env(Notebook, free_address()), is_stopping)
    is_stopping.set()
    server.wait_for_termination()
    with pytest.raises(ServiceUnavailable):
        client_of(Notebook, server).ping()


def test_stop_ends_all_threads(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_note("x")
    subscription = client.subscribe()
    next(subscription)
    server.stop(wait=True)
    assert server_threads() == []


def test_restarted_server_still_has_what_is_in_memory(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    before = client.app.add_note("before")
    server.stop(wait=True)
    server.start()
    after = client.app.add_note("after")
    assert client.app.get_text(before) == "before"
    assert client.app.get_text(after) == "after"
    assert [n.originator_id for n in client.get_notifications(1, 10)] == [before, after]
    with client.subscribe() as subscription:
        assert [next(subscription).id, next(subscription).id] == [1, 2]


def test_restarted_server_still_has_what_is_in_its_file(
    serve: Serve, client_of: ClientOf, tmp_path: Path
) -> None:
    server = serve(Notebook, **sqlite_env(tmp_path / "notes.db"))
    client = client_of(Notebook, server)
    note_id = client.app.add_note("kept")
    server.stop(wait=True)
    server.start()
    assert client.app.get_text(note_id) == "kept"


def test_application_is_reachable_in_the_servers_process(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    note_id = application_of(server).add_note("local")
    assert client_of(Notebook, server).app.get_text(note_id) == "local"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_port_0_is_replaced_by_the_port_that_was_chosen(
    serve: Serve, client_of: ClientOf, host: str
) -> None:
    server = serve(Notebook, address=f"{host}:0")
    assert server.address.startswith(f"{host}:")
    assert not server.address.endswith(":0")
    client_of(Notebook, server).ping()


def test_operators_are_told_the_port_that_was_chosen(serve: Serve) -> None:
    server = serve(Notebook, address="localhost:0")
    with grpc.insecure_channel(server.address) as channel:
        description = OperationsStub(channel).Describe(DescribeRequest(), timeout=DEADLINE)
    assert [application.address for application in description.applications] == [server.address]


def test_unix_socket_can_be_listened_on(serve: Serve, client_of: ClientOf, tmp_path: Path) -> None:
    server = serve(Notebook, address=f"unix:{tmp_path / 'socket'}")
    client = client_of(Notebook, server)
    assert client.app.get_text(client.app.add_note("x")) == "x"


def test_second_server_on_an_address_is_refused(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    with pytest.raises(AddressUnavailableError) as caught:
        serve(BadlyClosed, address=server.address)
    assert "BadlyClosed" in str(caught.value)
    assert server.address in str(caught.value)
    assert "taken" in str(caught.value)
    client_of(Notebook, server).ping()


def test_address_that_something_else_listens_on_is_refused(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = f"localhost:{sock.getsockname()[1]}"
        with pytest.raises(AddressUnavailableError, match="taken"):
            serve(Notebook, address=address)


def test_server_that_could_not_start_can_be_started_later(client_of: ClientOf) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = f"localhost:{sock.getsockname()[1]}"
        server = GrpcApplicationServer(Notebook, address_env(Notebook, address))
        with pytest.raises(AddressUnavailableError):
            server.start()
        assert not server.has_started.is_set()
    server.start()
    try:
        client_of(Notebook, server).ping()
        assert not server.is_stopping.is_set()
    finally:
        server.stop(wait=True)


def test_server_whose_services_could_not_be_made_can_be_started_later(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()))

    def fail(_app_class: type) -> NoReturn:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(serving, "ExposedMethods", fail)
        with pytest.raises(MemoryError):
            server.start()
    assert server_threads() == []
    server.start()
    try:
        client_of(Notebook, server).ping()
        assert not server.is_stopping.is_set()
    finally:
        server.stop(wait=True)


def test_what_the_applications_constructor_raises_is_raised(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = GrpcApplicationServer(BadlyMade, address_env(BadlyMade, free_address()))
    with pytest.raises(RuntimeError, match="bad from the start"):
        server.start()
    assert server_threads() == []
    monkeypatch.setattr(BadlyMade, "is_bad", False)
    server.start()
    client_of(BadlyMade, server).ping()
    server.stop(wait=True)


def test_system_without_the_application_is_refused() -> None:
    env = {**address_env(Notebook, free_address()), "SYSTEM_TOPIC": "eventsourcing_grpc.example"}
    with pytest.raises(EnvironmentVariableError, match="without Notebook"):
        GrpcApplicationServer(Notebook, env)


def test_stop_returns_when_the_application_can_not_be_closed(serve: Serve) -> None:
    server = serve(BadlyClosed)
    server.stop()
    assert server.has_stopped.wait(DEADLINE)


def test_call_in_progress_comes_to_its_end_when_the_server_stops(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    waiting = InBackground(client.app.wait_in_command)
    assert client.app.await_waiting()
    server.stop()
    application_of(server).release()
    assert waiting.result() == 1


def test_call_that_does_not_end_is_cut_off_within_3_seconds(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    waiting = InBackground(client.app.wait_in_command)
    assert client.app.await_waiting()
    server.stop()
    assert server.has_stopped.wait(3)
    with pytest.raises(ServiceUnavailable) as caught:
        waiting.result()
    assert "not known" in caught.value.__notes__[0]
    application_of(server).release()


def test_server_stops_while_a_stream_waits_for_a_database_that_does_not_answer(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()))
    application_of(server).add_note("recorded before the start")
    server.start()
    is_asked, may_answer = threading.Event(), threading.Event()

    def hang(**_: object) -> list[Notification]:
        is_asked.set()
        may_answer.wait(DEADLINE)
        return []

    monkeypatch.setattr(server.application.recorder, "select_notifications", hang)
    with client_of(Notebook, server).subscribe() as subscription:
        waiting = InBackground(lambda: list(subscription))
        assert is_asked.wait(DEADLINE)
        server.stop()
        try:
            assert server.has_stopped.wait(4)
        finally:
            may_answer.set()
    assert waiting.result() == []
    wait_until(lambda: server_threads() == [])


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_health_is_told_of_the_server_and_of_each_service(serve: Serve, service: str) -> None:
    server = serve(Notebook)
    with grpc.insecure_channel(server.address) as channel:
        stub = HealthStub(channel)
        request = HealthCheckRequest(service=service)
        assert stub.Check(request, timeout=DEADLINE).status == SERVING
        statuses = iter(stub.Watch(request, timeout=DEADLINE))
        assert next(statuses).status == SERVING
        server.stop()
        assert next(statuses).status == NOT_SERVING


def test_health_is_told_while_all_calls_are_busy(client_of: ClientOf) -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()), max_workers=1)
    server.start()
    try:
        client = client_of(Notebook, server)
        waiting = InBackground(client.app.wait_in_command)
        assert application_of(server).await_waiting()
        client.ping()
        with grpc.insecure_channel(server.address) as channel:
            watching = HealthStub(channel).Watch(HealthCheckRequest(), timeout=DEADLINE)
            assert next(iter(watching)).status == SERVING
        application_of(server).release()
        assert waiting.result() == 1
    finally:
        server.stop(wait=True)


def test_watchers_of_the_health_that_come_and_go_hinder_nobody(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)

    def watch_often() -> None:
        # Without a connection in common with the others.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.address, options) as channel:
            for _ in range(50):
                watching = HealthStub(channel).Watch(HealthCheckRequest(), timeout=DEADLINE)
                assert next(iter(watching)).status == SERVING
                watching.cancel()

    for watcher in [InBackground(watch_often) for _ in range(8)]:
        watcher.result()
    client_of(Notebook, server).ping()


def test_health_of_what_is_not_served_is_not_known(serve: Serve) -> None:
    request = HealthCheckRequest(service="elsewhere.Service")
    with grpc.insecure_channel(serve(Notebook).address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            HealthStub(channel).Check(request, timeout=DEADLINE)
        assert isinstance(caught.value, grpc.Call)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watching = iter(HealthStub(channel).Watch(request, timeout=DEADLINE))
        assert next(watching).status == HealthCheckResponse.SERVICE_UNKNOWN


def test_reflection_names_the_services(serve: Serve) -> None:
    server = serve(Notebook)
    with grpc.insecure_channel(server.address) as channel:
        requests = [
            ServerReflectionRequest(list_services=""),
            ServerReflectionRequest(file_containing_symbol=SERVICES[0]),
        ]
        stub = ServerReflectionStub(channel)
        names, file = stub.ServerReflectionInfo(iter(requests), timeout=DEADLINE)
    assert {*SERVICES, "grpc.health.v1.Health"} <= {
        service.name for service in names.list_services_response.service
    }
    assert file.file_descriptor_response.file_descriptor_proto


def test_streams_take_no_thread_that_a_call_needs(client_of: ClientOf) -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, free_address()), max_workers=1)
    server.start()
    try:
        client = client_of(Notebook, server)
        client.app.add_note("first")
        subscriptions = [client.subscribe() for _ in range(20)]
        assert {next(subscription).id for subscription in subscriptions} == {1}
        client.app.add_note("second")
        assert {next(subscription).id for subscription in subscriptions} == {2}
    finally:
        server.stop(wait=True)


def test_streams_beyond_the_limit_are_refused(
    serve: Serve, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "StreamPool", partial(StreamPool, max_streams=3))
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_note("x")
    subscriptions = [client.subscribe() for _ in range(3)]
    assert {next(subscription).id for subscription in subscriptions} == {1}
    for _ in range(30):
        with pytest.raises(TooManyStreamsError, match="3 streams") as caught:
            next(client.subscribe())
        assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert client.app.get_name() == "Notebook"
    # A place that is given back can be taken.
    subscriptions[0].close()

    def is_served() -> bool:
        try:
            return next(client.subscribe()).id == 1
        except TooManyStreamsError:
            return False

    wait_until(is_served)


def test_server_in_a_process_of_its_own(client_of: ClientOf) -> None:
    has_errored = threading.Event()
    env = address_env(Notebook, free_address())
    process = start_server_subprocess(Notebook, env, has_errored)
    try:
        assert process.has_started.is_set()
        client = client_of(Notebook, process.address)
        assert client.app.get_text(client.app.add_note("elsewhere")) == "elsewhere"
    finally:
        process.stop()
    assert process.has_stopped.is_set()
    assert not process.has_errored.is_set()
    assert not has_errored.is_set()
