"""Many subscribers to one application's log, each with a thread and, if wanted, a connection of its own."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any

from eventsourcing.utils import resolve_topic

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_client import GrpcApplicationClient, connect

_TIMEOUT = 60.0


class Subscribers:
    """Counts what each subscriber receives."""

    def __init__(self) -> None:
        self._clients: list[GrpcApplicationClient[Any]] = []
        self._received: list[int] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def subscribe(self, topic: str, address: str, connections: int, each: int) -> None:
        """Subscribes. What is received first is waited for with :meth:`wait_until_received`.

        :param connections: how many there are.
        :param each: how many subscriptions each connection has.
        """
        app_class = resolve_topic(topic)
        env = {f"{app_class.name.upper()}_GRPC_SERVER_ADDRESS": address}
        for _ in range(connections):
            client = connect(app_class, env, max_attempts=10)
            self._clients.append(client)
            for _ in range(each):
                self._received.append(0)
                thread = threading.Thread(
                    target=self._receive, args=(client, len(self._received) - 1), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def wait_until_received(self, count: int) -> None:
        """Returns when every subscriber has received so many notifications."""
        deadline = monotonic() + _TIMEOUT
        with self._changed:
            while min(self._received) < count:
                if not self._changed.wait(deadline - monotonic()):
                    msg = f"{min(self._received)} of {count} notifications came"
                    raise TimeoutError(msg)

    def close(self) -> None:
        """Ends all subscriptions."""
        for client in self._clients:
            client.close()
        for thread in self._threads:
            thread.join(_TIMEOUT)

    def _receive(self, client: GrpcApplicationClient[Any], index: int) -> None:
        for _ in client.subscribe():
            with self._changed:
                self._received[index] += 1
                self._changed.notify()


if __name__ == "__main__":
    subscribers = Subscribers()
    try:
        converse(
            {
                "subscribe": subscribers.subscribe,
                "wait_until_received": subscribers.wait_until_received,
            }
        )
    finally:
        subscribers.close()
