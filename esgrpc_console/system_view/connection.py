"""One connection to one application's server: watches it, and finds it again when it is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc

from esgrpc_console.system_view.backoff import Backoff
from esgrpc_console.system_view.channels import ChannelOpener
from esgrpc_console.system_view.discovery import DESCRIBE_TIMEOUT, Discovered
from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.messages import ServerClock, description_from, status_from
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import Health
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

if TYPE_CHECKING:
    from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsAsyncStub

_LEAST_SILENCE = 3.0
_SILENT_INTERVALS = 4

_HEALTH = {
    health_pb2.HealthCheckResponse.SERVING: Health.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING: Health.NOT_SERVING,
}


class ApplicationConnection:
    """Keeps one application's part of a :class:`SystemState` current until it is stopped."""

    operations: OperationsAsyncStub
    """For requests. Another one after a lost connection."""

    def __init__(
        self,
        name: str,
        address: str,
        opener: ChannelOpener,
        state: SystemState,
        *,
        interval: float,
        clock: Callable[[], float],
        discovered: Callable[[Iterable[pb.SystemApplication]], None],
        found: Discovered | None = None,
        hint: str = "",
    ) -> None:
        """
        :param interval: how often the server is to say how it is, in seconds.
        :param discovered: is told of the system's applications each time the server describes them.
        :param found: the server, where it has been asked already. Its channel is taken over.
        :param hint: is added to why the server can't be reached while it never has been.
        :raises OptionError: when certificates are missing or can't be used.
        """
        self.name = name
        self.has_been_heard = asyncio.Event()
        """Whether its server has told how it is, or has been found not to answer."""
        self._address = address
        self._opener = opener
        self._state = state
        self._interval = interval
        self._clock = clock
        self._discovered = discovered
        self._description = found.description if found else None
        self._hint = hint
        self._backoff = Backoff()
        self._server_clock = ServerClock()
        self._last_heard = clock()
        self._last_message = 0.0
        self._lost_with: tuple[str, str] | None = None
        self._is_health_known = False
        self._task: asyncio.Task[None] | None = None
        self._use(found.channel if found else opener.open(address))

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

    def _use(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.operations = OperationsStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)

    async def _run(self) -> None:
        while True:
            try:
                await self._renew_channel()
                await self._watch()
                why = "the server ended the connection"
            except grpc.aio.AioRpcError as e:
                why = await self._explain(e)
            except TimeoutError:
                why = "no answer in time"
            except RequestFailed as e:
                why = str(e)
            except Exception as e:
                # Whatever keeps it from being understood: what is shown must not look current.
                why = f"what it says can't be understood: {type(e).__name__}: {e}"
            if self._opener.refusal:
                why += f" (and the new certificate files can't be used: {self._opener.refusal})"
            self._state.lose(self.name, f"{why}{self._hint}", since=self._last_heard)
            self.has_been_heard.set()
            await asyncio.sleep(self._backoff.next_delay())

    async def _explain(self, error: grpc.aio.AioRpcError) -> str:
        details = error.details() or ""
        if self._lost_with is None or self._lost_with[0] != details:
            self._lost_with = details, await self._opener.explain(error, self._address)
        return self._lost_with[1]

    async def _renew_channel(self) -> None:
        """Opens another channel where certificates are others now: this one would keep the old."""
        if self._opener.is_outdated(self._channel):
            channel = self._opener.open(self._address)
            await self._channel.close(None)
            self._use(channel)

    async def _watch(self) -> None:
        """Watches until the server goes away: then it raises, or returns.

        :raises RequestFailed: when another application is served there.
        """
        described, self._description = self._description, None
        if described is None:
            described = await self.operations.Describe(
                pb.DescribeRequest(), timeout=DESCRIBE_TIMEOUT
            )
        if described.name != self.name:
            msg = f"{described.name or 'something else'} is served there"
            raise RequestFailed(msg)
        self._hint = ""
        self._state.describe(self.name, description_from(described))
        self._discovered(described.applications)
        health = asyncio.create_task(self._watch_health(), name=f"watch health of {self.name}")
        try:
            await self._watch_status()
        finally:
            health.cancel()
            await asyncio.gather(health, return_exceptions=True)

    async def _watch_status(self) -> None:
        """
        :raises TimeoutError: when nothing has been heard for too long.
        """
        reading = asyncio.create_task(self._read_statuses(), name=f"read status of {self.name}")
        # One look now and then costs less than a timeout for each message.
        silence = asyncio.create_task(self._wait_for_silence(), name=f"silence of {self.name}")
        try:
            await asyncio.wait({reading, silence}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise TimeoutError
            await reading
        finally:
            for task in (reading, silence):
                task.cancel()
            await asyncio.gather(reading, silence, return_exceptions=True)

    async def _wait_for_silence(self) -> None:
        longest = max(_LEAST_SILENCE, _SILENT_INTERVALS * self._interval)
        started, left = time.monotonic(), longest
        while left > 0:
            await asyncio.sleep(left)
            left = max(started, self._last_message) + longest - time.monotonic()

    async def _read_statuses(self) -> None:
        interval = Duration()
        interval.FromNanoseconds(int(self._interval * 1e9))
        call = self.operations.Watch(pb.WatchRequest(interval=interval))
        while True:
            message = await call.read()
            if not isinstance(message, pb.ApplicationStatus):
                return
            self._last_message = time.monotonic()
            self._last_heard = self._clock()
            self._lost_with = None
            self._backoff.reset()
            status = status_from(message, clock=self._server_clock, now=self._last_heard)
            self._state.hear(self.name, status)
            self._note_heard()

    async def _watch_health(self) -> None:
        backoff = Backoff()
        while True:
            try:
                call = self._health.Watch(health_pb2.HealthCheckRequest())
                async for response in call:
                    backoff.reset()
                    self._hear_health(_HEALTH.get(response.status, Health.UNKNOWN))
            except grpc.aio.AioRpcError as e:
                if e.code() is grpc.StatusCode.UNIMPLEMENTED:
                    self._hear_health(Health.UNKNOWN)
                    return
            await asyncio.sleep(backoff.next_delay())

    def _hear_health(self, health: Health) -> None:
        self._state.set_health(self.name, health)
        self._is_health_known = True
        self._note_heard()

    def _note_heard(self) -> None:
        if self._is_health_known and self._state.applications[self.name].status is not None:
            self.has_been_heard.set()
