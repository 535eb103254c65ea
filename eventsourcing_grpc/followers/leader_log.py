"""The notification log of a leader that is somewhere else, as a follower's loop reads it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import grpc
from eventsourcing.persistence import Notification

from eventsourcing_grpc.conversion import notifications_from_messages
from eventsourcing_grpc.protos.application_pb2 import (
    NotificationBatch,
    SelectNotificationsRequest,
    SelectNotificationsResponse,
    SubscribeRequest,
)
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub

logger = logging.getLogger(__name__)

_ANSWER_TIMEOUT = 2.0
_PATIENCE = 5.0
"""Seconds between two looks at why a leader can't be reached."""


class LeaderLog:
    """Subscribes to a log, and asks for single things of it.

    One thread subscribes and asks. Any thread may read, cancel and close.
    """

    def __init__(self, name: str, address: str, channel: grpc.Channel) -> None:
        """:param channel: to the leader's server. It is closed by :meth:`close`."""
        self.name = name
        self.address = address
        self._channel = channel
        self._stub = ApplicationStub(channel)
        self._call: grpc.CallIterator[NotificationBatch] | None = None
        self._question: grpc.CallFuture[SelectNotificationsResponse] | None = None

    @contextmanager
    def subscribe(
        self, after: int, topics: Sequence[str], *, wait_for_ready: bool
    ) -> Iterator[Iterable[NotificationBatch]]:
        """Gives the batches of notifications after a position. They end with the 'with' block.

        :param wait_for_ready: whether to wait for the leader, for 5 s at most, if it is gone.
        :raises grpc.RpcError: when the leader can't be reached, :meth:`cancel` is called, or the
            leader has been waited for in vain, which is CANCELLED as well.
        """
        request = SubscribeRequest(after=after, topics=topics, application=self.name)
        call = self._stub.Subscribe(request, wait_for_ready=wait_for_ready)
        self._call = call
        # While gRPC waits it does not tell why, and that may change.
        patience = threading.Timer(_PATIENCE, call.cancel)
        patience.name = f"patience with {self.name}"
        patience.daemon = True
        if wait_for_ready:
            patience.start()

        def batches() -> Iterator[NotificationBatch]:
            for batch in call:
                patience.cancel()
                yield batch

        try:
            yield batches()
        finally:
            self._call = None
            patience.cancel()
            call.cancel()

    def cancel(self) -> None:
        """Ends the subscription there is, if any, from any thread."""
        if (call := self._call) is not None:
            call.cancel()

    def close(self) -> None:
        """Closes the connection, and ends all that is under way."""
        self._channel.close()

    def select(self, request: SelectNotificationsRequest) -> SelectNotificationsResponse:
        """Reads one page. Waits for the answer for 2 s at most.

        :raises grpc.RpcError: when there is none.
        :raises ValueError: when the log is closed.
        """
        return self._stub.SelectNotifications(request, timeout=_ANSWER_TIMEOUT)

    def read_head(self, after: int) -> int | None:
        """Asks how long the log is, and waits for the answer. Returns None when there is none.

        :param after: the greatest ID that is known, so that nothing is sent that is not news.
        """
        try:
            return self.select(_first_after(after, ())).head
        except (grpc.RpcError, ValueError) as e:
            logger.debug("The head of %s is not known: %s", self.name, e)
            return None

    def read_next(self, after: int, topics: Sequence[str]) -> tuple[int, Notification | None]:
        """Returns the head, and the first notification after a position, if there is one yet.

        :raises grpc.RpcError: when there is no answer within 2 s.
        :raises ValueError: when the log is closed.
        """
        return _head_and_first(self.select(_first_after(after, topics)))

    def ask(
        self,
        after: int,
        topics: Sequence[str],
        take: Callable[[int, Notification | None], None],
    ) -> None:
        """Asks for the head and the first notification after a position, and does not wait.

        What can't be answered within 2 s is forgotten. While one question is open, no other is put.

        :param take: is given the answer, in another thread.
        """
        if self._question is not None and not self._question.done():
            return

        def answer(question: grpc.Future[SelectNotificationsResponse]) -> None:
            try:
                page = question.result()
            except (grpc.RpcError, grpc.FutureCancelledError) as e:
                logger.debug("%s has not answered: %s", self.name, e)
                return
            take(*_head_and_first(page))

        try:
            self._question = self._stub.SelectNotifications.future(
                _first_after(after, topics), timeout=_ANSWER_TIMEOUT
            )
        except ValueError:
            # What grpcio raises for a channel that is closed.
            return
        self._question.add_done_callback(answer)


def _first_after(after: int, topics: Sequence[str]) -> SelectNotificationsRequest:
    return SelectNotificationsRequest(start=after, exclusive_of_start=True, limit=1, topics=topics)


def _head_and_first(page: SelectNotificationsResponse) -> tuple[int, Notification | None]:
    return page.head, next(iter(notifications_from_messages(page.notifications)), None)
