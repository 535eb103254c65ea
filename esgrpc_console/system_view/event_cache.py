"""Events with their states, read when they are wanted. The last ones that were are kept."""

from __future__ import annotations

from collections import OrderedDict

from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventView

MAX_CHARACTERS = 4_000_000
"""How long the states that are kept may be together."""


class EventCache:
    """Keeps the events that were wanted last, as many as there is room for."""

    def __init__(
        self, operations: SystemOperations, *, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._operations = operations
        self._max_characters = max_characters
        self._events: OrderedDict[tuple[str, int], EventView] = OrderedDict()
        self._characters = 0

    async def get(self, application: str, notification_id: int) -> EventView:
        """Returns an event with its state.

        :raises RequestFailed: when there is no event with this ID, or it can't be read.
        """
        key = application, notification_id
        event = self._events.get(key)
        if event is None:
            event = await self._read(application, notification_id)
            self._keep(key, event)
        else:
            self._events.move_to_end(key)
        return event

    def forget(self, application: str) -> None:
        """Forgets an application's events: its log is another one now."""
        for key in [key for key in self._events if key[0] == application]:
            self._characters -= len(self._events.pop(key).state)

    async def _read(self, application: str, notification_id: int) -> EventView:
        page = await self._operations.read_events(application, start=notification_id, limit=1)
        for event in page.events:
            if event.id == notification_id:
                return event
        msg = f"{application} has no event #{notification_id:,}"
        raise RequestFailed(msg)

    def _keep(self, key: tuple[str, int], event: EventView) -> None:
        kept = self._events.pop(key, None)
        if kept is not None:
            self._characters -= len(kept.state)
        self._events[key] = event
        self._characters += len(event.state)
        while self._characters > self._max_characters and len(self._events) > 1:
            _, oldest = self._events.popitem(last=False)
            self._characters -= len(oldest.state)
