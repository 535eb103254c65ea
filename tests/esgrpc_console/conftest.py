"""Servers of the example system in this process, and views of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from time import monotonic

import pytest
from eventsourcing.utils import EnvType

from esgrpc_console.system_view import ConnectionOptions, SystemView
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Payments, Reservations, system
from tests.waiting import free_port

Servers = dict[str, GrpcApplicationServer]


def free_addresses(names: tuple[str, ...]) -> dict[str, str]:
    """Returns the environment variables that give each application a free address."""
    return {f"{name.upper()}_GRPC_SERVER_ADDRESS": f"127.0.0.1:{free_port()}" for name in names}


async def wait_for(condition: Callable[[], bool], what: str, timeout: float = 15.0) -> None:
    """Waits until a condition is true, and fails when it takes too long."""
    deadline = monotonic() + timeout
    while not condition():
        assert monotonic() < deadline, f"not within {timeout:.0f} s: {what}"
        await asyncio.sleep(0.05)


async def stop(server: GrpcApplicationServer) -> None:
    """Stops a server, while those who listen to it in this event loop hear that it stops."""
    await asyncio.to_thread(server.stop, wait=True)


QUICK = ConnectionOptions(interval=0.1)
"""Lets servers say ten times a second how they are."""


@pytest.fixture
def example_env() -> EnvType:
    return free_addresses(("Orders", "Reservations", "Payments"))


@pytest.fixture
def own_addresses(example_env: EnvType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the example be run on addresses that nobody else takes, also while a server is away."""
    for name, address in example_env.items():
        monkeypatch.setenv(name, address)


@pytest.fixture
def servers(example_env: EnvType) -> Iterator[Servers]:
    classes = (Orders, Reservations, Payments)
    running = {cls.name: GrpcApplicationServer(cls, example_env, system=system) for cls in classes}
    for server in running.values():
        server.start()
    yield running
    for server in running.values():
        server.stop()
    for server in running.values():
        server.wait_for_termination()


@pytest.fixture
async def view(servers: Servers) -> AsyncIterator[SystemView]:
    async with SystemView(servers["Orders"].address, env={}, options=QUICK) as view:
        yield view
