"""One connection to one application's server: watches it, and finds it again when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import grpc
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc

from esgrpc_console.system_view.backoff import Backoff
from esgrpc_console.system_view.failures import explain
from esgrpc_console.system_view.messages import ServerClock, description_from, status_from
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import Health
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

DESCRIBE_TIMEOUT = 5.0
_LEAST_SILENCE = 3.0
_SILENT_INTERVALS = 4

_HEALTH = {
    health_pb2.HealthCheckResponse.SERVING: Health.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING: Health.NOT_SERVING,
}

Discovered = Callable[[Iterable[pb.SystemApplication]], None]


class ApplicationConnection:
    """Keeps one application's part of a :class:`SystemState` current until it is stopped."""

    def __init__(
        self,
        name: str,
        channel: grpc.aio.Channel,
        state: SystemState,
        *,
        interval: float,
        clock: Callable[[], float],
        discovered: Discovered,
    ) -> None:
        """
        :param channel: to the application's server. It is closed by :meth:`stop`.
        :param interval: how often the server is to say how it is, in seconds.
        :param discovered: is told of the system's applications each time the server describes them.
        """
        self.name = name
        self.operations = OperationsStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)
        self._channel = channel
        self._state = state
        self._interval = interval
        self._clock = clock
        self._discovered = discovered
        self._backoff = Backoff()
        self._server_clock = ServerClock()
        self._last_heard = clock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts watching, in a task of the running event loop."""
        self._task = asyncio.create_task(self._run(), name=f"watch {self.name}")

    async def stop(self) -> None:
        """Stops watching and closes the channel."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._channel.close(None)

    async def _run(self) -> None:
        while True:
            try:
                await self._watch()
                why = "the server ended the connection"
            except grpc.aio.AioRpcError as e:
                why = explain(e)
            except TimeoutError:
                why = "no answer in time"
            self._state.lose(self.name, why, since=self._last_heard)
            await asyncio.sleep(self._backoff.next_delay())

    async def _watch(self) -> None:
        """Watches until the server goes away: then it raises, or returns."""
        described = await self.operations.Describe(pb.DescribeRequest(), timeout=DESCRIBE_TIMEOUT)
        if described.name != self.name:
            why = f"{described.name or 'something else'} is served there"
            self._state.lose(self.name, why, since=self._last_heard)
            await asyncio.sleep(self._backoff.next_delay())
            return
        self._state.describe(self.name, description_from(described))
        self._discovered(described.applications)
        health = asyncio.create_task(self._watch_health(), name=f"watch health of {self.name}")
        try:
            await self._watch_status()
        finally:
            health.cancel()
            await asyncio.wait([health])

    async def _watch_status(self) -> None:
        interval = Duration()
        interval.FromNanoseconds(int(self._interval * 1e9))
        call = self.operations.Watch(pb.WatchRequest(interval=interval))
        silence = max(_LEAST_SILENCE, _SILENT_INTERVALS * self._interval)
        while True:
            async with asyncio.timeout(silence):
                message = await call.read()
            if not isinstance(message, pb.ApplicationStatus):
                return
            self._last_heard = self._clock()
            self._backoff.reset()
            status = status_from(message, clock=self._server_clock, now=self._last_heard)
            self._state.hear(self.name, status)

    async def _watch_health(self) -> None:
        backoff = Backoff()
        while True:
            health = Health.UNKNOWN
            try:
                call = self._health.Watch(health_pb2.HealthCheckRequest())
                async for response in call:
                    backoff.reset()
                    health = _HEALTH.get(response.status, Health.UNKNOWN)
                    self._state.set_health(self.name, health)
            except grpc.aio.AioRpcError as e:
                if e.code() is grpc.StatusCode.UNIMPLEMENTED:
                    self._state.set_health(self.name, Health.UNKNOWN)
                    return
            await asyncio.sleep(backoff.next_delay())
