"""Finds a system by the addresses of some of its servers: the first that answers describes it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from esgrpc_console.system_view.channels import ChannelOpener
from esgrpc_console.system_view.failures import SystemUnreachable
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

DESCRIBE_TIMEOUT = 5.0


@dataclass(frozen=True)
class Discovered:
    """A server that has answered."""

    address: str
    channel: grpc.aio.Channel
    """Open. Whoever takes it closes it."""
    description: pb.DescribeResponse


async def discover(addresses: Sequence[str], opener: ChannelOpener) -> Discovered:
    """Asks all addresses at once, and returns the one that answers first.

    Takes 5 s at most, and 2 s more where a server has to be asked about TLS.

    :raises SystemUnreachable: when none answers, with the reason of each.
    :raises OptionError: when certificates are missing or can't be used.
    """
    channels: dict[str, grpc.aio.Channel] = {}
    tasks: dict[asyncio.Task[pb.DescribeResponse], str] = {}
    errors: dict[str, grpc.aio.AioRpcError] = {}
    winner = ""
    try:
        for address in dict.fromkeys(addresses):
            channels[address] = opener.open(address)
        for address, channel in channels.items():
            task = asyncio.create_task(_describe(channel), name=f"discover {address}")
            tasks[task] = address
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                address = tasks[task]
                try:
                    described = task.result()
                except grpc.aio.AioRpcError as e:
                    errors[address] = e
                    continue
                winner = address
                return Discovered(address, channels[address], described)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for address, channel in channels.items():
            if address != winner:
                await channel.close(None)
    reasons = await asyncio.gather(
        *(opener.explain(errors[address], address) for address in channels)
    )
    raise SystemUnreachable(dict(zip(channels, reasons, strict=True)))


async def _describe(channel: grpc.aio.Channel) -> pb.DescribeResponse:
    return await OperationsStub(channel).Describe(pb.DescribeRequest(), timeout=DESCRIBE_TIMEOUT)
