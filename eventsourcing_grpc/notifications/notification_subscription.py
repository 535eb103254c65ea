"""A client's view of a notification log as it grows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import grpc
from eventsourcing.persistence import Notification

from eventsourcing_grpc.calls.error_receiving import UNAVAILABLE_CODES, rpc_code
from eventsourcing_grpc.conversion import notifications_from_messages
from eventsourcing_grpc.errors import GrpcError
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch, SubscribeRequest
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub

_FIRST_RETRY_DELAY = 0.05
_MAX_RETRY_DELAY = 1.0
# What passes: a server or a connection that went away, or a database that can't be read just now.
_PASSING_CODES = (*UNAVAILABLE_CODES, grpc.StatusCode.UNKNOWN)


class LogDivergedError(GrpcError):
    """Raised when a log has become shorter than what was received of it: its store was replaced."""


class NotificationSubscription(Iterator[Notification]):
    """Yields notifications in the order of their IDs, and waits for new ones.

    Connects again when the server has been away, and goes on without a gap or a repeat.
    Iteration ends when :meth:`close` is called, from any thread, also while it waits. Made by
    :meth:`GrpcApplicationClient.subscribe`. To be iterated over by one thread.
    """

    def __init__(
        self,
        stub: ApplicationStub,
        application_name: str,
        map_error: Callable[[grpc.RpcError], GrpcError],
        after: int,
        topics: Sequence[str],
        on_close: Callable[[NotificationSubscription], None],
    ) -> None:
        self._stub = stub
        self._request = SubscribeRequest(after=after, topics=topics, application=application_name)
        self._map_error = map_error
        self._on_close = on_close
        self._is_closed = threading.Event()
        self._call: grpc.CallIterator[NotificationBatch] | None = None
        self._has_received = False
        self._received: list[Notification] = []
        self._notifications = chain.from_iterable(self._receive())

    def __iter__(self) -> Iterator[Notification]:
        # The chain itself: a 'for' loop then runs without a Python call for each notification.
        return self._notifications

    def __next__(self) -> Notification:
        return next(self._notifications)

    def close(self) -> None:
        """Ends the iteration. Closing a closed subscription changes nothing."""
        self._is_closed.set()
        # What has been received and not been taken ends with the subscription.
        self._received.clear()
        if (call := self._call) is not None:
            call.cancel()
        self._on_close(self)

    def __enter__(self) -> NotificationSubscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> Iterator[list[Notification]]:
        failures = 0
        while not self._is_closed.is_set():
            try:
                # Later attempts are made as soon as there is a connection.
                call = self._stub.Subscribe(self._request, wait_for_ready=failures > 0)
            except ValueError:
                # What grpcio raises for a channel that is closed, as the client is.
                return
            self._call = call
            if self._is_closed.is_set():
                call.cancel()
            try:
                for batch in call:
                    failures = 0
                    self._check_head(batch.head)
                    notifications = notifications_from_messages(batch.notifications)
                    self._request.after = max(self._request.after, batch.read_through)
                    self._received = notifications
                    if notifications and not self._is_closed.is_set():
                        yield notifications
                        self._has_received = True
                    if self._is_closed.is_set():
                        return
            except grpc.RpcError as e:
                if self._is_closed.is_set():
                    return
                if rpc_code(e) not in _PASSING_CODES:
                    raise self._map_error(e) from None
            finally:
                call.cancel()
            failures += 1
            delay = min(_FIRST_RETRY_DELAY * 2 ** min(failures, 10), _MAX_RETRY_DELAY)
            self._is_closed.wait(delay)

    def _check_head(self, head: int) -> None:
        if self._has_received and head < self._request.after:
            msg = (
                f"{self._request.application} has {head:,} notifications, but one with the ID "
                f"{self._request.after:,} has been received: its store was lost or replaced"
            )
            raise LogDivergedError(msg)
