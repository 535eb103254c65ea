"""Requests whose channel is closed while they wait, or before they are sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest

from esgrpc_console.system_view import CallFailed, ServerUnavailable
from esgrpc_console.system_view.requests import SystemRequests
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

if TYPE_CHECKING:
    from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsAsyncStub


class Requests(SystemRequests):
    """Asks one server, whatever the application."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.has_asked = asyncio.Event()

    def _operations(self, application: str) -> OperationsAsyncStub:
        self.has_asked.set()
        return OperationsStub(self.channel)


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    """Requests to a server that accepts connections, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}")
        yield Requests(channel)
        await channel.close(None)


async def test_a_read_fails_when_its_channel_is_closed(requests: Requests) -> None:
    reading = asyncio.create_task(requests.read_events("Orders"))
    await requests.has_asked.wait()
    await requests.channel.close(None)
    with pytest.raises(ServerUnavailable, match="renewed"):
        await reading
    with pytest.raises(ServerUnavailable, match="renewed"):
        await requests.read_events("Orders")


async def test_the_outcome_of_a_call_is_unknown_only_when_it_was_sent(requests: Requests) -> None:
    calling = asyncio.create_task(requests.call_method("Orders", "create_new_order", {}))
    await requests.has_asked.wait()
    await requests.channel.close(None)
    with pytest.raises(CallFailed, match="renewed") as sent:
        await calling
    assert sent.value.is_outcome_unknown
    with pytest.raises(CallFailed, match="renewed") as refused:
        await requests.call_method("Orders", "create_new_order", {})
    assert not refused.value.is_outcome_unknown


async def test_a_read_that_is_given_up_is_cancelled(requests: Requests) -> None:
    reading = asyncio.create_task(requests.read_events("Orders"))
    await requests.has_asked.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
