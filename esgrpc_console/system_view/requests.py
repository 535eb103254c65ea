"""What a system's servers are asked for, one request each. Which server is asked is left to others."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from esgrpc_console.system_view.failures import (
    CallFailed,
    ServerUnavailable,
    call_failed,
    request_failed,
)
from esgrpc_console.system_view.messages import aggregate_from, event_from, page_from
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.system_view.views import AggregateView, CallResult, EventPage, EventView
from eventsourcing_grpc.protos import operations_pb2 as pb

if TYPE_CHECKING:
    from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsAsyncStub

READ_TIMEOUT = 10.0
CALL_TIMEOUT = 60.0
CONTROL_TIMEOUT = 10.0
_MAX_ID = 2**63 - 1
_RENEWED = "the connection to the server was renewed meanwhile"


class SystemRequests(ABC):
    """Asks the servers of a system. Requests that fail raise :class:`RequestFailed`."""

    @abstractmethod
    def _operations(self, application: str) -> OperationsAsyncStub:
        """Returns what the server of an application is asked through.

        :raises RequestFailed: when there is no such application, or its address is not known.
        """

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
            start=None if start is None else min(max(start, 0), _MAX_ID),
            limit=limit,
            direction=pb.DIRECTION_BACKWARDS if is_backwards else pb.DIRECTION_FORWARDS,
            topics=topics,
            originator_id=originator_id,
            text=text,
            omit_state=not with_state,
        )
        with _told_as_request_failed():
            response = await self._operations(application).ReadEvents(request, timeout=READ_TIMEOUT)
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
        with _told_as_request_failed():
            return aggregate_from(await operations.ReadAggregate(request, timeout=READ_TIMEOUT))

    async def pause_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following wait, until it is resumed or its follower's server is restarted.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when the server refuses, or can't be reached.
        """
        request = pb.PauseFollowingRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        with _told_as_request_failed():
            await operations.PauseFollowing(request, timeout=CONTROL_TIMEOUT)

    async def resume_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following that was paused go on where it was.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when the server refuses, or can't be reached.
        """
        request = pb.ResumeFollowingRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        with _told_as_request_failed():
            await operations.ResumeFollowing(request, timeout=CONTROL_TIMEOUT)

    async def retry_now(self, follower: str, leader: str, reason: str) -> None:
        """Tries at once what waits for its next try: a failed event, or a leader that is away.

        :param reason: is written into the server's log, with who asked.
        :raises RequestFailed: when nothing is waiting, or the server can't be reached.
        """
        request = pb.RetryNowRequest(leader=leader, reason=reason)
        operations = self._operations(follower)
        with _told_as_request_failed():
            await operations.RetryNow(request, timeout=CONTROL_TIMEOUT)

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
        with _told_as_request_failed():
            response = await operations.SkipEvent(request, timeout=CONTROL_TIMEOUT)
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
        except grpc.aio.UsageError as e:
            raise CallFailed(_RENEWED) from e
        except asyncio.CancelledError as e:
            if _is_task_cancelled():
                raise
            raise CallFailed(_RENEWED, is_outcome_unknown=True) from e
        return CallResult(result=response.result, seconds=response.duration.ToNanoseconds() / 1e9)


@contextmanager
def _told_as_request_failed() -> Iterator[None]:
    """Raises what a request failed with as what it is for people.

    A channel is closed when there are newer certificates: then gRPC cancels what is asked through
    it, and refuses what is asked later.
    """
    try:
        yield
    except grpc.aio.AioRpcError as e:
        raise request_failed(e) from e
    except grpc.aio.UsageError as e:
        raise ServerUnavailable(_RENEWED) from e
    except asyncio.CancelledError as e:
        if _is_task_cancelled():
            raise
        raise ServerUnavailable(_RENEWED) from e


def _is_task_cancelled() -> bool:
    """Tells whether it is the waiting task that is cancelled, and not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
