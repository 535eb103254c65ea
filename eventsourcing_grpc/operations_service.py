"""The gRPC service that operators use: what the application is, how it is, what it has recorded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import Any, NoReturn

import grpc
from eventsourcing.application import Application

from eventsourcing_grpc.access.audit import AuditLog
from eventsourcing_grpc.access.call_audit import CallAudit
from eventsourcing_grpc.access.peer_identity import peer_identity
from eventsourcing_grpc.access.permissions import Permissions
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.error_sending import abort, status_code
from eventsourcing_grpc.calls.error_texts import hide_values
from eventsourcing_grpc.calls.json_values import to_json_text
from eventsourcing_grpc.calls.stream_pool import StreamBehavior, StreamPool
from eventsourcing_grpc.errors import RequestError, ServerStoppingError
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import (
    OperationsServicer,
    add_OperationsServicer_to_server,
)
from eventsourcing_grpc.reading.aggregate_reading import read_aggregate
from eventsourcing_grpc.reading.event_reading import read_events
from eventsourcing_grpc.server.description import describe
from eventsourcing_grpc.server.following_operations import FollowingOperations
from eventsourcing_grpc.server.served_system import ServedSystem
from eventsourcing_grpc.server.standard_services import InPool
from eventsourcing_grpc.server.status_reporting import Sample, StatusReporter
from eventsourcing_grpc.tls.certificate_files import CertificateFiles

logger = logging.getLogger(__name__)

DEFAULT_INTERVAL = 1.0
MIN_INTERVAL = 0.1
MAX_INTERVAL = 60.0
"""Seconds between two statuses."""
_IN_POOL = (
    "Describe",
    "ReadEvents",
    "ReadAggregate",
    "PauseFollowing",
    "ResumeFollowing",
    "RetryNow",
    "SkipEvent",
)
"""What operators ask for besides calls of methods, which run where those of programs do."""
_STOPPING_INTERVAL = 0.1
"""Seconds between two looks at whether the server is stopping."""


class OperationsService(OperationsServicer):
    """Serves one application to operators."""

    def __init__(
        self,
        *,
        application: Application[Any],
        methods: ExposedMethods,
        feed: NotificationFeed,
        followings: Sequence[Following],
        calls: CallStatistics,
        identity: ServedSystem,
        streams: StreamPool,
        pool: ThreadPoolExecutor,
        permissions: Permissions,
        certificates: CertificateFiles | None,
        audit: AuditLog,
        is_stopping: threading.Event,
    ) -> None:
        """:param streams: has the threads that watchers wait in, so that calls never wait for one.
        :param pool: has the threads that answer operators, also while all calls of methods wait.
        :param permissions: say who may see tracebacks. They are enforced elsewhere.
        :param certificates: of the server. None: it is served without TLS.
        :param is_stopping: ends the streams, within 0.1 s.
        """
        self._application = application
        self._methods = methods
        self._feed = feed
        self._calls = calls
        self._identity = identity
        self._is_stopping = is_stopping
        self._started_at = datetime.now(UTC)
        self._reporter = StatusReporter(identity.name, feed, followings, calls, certificates)
        self._permissions = permissions
        self._audit = CallAudit.of_operators(audit, identity.name, methods)
        self._steering = FollowingOperations(identity.name, followings, audit, is_stopping)
        self._watch_behavior = streams.behavior(self._watch)
        self._pool = pool

    def add_to_server(self, server: grpc.Server) -> None:
        """Serves operators."""
        # The handlers are looked up on the servicer when it is added.
        for name in _IN_POOL:
            setattr(self, name, InPool(getattr(self, name), self._pool))
        add_OperationsServicer_to_server(self, server)

    def Describe(
        self, request: pb.DescribeRequest, context: grpc.ServicerContext
    ) -> pb.DescribeResponse:
        """Tells what the application is, and where the others of its system are."""
        try:
            response = describe(
                self._application,
                self._methods,
                self._identity,
                self._feed.event_topics(),
            )
            response.started_at.FromDatetime(self._started_at)
            return response
        except Exception as e:
            self._abort(context, e)

    @property
    def Watch(self) -> StreamBehavior[pb.WatchRequest, pb.ApplicationStatus]:
        """Tells how the application is, in a thread for streams."""
        return self._watch_behavior

    def _watch(
        self, request: pb.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ApplicationStatus]:
        is_gone = threading.Event()
        # A client that goes leaves this thread waiting for the next status.
        if not context.add_callback(is_gone.set):
            return
        try:
            interval = _interval(request)
            with self._reporter.watching():
                sample: Sample | None = None
                while not (is_gone.is_set() or self._is_stopping.is_set()):
                    next_time = monotonic() + interval
                    status, sample = self._reporter.report(sample)
                    yield status
                    self._wait_until(next_time, is_gone)
        except Exception as e:
            self._abort(context, e)
        if not is_gone.is_set():
            self._abort(context, self._stopping_error())

    def _wait_until(self, time: float, is_gone: threading.Event) -> None:
        while not self._is_stopping.is_set():
            seconds = time - monotonic()
            if seconds <= 0 or is_gone.wait(min(seconds, _STOPPING_INTERVAL)):
                return

    def ReadEvents(
        self, request: pb.ReadEventsRequest, context: grpc.ServicerContext
    ) -> pb.ReadEventsResponse:
        """Reads decoded events of the notification log, in either direction."""
        try:
            return read_events(self._application, request)
        except Exception as e:
            self._abort(context, e)

    def ReadAggregate(
        self, request: pb.ReadAggregateRequest, context: grpc.ServicerContext
    ) -> pb.ReadAggregateResponse:
        """Tells the state of one aggregate, at any version."""
        try:
            return read_aggregate(
                self._application,
                request.originator_id,
                request.version if request.HasField("version") else None,
            )
        except Exception as e:
            self._abort(context, e)

    def CallMethod(
        self, request: pb.OperationsCallMethodRequest, context: grpc.ServicerContext
    ) -> pb.OperationsCallMethodResponse:
        """Calls one exposed method of the application."""
        try:
            if self._is_stopping.is_set():
                raise self._stopping_error()
            with self._calls.measure():
                response = self._call(request)
        except BaseException as e:
            # SystemExit too: grpcio would leave the caller waiting.
            self._audit.note(request.method, context, e)
            self._abort(context, e)
        self._audit.note(request.method, context)
        return response

    def _call(self, request: pb.OperationsCallMethodRequest) -> pb.OperationsCallMethodResponse:
        # Importing pydantic takes longer than all else that a server does to start.
        from eventsourcing_grpc.calls.json_arguments import arguments_from_json

        method = self._methods.get(request.method)
        args, kwargs = arguments_from_json(method, request.arguments)
        started = perf_counter()
        result = getattr(self._application, method.name)(*args, **kwargs)
        seconds = perf_counter() - started
        response = pb.OperationsCallMethodResponse(result=to_json_text(result))
        response.duration.FromNanoseconds(int(seconds * 1e9))
        return response

    def PauseFollowing(
        self, request: pb.PauseFollowingRequest, context: grpc.ServicerContext
    ) -> pb.PauseFollowingResponse:
        """Lets a following wait, after the event that it is processing, until it is resumed."""
        try:
            return self._steering.pause(request, context)
        except Exception as e:
            self._abort(context, e)

    def ResumeFollowing(
        self, request: pb.ResumeFollowingRequest, context: grpc.ServicerContext
    ) -> pb.ResumeFollowingResponse:
        """Lets a following that was paused go on where it was."""
        try:
            return self._steering.resume(request, context)
        except Exception as e:
            self._abort(context, e)

    def RetryNow(
        self, request: pb.RetryNowRequest, context: grpc.ServicerContext
    ) -> pb.RetryNowResponse:
        """Tries at once what waits for its next try."""
        try:
            return self._steering.retry(request, context)
        except Exception as e:
            self._abort(context, e)

    def SkipEvent(
        self, request: pb.SkipEventRequest, context: grpc.ServicerContext
    ) -> pb.SkipEventResponse:
        """Records the event that a following waits on as processed, without processing it."""
        try:
            return self._steering.skip(request, context)
        except Exception as e:
            self._abort(context, e)

    def _stopping_error(self) -> ServerStoppingError:
        return ServerStoppingError(f"The server of {self._identity.name} is stopping")

    def _abort(self, context: grpc.ServicerContext, error: BaseException) -> NoReturn:
        hide_values(error)
        if status_code(error) is grpc.StatusCode.UNKNOWN:
            # A defect or a broken database, which the caller may not be shown.
            logger.error("A call of %s failed", self._identity.name, exc_info=error)
        abort(
            context,
            error,
            transcoder=self._application.mapper.transcoder,
            with_traceback=self._permissions.may_see_tracebacks(peer_identity(context)),
        )


def _interval(request: pb.WatchRequest) -> float:
    if not request.HasField("interval"):
        return DEFAULT_INTERVAL
    seconds = request.interval.seconds + request.interval.nanos / 1e9
    if seconds < 0:
        msg = f"The interval is {seconds:g} s: it can't be negative"
        raise RequestError(msg, {"interval": "must not be negative"})
    return min(max(seconds, MIN_INTERVAL), MAX_INTERVAL)
