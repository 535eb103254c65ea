"""A connection to a whole system, by the address of any one of its servers."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc

from esgrpc_console.system_view.connection import DESCRIBE_TIMEOUT, ApplicationConnection
from esgrpc_console.system_view.failures import (
    RequestFailed,
    SystemUnreachable,
    call_failed,
    explain,
)
from esgrpc_console.system_view.messages import aggregate_from, event_from, page_from
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import (
    AggregateView,
    ApplicationView,
    CallResult,
    EventPage,
    EventView,
    Health,
)
from eventsourcing_grpc.channels import CHANNEL_OPTIONS
from eventsourcing_grpc.credentials import channel_credentials
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

if TYPE_CHECKING:
    from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsAsyncStub

READ_TIMEOUT = 10.0
CALL_TIMEOUT = 60.0
CONTROL_TIMEOUT = 10.0


class SystemView:
    """Watches every application of a system, and asks its servers for what isn't watched.

    An asynchronous context manager. What is known is in ``state``, and is kept current in tasks of
    the event loop that entered it, until it is left. A server that goes away is stale in ``state``,
    with the reason, until it is found again.
    """

    def __init__(
        self,
        address: str,
        *,
        env: Mapping[str, str] | None = None,
        interval: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param address: of any server of the system, as ``localhost:50051``.
        :param env: where the ``GRPC_SSL_*`` variables are, by default ``os.environ``.
        :param interval: how often each server is to say how it is, in seconds.
        """
        self.state = SystemState()
        self._address = address
        self._env = dict(os.environ if env is None else env)
        self._interval = interval
        self._clock = clock
        self._connections: dict[str, ApplicationConnection] = {}

    async def __aenter__(self) -> Self:
        """Connects to the system.

        :raises SystemUnreachable: when there is no application server on the address.
        :raises ValueError: when certificate files are missing or can't be used.
        """
        channel = self._open_channel(self._address)
        try:
            described = await OperationsStub(channel).Describe(
                pb.DescribeRequest(), timeout=DESCRIBE_TIMEOUT, wait_for_ready=False
            )
        except grpc.aio.AioRpcError as e:
            msg = f"There is no system to be reached on {self._address}: {explain(e)}"
            raise SystemUnreachable(msg) from e
        finally:
            await channel.close(None)
        # The address that was given is known to work; what the server calls itself need not.
        self._connect(described.name, self._address, described.follows)
        self._discover(described.applications)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends all tasks and closes all connections."""
        await asyncio.gather(*(connection.stop() for connection in self._connections.values()))

    async def read_events(
        self,
        application: str,
        *,
        start: int | None = None,
        limit: int = 100,
        is_backwards: bool = False,
        topics: Sequence[str] = (),
        originator_id: str = "",
        text: str = "",
        with_state: bool = True,
    ) -> EventPage:
        """Reads one page of an application's notification log, decoded by its server.

        The page may be shorter than the limit, or empty, without being the end of the log: go on
        behind ``read_through`` until ``is_end``.

        :param start: the first ID wanted, by default the first or last of the log.
        :param topics: of the events wanted, by default all.
        :param originator_id: of the aggregate whose events are wanted, by default all.
        :param text: only events that have it in their topic, originator ID or state, in any case.
        :param with_state: whether events have their states, which may be large.
        :raises RequestFailed: when the server can't be reached, can't read, or takes too long.
        """
        request = pb.ReadEventsRequest(
            start=start,
            limit=limit,
            direction=pb.DIRECTION_BACKWARDS if is_backwards else pb.DIRECTION_FORWARDS,
            topics=topics,
            originator_id=originator_id,
            text=text,
            omit_state=not with_state,
        )
        try:
            response = await self._operations(application).ReadEvents(request, timeout=READ_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e
        return page_from(response)

    async def read_aggregate(
        self, application: str, originator_id: str, version: int | None = None
    ) -> AggregateView:
        """Reads the state of an aggregate.

        :param version: by default the newest.
        :raises RequestFailed: when there is no such aggregate or version, it can't be projected, or
            the server can't be reached or takes too long.
        """
        request = pb.ReadAggregateRequest(originator_id=originator_id, version=version)
        operations = self._operations(application)
        try:
            return aggregate_from(await operations.ReadAggregate(request, timeout=READ_TIMEOUT))
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e

    async def pause_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following wait, until it is resumed or its follower's server is restarted.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when the server refuses, or can't be reached.
        """
        request = pb.PauseFollowingRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        try:
            await operations.PauseFollowing(request, timeout=CONTROL_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e

    async def resume_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following that was paused go on where it was.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when the server refuses, or can't be reached.
        """
        request = pb.ResumeFollowingRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        try:
            await operations.ResumeFollowing(request, timeout=CONTROL_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e

    async def retry_now(self, follower: str, leader: str, reason: str) -> None:
        """Tries at once what waits for its next try: a failed event, or a leader that is away.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when nothing is waiting, or the server can't be reached.
        """
        request = pb.RetryNowRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        try:
            await operations.RetryNow(request, timeout=CONTROL_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e

    async def skip_event(
        self,
        follower: str,
        leader: str,
        notification_id: int,
        reason: str,
        *,
        is_dry_run: bool = False,
    ) -> EventView:
        """Records the event that a following waits on as processed, without processing it.

        :param reason: is written into the server's log, with who asked.
        :param is_dry_run: changes nothing, and tells what would be skipped.
        :returns: the event that was skipped, or would be.
        :raises RequestFailed: when the following does not wait on this event, or the server can't
            be reached.
        """
        request = pb.SkipEventRequest(
            leader=leader, notification_id=notification_id, reason=reason, is_dry_run=is_dry_run
        )
        operations = self._operations(follower)
        try:
            response = await operations.SkipEvent(request, timeout=CONTROL_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise RequestFailed(explain(e)) from e
        return event_from(response.event)

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        """Calls a method of an application.

        A call is sent once, and given up after a minute: then its outcome is not known.

        :raises CallFailed: when the application raised, or the server can't be reached.
        """
        request = pb.OperationsCallMethodRequest(
            method=method, arguments=json.dumps(dict(arguments)) if arguments else ""
        )
        try:
            response = await self._operations(application).CallMethod(request, timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as e:
            raise call_failed(e) from e
        return CallResult(result=response.result, seconds=response.duration.ToNanoseconds() / 1e9)

    def _operations(self, application: str) -> OperationsAsyncStub:
        connection = self._connections.get(application)
        if connection is None:
            msg = f"{application} is not an application of this system with a known address"
            raise RequestFailed(msg)
        return connection.operations

    def _open_channel(self, address: str) -> grpc.aio.Channel:
        credentials = channel_credentials(self._env)
        if credentials is None:
            return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        return grpc.aio.secure_channel(address, credentials, options=CHANNEL_OPTIONS)

    def _connect(self, name: str, address: str, follows: Iterable[str]) -> None:
        follows = tuple(follows)
        if not address:
            self.state.put(
                ApplicationView(
                    name,
                    address,
                    health=Health.UNREACHABLE,
                    follows=follows,
                    stale_since=self._clock(),
                    why="its address is not known",
                )
            )
            return
        self.state.put(ApplicationView(name, address, follows=follows))
        connection = ApplicationConnection(
            name,
            self._open_channel(address),
            self.state,
            interval=self._interval,
            clock=self._clock,
            discovered=self._discover,
        )
        self._connections[name] = connection
        connection.start()

    def _discover(self, applications: Iterable[pb.SystemApplication]) -> None:
        for application in applications:
            if application.name in self._connections:
                continue
            if application.address or application.name not in self.state.applications:
                self._connect(application.name, application.address, application.follows)
