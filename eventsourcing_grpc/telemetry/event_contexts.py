"""In which traces the events of this process were recorded, in bounded memory.

Stored events have no place for that. So it is not stored, and not known any more after a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from eventsourcing.persistence import AggregateRecorder, Notification, StoredEvent

from eventsourcing_grpc.notifications.notification_ring import RING_SIZE


class EventContexts:
    """Remembers the newest 10,000 to 20,000 events that were recorded in a trace.

    They are noted before they are recorded: as soon as they can be read, by whomever, their traces
    are known. What distinguishes an event that was not recorded in the end from the
    one that was in its place is its state.
    """

    def __init__(self, current: Callable[[], str], size: int = RING_SIZE) -> None:
        """:param current: tells the trace context of the calling thread. Empty: it has none.
        :param size: how many events are remembered at least.
        """
        self._current = current
        self._size = size
        self._newer: dict[int, str] = {}
        self._older: dict[int, str] = {}
        self._lock = threading.Lock()

    def note(self, events: Iterable[StoredEvent]) -> None:
        """Notes that the calling thread is about to record events."""
        context = self._current()
        if not context:
            return
        keys = [_key(event) for event in events]
        with self._lock:
            if len(self._newer) >= self._size:
                self._older, self._newer = self._newer, {}
            for key in keys:
                self._newer[key] = context

    def find(self, notification: Notification) -> str:
        """Returns the trace context of a notification. Empty: it is not known."""
        key = _key(notification)
        return self._newer.get(key) or self._older.get(key, "")


class ObservedRecorder:
    """Lets what is recorded with a recorder be noted, until it is closed."""

    def __init__(self, recorder: AggregateRecorder, contexts: EventContexts) -> None:
        self._recorder = recorder
        insert = recorder.insert_events

        def insert_events(events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
            contexts.note(events)
            return insert(events, **kwargs)

        # On the object, and not by another object: applications may compare its class.
        vars(recorder)["insert_events"] = insert_events

    def close(self) -> None:
        """Leaves the recorder as it was."""
        vars(self._recorder).pop("insert_events", None)


def _key(event: StoredEvent) -> int:
    # Not the event itself, so that its state isn't kept in memory.
    return hash((event.originator_id, event.originator_version, event.state))
