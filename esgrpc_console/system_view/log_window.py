"""A window on an application's notification log: some events in a row, never the whole log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum

from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView

MAX_EVENTS = 400
PAGE = 200
_MAX_PAGES = 50


class End(Enum):
    """One of the two ends of a log."""

    FIRST = "first"
    LAST = "last"


class LogWindow:
    """Holds at most a few hundred events that follow each other in the log.

    One request at a time: whoever asks while another is being answered waits for that.
    """

    def __init__(
        self, operations: SystemOperations, application: str, *, max_events: int = MAX_EVENTS
    ) -> None:
        self.application = application
        self.head = 0
        """The log's greatest ID, as far as this window has heard."""
        self._operations = operations
        self._events: deque[EventView] = deque()
        self._max_events = max_events
        self._reading = asyncio.Lock()
        self._first = 1
        """The first ID that the window covers."""
        self._last = 0
        """The last ID that the window covers: everything between has been looked at."""

    @property
    def events(self) -> Sequence[EventView]:
        """The events in the window, in the order of the log."""
        return self._events

    @property
    def is_at_first(self) -> bool:
        """Whether there is nothing before the window."""
        return self._first <= 1

    @property
    def newer(self) -> int:
        """How many IDs are known to be behind the window."""
        return max(0, self.head - self._last)

    def hear_head(self, head: int) -> None:
        """Notes the log's greatest ID, heard elsewhere. A smaller one means another log: starts anew."""
        if head < self._last:
            self._clear()
        self.head = head

    async def jump(self, end: End) -> None:
        """Moves the window to one end of the log.

        :raises RequestFailed: when the log can't be read. The window stays where it is.
        """
        async with self._reading:
            await self._jump(end)

    async def read_newer(self) -> int:
        """Takes up to a page of events behind the window into it, and returns how many.

        Drops as many at its beginning as are too many. When the head is further away than the
        window is long, ``jump`` is the quicker way to it.

        :raises RequestFailed: when the log can't be read. The window stays where it is.
        """
        async with self._reading:
            return await self._read_newer()

    async def read_older(self) -> int:
        """Takes up to a page of events before the window into it, and returns how many.

        Drops as many at its end as are too many.

        :raises RequestFailed: when the log can't be read. The window stays where it is.
        """
        async with self._reading:
            if self.is_at_first:
                return 0
            return await self._read(start=self._first - 1, is_backwards=True)

    async def catch_up(self) -> int:
        """Moves the window to the newest events, the quicker way, and returns how many are new.

        :raises RequestFailed: when the log can't be read.
        """
        async with self._reading:
            if self.newer > self._max_events or not self._events:
                await self._jump(End.LAST)
                return len(self._events)
            taken = 0
            while self.newer:
                before = self._last
                taken += await self._read_newer()
                if self._last == before:
                    break
            return taken

    async def _jump(self, end: End) -> None:
        await self._read(start=None, is_backwards=end is End.LAST, begin_anew=True)

    async def _read_newer(self) -> int:
        if not self.newer:
            return 0
        return await self._read(start=self._last + 1, is_backwards=False)

    async def _read(
        self, *, start: int | None, is_backwards: bool, begin_anew: bool = False
    ) -> int:
        found: list[EventView] = []
        page: EventPage | None = None
        # A page may be empty, where the server has looked at enough that is not wanted.
        for _ in range(_MAX_PAGES):
            page = await self._operations.read_events(
                self.application, start=start, limit=PAGE, is_backwards=is_backwards
            )
            found.extend(page.events)
            if found or page.is_end:
                break
            start = page.read_through - 1 if is_backwards else page.read_through + 1
        if page is None:
            return 0
        if begin_anew:
            self._clear()
            self._first = page.head + 1 if is_backwards else 1
            self._last = page.head if is_backwards else 0
        self.head = page.head
        if is_backwards:
            self._events.extendleft(found)
            self._first = 1 if page.is_end else min(self._first, page.read_through)
            while len(self._events) > self._max_events:
                self._last = self._events.pop().id - 1
        else:
            self._events.extend(found)
            self._last = max(self._last, page.head if page.is_end else page.read_through)
            while len(self._events) > self._max_events:
                self._first = self._events.popleft().id + 1
        return len(found)

    def _clear(self) -> None:
        self._events.clear()
        self._first, self._last = 1, 0
