"""Events with their states, read when they are wanted. The last ones that were are kept."""

from __future__ import annotations

import sys
from collections import OrderedDict

from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.log_filter import started_at
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventView

MAX_BYTES = 4_000_000
"""How much memory the states that are kept may have together."""

_Key = tuple[str, object, int]


class EventCache:
    """Keeps the events that were wanted last, as many as there is room for.

    Events of a server that has been started again are read again: its store may be another.
    """

    def __init__(self, operations: SystemOperations, *, max_bytes: int = MAX_BYTES) -> None:
        self._operations = operations
        self._max_bytes = max_bytes
        self._events: OrderedDict[_Key, EventView] = OrderedDict()
        self._bytes = 0

    async def get(self, application: str, notification_id: int) -> EventView:
        """Returns an event with its state.

        :raises RequestFailed: when there is no event with this ID, or it can't be read.
        """
        key = application, started_at(self._operations, application), notification_id
        event = self._events.get(key)
        if event is None:
            event = await self._read(application, notification_id)
            self._keep(key, event)
        else:
            self._events.move_to_end(key)
        return event

    async def _read(self, application: str, notification_id: int) -> EventView:
        page = await self._operations.read_events(application, start=notification_id, limit=1)
        for event in page.events:
            if event.id == notification_id:
                return event
        msg = f"{application} has no event #{notification_id:,}"
        raise RequestFailed(msg)

    def _keep(self, key: _Key, event: EventView) -> None:
        self._forget(key)
        self._events[key] = event
        self._bytes += sys.getsizeof(event.state)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._events)))

    def _forget(self, key: _Key) -> None:
        event = self._events.pop(key, None)
        if event is not None:
            self._bytes -= sys.getsizeof(event.state)
