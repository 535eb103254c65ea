"""Servers, clients and threads that end with the test that started them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest
from eventsourcing.application import Application, TApplication
from eventsourcing.utils import get_topic

from eventsourcing_grpc.application_client import GrpcApplicationClient, connect
from eventsourcing_grpc.application_server import GrpcApplicationServer, start_server
from eventsourcing_grpc.environment import APPLICATION_TOPIC, SERVER_ADDRESS, variable_name
from eventsourcing_grpc.protos.operations_pb2 import ApplicationStatus, WatchRequest
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.server_process import ServerProcess
from tests.waiting import DEADLINE, free_port

SERVER_THREADS = (
    "calls ",
    "streams ",
    "health ",
    "notification-",
    "database-session ",
    "following ",
    "stopper ",
)
"""How the names of the threads begin that servers own."""


def free_address() -> str:
    """Returns an address that nobody listens on."""
    return f"localhost:{free_port()}"


def address_env(app_class: type[Application[Any]], address: str) -> dict[str, str]:
    """Returns the environment in which an application has an address."""
    return {variable_name(app_class.name, SERVER_ADDRESS): address}


def sqlite_env(path: Path) -> dict[str, str]:
    """Returns the environment in which events are recorded in a file."""
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}


def status_of(server: GrpcApplicationServer) -> ApplicationStatus:
    """Returns what a server tells operators."""
    with grpc.insecure_channel(server.address) as channel:
        return next(iter(OperationsStub(channel).Watch(WatchRequest(), timeout=DEADLINE)))


class InBackground:
    """Runs a function in a thread of its own, and tells what came of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="test", daemon=True)
        self._thread.start()

    def result(self, timeout: float = DEADLINE) -> Any:
        """Returns what the function returned, or raises what it raised."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the thread did not end in time"
        if self._error is not None:
            raise self._error
        return self._result

    @property
    def is_running(self) -> bool:
        """Tells whether the function has not returned yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as e:
            self._error = e


class Serve(Protocol):
    """Starts a server in this process."""

    def __call__(
        self, app_class: type[Application[Any]], *, address: str = ..., **env: str
    ) -> GrpcApplicationServer: ...


class Spawn(Protocol):
    """Starts a server in a process of its own."""

    def __call__(
        self, app_class: type[Application[Any]], *, address: str = ..., **env: str
    ) -> ServerProcess: ...


class ClientOf(Protocol):
    """Makes a client of a server, or of an address. It does not wait for the server."""

    def __call__(
        self,
        app_class: type[TApplication],
        server: GrpcApplicationServer | ServerProcess | str,
        **env: str,
    ) -> GrpcApplicationClient[TApplication]: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, which are stopped when the test ends."""
    with ExitStack() as stack:

        def start(
            app_class: type[Application[Any]], *, address: str = "", **env: str
        ) -> GrpcApplicationServer:
            address = address or free_address()
            server = start_server(app_class, {**address_env(app_class, address), **env})
            stack.callback(server.stop, wait=True)
            return server

        yield start


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts servers in processes of their own, which are stopped when the test ends."""
    with ExitStack() as stack:

        def start(
            app_class: type[Application[Any]], *, address: str = "", **env: str
        ) -> ServerProcess:
            process = ServerProcess(
                app_class.name,
                {
                    **address_env(app_class, address or free_address()),
                    APPLICATION_TOPIC: get_topic(app_class),
                    **env,
                },
                output=lambda name, line: None,
            )
            process.start()
            stack.callback(process.stop)
            process.wait_until_serving()
            return process

        yield start


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """Makes clients, which are closed when the test ends."""
    with ExitStack() as stack:

        def make(
            app_class: type[TApplication],
            server: GrpcApplicationServer | ServerProcess | str,
            **env: str,
        ) -> GrpcApplicationClient[TApplication]:
            address = server if isinstance(server, str) else server.address
            assert issubclass(app_class, Application)
            return stack.enter_context(
                connect(app_class, {**address_env(app_class, address), **env})
            )

        yield make
