"""Calls an echo as often as it can, from a number of threads. Runs with Python 3.10 too.

Echoes are a bare ``grpcio`` server's, this library's and the older package's: each thread makes
the next call when it has the answer to the last.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import perf_counter
from typing import Any

import grpc
from eventsourcing.utils import resolve_topic

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_client import connect

TEXT = "d1f2ac0e-5d4c-4c5e-8d1b-6a3c2f1e0b9a"
# As many bytes as a request of this library has for the same text.
REQUEST = b"x" * 50
_CONNECT_TIMEOUT = 10.0


class Caller:
    """Has one connection, which its threads share."""

    def __init__(self) -> None:
        self._call: Callable[[], object] = lambda: None

    def connect_bare(self, address: str, path: str) -> None:
        """Connects to a bare server, whose method takes and returns bytes."""
        channel = grpc.insecure_channel(address)
        grpc.channel_ready_future(channel).result(_CONNECT_TIMEOUT)
        echo = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        self._call = lambda: echo(REQUEST)
        if self._call() != REQUEST:
            msg = f"{address} is no echo"
            raise RuntimeError(msg)

    def connect(self, topic: str, address: str) -> None:
        """Connects to an application that has a method ``echo``."""
        app_class: type[Any] = resolve_topic(topic)
        env = {f"{app_class.name.upper()}_GRPC_SERVER_ADDRESS": address}
        app = connect(app_class, env, max_attempts=10).app
        self._call = lambda: app.echo(TEXT)
        if self._call() != TEXT:
            msg = f"{topic} on {address} is no echo"
            raise RuntimeError(msg)

    def call(self, threads: int, seconds: float) -> float:
        """Returns how many calls a second were made, by all threads together."""
        barrier = Barrier(threads)

        def call_repeatedly() -> float:
            call = self._call
            barrier.wait(_CONNECT_TIMEOUT)
            started = perf_counter()
            ends = started + seconds
            calls = 0
            while (now := perf_counter()) < ends:
                call()
                calls += 1
            return calls / (now - started)

        with ThreadPoolExecutor(threads) as executor:
            futures = [executor.submit(call_repeatedly) for _ in range(threads)]
            return sum(future.result() for future in futures)


if __name__ == "__main__":
    caller = Caller()
    converse({"connect_bare": caller.connect_bare, "connect": caller.connect, "call": caller.call})
