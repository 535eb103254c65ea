"""Applications that only this library serves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Notification
from eventsourcing.sqlite import SQLiteProcessRecorder

from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.methods import query


class Echo(Application[Any]):
    """Has the least that an application can have: a query that does nothing."""

    @query
    def echo(self, text: str) -> str:
        """Returns what it is given."""
        return text


class CountingRecorder(SQLiteProcessRecorder):
    """Counts how often its log is read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()
        self.reads = 0

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        with self._lock:
            self.reads += 1
        return super().select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )


class CountedOrders(Orders):
    """Tells how often its log was read. To be configured with :class:`CountingRecorder`."""

    @query
    def recorder_reads(self) -> int:
        """Returns how often the notification log was read from the database."""
        assert isinstance(self.recorder, CountingRecorder)
        return self.recorder.reads
