"""What the library calls where something may be traced or measured. Where it is off, there is None."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import grpc
from eventsourcing.persistence import Notification

Metadata = tuple[tuple[str, str], ...]


class ClientTracer(Protocol):
    """Traces the calls of a client."""

    def call(self, rpc: str, method: str) -> AbstractContextManager[Metadata]:
        """Traces what happens in a 'with' block, which is given the metadata to send.

        :param rpc: of the service ``Application``, such as ``CallMethod``.
        :param method: of the application. Empty: none is called.
        """


class EventTracer(Protocol):
    """Traces how a follower processes the events of one leader. Belongs to the loop's thread."""

    def trace(
        self, notification: Notification, trace_context: str, process: Callable[[], bool]
    ) -> bool:
        """Traces what a function does, and returns what it returns: whether the event was processed.

        :param trace_context: in which trace the event was recorded. Empty: not known.
        """

    def note_failure(self, error: BaseException, attempts: int, delay: float) -> None:
        """Notes that the event has failed.

        :param delay: seconds until it is tried again.
        """


class CallObserver(Protocol):
    """Sees the calls that a server carries out."""

    def observe(
        self, rpc: str, method: str, context: grpc.ServicerContext
    ) -> AbstractContextManager[None]:
        """Sees what happens in a 'with' block.

        :param rpc: with its service: ``eventsourcing_grpc.v1.Application/CallMethod``.
        :param method: an exposed one of the application, or ``_OTHER``. Empty: none is called.
        """
