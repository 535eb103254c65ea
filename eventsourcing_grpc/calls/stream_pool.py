"""Threads for streams, apart from those for calls: idle subscriptions change nothing for a caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import grpc

from eventsourcing_grpc.calls.error_sending import abort
from eventsourcing_grpc.errors import TooManyStreamsError

MAX_STREAMS = 1_000
"""How many subscriptions and consoles a server has at once by default. More are refused."""
_SPARE_THREADS = 16

TRequest = TypeVar("TRequest")
TResponse = TypeVar("TResponse")


class StreamPool:
    """Owns one thread for each open stream. Threads are made when they are first needed."""

    def __init__(self, name: str, max_streams: int = MAX_STREAMS) -> None:
        self.executor = ThreadPoolExecutor(
            # Those to spare tell the clients that are too many.
            max_workers=max_streams + _SPARE_THREADS,
            thread_name_prefix=f"streams {name}",
        )
        self.max_streams = max_streams
        self._name = name
        self._open = 0
        self._lock = threading.Lock()

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        return self._open

    def behavior(
        self, behavior: Callable[[TRequest, grpc.ServicerContext], Iterator[TResponse]]
    ) -> StreamBehavior[TRequest, TResponse]:
        """Returns a handler that runs the given one in this pool."""
        return StreamBehavior(self, behavior)

    def enter(self, context: grpc.ServicerContext) -> None:
        """Takes a place for a stream, or ends its call with RESOURCE_EXHAUSTED."""
        with self._lock:
            has_place = self._open < self.max_streams
            self._open += has_place
        if not has_place:
            msg = f"{self._name} has {self.max_streams:,} streams open, which is its limit"
            abort(context, TooManyStreamsError(msg))

    def leave(self) -> None:
        """Gives a stream's place back."""
        with self._lock:
            self._open -= 1

    def shutdown(self) -> None:
        """Ends the threads. Returns when the streams, which must be ending, have ended."""
        self.executor.shutdown(wait=True)


class StreamBehavior(Generic[TRequest, TResponse]):
    """The handler of a stream.

    grpcio looks for the pool that it is to run in in an attribute of the handler, as in its own
    `health service <https://grpc.github.io/grpc/python/grpc_health_checking.html>`_.
    """

    def __init__(
        self,
        pool: StreamPool,
        behavior: Callable[[TRequest, grpc.ServicerContext], Iterator[TResponse]],
    ) -> None:
        self._pool = pool
        self._behavior = behavior
        self.experimental_thread_pool = pool.executor

    def __call__(self, request: TRequest, context: grpc.ServicerContext) -> Iterator[TResponse]:
        self._pool.enter(context)
        try:
            yield from self._behavior(request, context)
        finally:
            self._pool.leave()
