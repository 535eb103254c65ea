"""Serves an application in memory whose log grows at a steady pace."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_server import GrpcApplicationServer

_BATCH = 50


class Counter(Aggregate):
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    @event("Counted")
    def add(self, amount: int) -> None:
        """Counts on."""
        self.count += amount


class Flow(Application[UUID]):
    """Has counters."""


class FlowServer:
    """Serves the application, and records events in it when it is told to."""

    def __init__(self) -> None:
        self._server: GrpcApplicationServer | None = None

    def serve(self, env: dict[str, str]) -> None:
        """Starts serving, with one batch of events recorded."""
        self._server = GrpcApplicationServer(Flow, env)
        self._server.start()
        _record(self._server.application)

    def flow(self, per_second: int, seconds: float) -> float:
        """Records events at a steady pace, in batches of 50.

        :returns: how many there were per second.
        """
        assert self._server is not None
        started = time.monotonic()
        batches = round(per_second * seconds / _BATCH)
        for batch in range(1, batches + 1):
            _record(self._server.application)
            time.sleep(max(0.0, started + seconds * batch / batches - time.monotonic()))
        return batches * _BATCH / (time.monotonic() - started)

    def stop(self) -> None:
        """Stops serving."""
        if self._server is not None:
            self._server.stop(wait=True)


def _record(application: Application[Any]) -> None:
    counter = Counter()
    for _ in range(_BATCH - 1):
        counter.add(1)
    application.save(counter)


if __name__ == "__main__":
    server = FlowServer()
    try:
        converse({"serve": server.serve, "flow": server.flow})
    finally:
        server.stop()
