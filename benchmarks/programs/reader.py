"""Reads a notification log from its beginning, in the ways that clients have. Runs with Python 3.10 too."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from eventsourcing.utils import resolve_topic

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_client import GrpcApplicationClient, connect


class Reader:
    """A client of one application."""

    def __init__(self) -> None:
        self._client: GrpcApplicationClient[Any] | None = None

    @property
    def _connected(self) -> GrpcApplicationClient[Any]:
        if self._client is None:
            msg = "There is no connection"
            raise RuntimeError(msg)
        return self._client

    def connect(self, topic: str, address: str) -> None:
        """Connects to an application."""
        app_class: type[Any] = resolve_topic(topic)
        env = {f"{app_class.name.upper()}_GRPC_SERVER_ADDRESS": address}
        if self._client is not None:
            self._client.close()
        self._client = connect(app_class, env, max_attempts=10)

    def record(self, count: int) -> None:
        """Has the application record so many events, which it did not have before."""
        while count > 0:
            self._connected.app.record_orders(min(count, 500))
            count -= 500

    def subscribe(self, count: int) -> float:
        """Returns how many notifications a second come through ``subscribe``."""
        started = perf_counter()
        received = 0
        with self._connected.subscribe() as subscription:
            for _ in subscription:
                received += 1
                if received == count:
                    break
        return count / (perf_counter() - started)

    def select(self, count: int, page: int) -> float:
        """Returns how many notifications a second come through ``notification_log.select``.

        :param page: how many are asked for with each call.
        """
        log = self._connected.app.notification_log
        started = perf_counter()
        received = 0
        while received < count:
            notifications = log.select(start=received + 1, limit=page)
            if not notifications:
                msg = f"The log has {received} notifications"
                raise RuntimeError(msg)
            received += len(notifications)
        return count / (perf_counter() - started)


if __name__ == "__main__":
    reader = Reader()
    converse(
        {
            "connect": reader.connect,
            "record": reader.record,
            "subscribe": reader.subscribe,
            "select": reader.select,
        }
    )
