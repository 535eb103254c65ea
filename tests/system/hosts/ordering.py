"""Run on a host: creates orders until standard input ends, whatever becomes of the server.

Each line is the ID of an order that was acknowledged, or why one was not.
"""

from __future__ import annotations

import sys
import threading

from eventsourcing_grpc.application_client import GrpcApplicationClient, GrpcError
from eventsourcing_grpc.example import Orders

_INTERVAL = 0.2
_TIMEOUT = 3.0


def create_orders(has_ended: threading.Event) -> None:
    """Creates orders, one after the other."""
    with GrpcApplicationClient(Orders, timeout=_TIMEOUT) as client:
        while not has_ended.wait(_INTERVAL):
            try:
                told = str(client.app.create_new_order())
            except GrpcError as e:
                told = f"{type(e).__name__}: {' '.join(str(e).split())}"
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    ended = threading.Event()
    thread = threading.Thread(target=create_orders, args=(ended,), name="ordering")
    thread.start()
    sys.stdin.read()
    ended.set()
    thread.join()
