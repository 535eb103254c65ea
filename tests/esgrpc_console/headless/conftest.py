"""Servers that all tests of commands share: the example system, and two that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from eventsourcing.application import Application
from eventsourcing.system import System

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Payments, Reservations
from eventsourcing_grpc.example import system as example
from tests.esgrpc_console.shop import Complaints, Shop, failing_system
from tests.waiting import addresses_of


@dataclass(frozen=True)
class ServedSystem:
    """A system that is served by this process."""

    servers: dict[str, GrpcApplicationServer]

    @property
    def address(self) -> str:
        """Of one of its servers."""
        return next(iter(self.servers.values())).address


@pytest.fixture(scope="package")
def orders() -> Iterator[ServedSystem]:
    """The example system. Tests add orders to it, and leave it as healthy as it was."""
    with ExitStack() as stack:
        yield _serve(stack, example, (Orders, Reservations, Payments))


@pytest.fixture(scope="package")
def shop() -> Iterator[ServedSystem]:
    """A shop with unkind texts, and a follower that can't process anything."""
    with ExitStack() as stack:
        yield _serve(stack, failing_system, (Shop, Complaints))


def label(server: GrpcApplicationServer, count: int = 1, text: str = "x") -> None:
    """Adds items with a label to a shop."""
    application = server.application
    assert isinstance(application, Shop)
    for _ in range(count):
        application.label(text)


def _serve(
    stack: ExitStack, system: System, classes: Sequence[type[Application[Any]]]
) -> ServedSystem:
    env = addresses_of(*classes)
    servers = {cls.name: GrpcApplicationServer(cls, env, system=system) for cls in classes}
    for server in servers.values():
        server.start()
        stack.callback(server.wait_for_termination)
        stack.callback(server.stop)
    return ServedSystem(servers)
