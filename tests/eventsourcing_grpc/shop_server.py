"""The shop on a real server: ``pytest_plugins = ["tests.eventsourcing_grpc.shop_server"]``."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from tests.eventsourcing_grpc.shop import Shop
from tests.waiting import addresses_of


@pytest.fixture
def server() -> Iterator[GrpcApplicationServer]:
    started = GrpcApplicationServer(Shop, addresses_of(Shop))
    started.start()
    yield started
    started.stop(wait=True)


@pytest.fixture
def stub(server: GrpcApplicationServer) -> Iterator[OperationsStub]:
    with grpc.insecure_channel(server.address) as channel:
        yield OperationsStub(channel)
