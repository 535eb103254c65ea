"""Records orders at a steady pace: in a database that a server serves, and with calls of the server."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.applications import CountedOrders
from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_client import connect


def record(count: int, seconds: float, env: dict[str, str]) -> list[float]:
    """Records half of the orders directly, and half through the server.

    :param seconds: how long that takes.
    :returns: how many times the server's recorder was read before and after.
    """
    application: Any = CountedOrders(env)
    try:
        with connect(CountedOrders, env, max_attempts=10) as client:
            reads_before = client.app.recorder_reads()
            started = time.monotonic()
            for i in range(count):
                (application if i % 2 else client.app).create_new_order()
                time.sleep(max(0.0, started + seconds * (i + 1) / count - time.monotonic()))
            return [reads_before, client.app.recorder_reads()]
    finally:
        application.close()


if __name__ == "__main__":
    converse({"record": record})
