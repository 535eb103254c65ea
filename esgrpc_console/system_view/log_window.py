"""A window on an application's notification log: some events in a row, never the whole log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum

from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.failures import LogReplaced
from esgrpc_console.system_view.log_filter import (
    ALL,
    LogFilter,
    check_log,
    read_page,
    started_at,
)
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView

MAX_EVENTS = 400
PAGE = 200
_FAR = 50_000
"""IDs behind a window with a filter beyond which it is quicker to begin anew at the end."""


class End(Enum):
    """One of the two ends of a log."""

    FIRST = "first"
    LAST = "last"


class LogWindow:
    """Holds at most a few hundred events that follow each other in the log, without their states.

    One read at a time: whoever asks while another is being answered waits for that. Where a filter
    matches seldom, a read takes many requests: each page is in the window as soon as it has come,
    is announced by ``changes``, and stays there when the read is cancelled.

    A log that turns out to be another than before, because its store was lost or replaced, begins
    the window anew at the end of the new one.
    """

    def __init__(
        self,
        operations: SystemOperations,
        application: str,
        *,
        filter: LogFilter = ALL,
        max_events: int = MAX_EVENTS,
    ) -> None:
        """
        :param filter: which events the window is to have. Another filter is another window.
        """
        self.application = application
        self.filter = filter
        self.changes = Changes()
        self.head = 0
        """The log's greatest ID, as far as this window has heard."""
        self.looked_through: int | None = None
        """The last ID that the read in progress has looked at. None: none is in progress."""
        self.replacements = 0
        """How often the log has turned out to be another than before."""
        self._operations = operations
        self._events: deque[EventView] = deque()
        self._max_events = max_events
        self._reading = asyncio.Lock()
        self._started_at: object = None
        self._is_doubted = False
        self._first = 1
        self._last = 0

    @property
    def events(self) -> Sequence[EventView]:
        """The events in the window, in the order of the log."""
        return self._events

    @property
    def first(self) -> int:
        """The first ID that the window covers."""
        return self._first

    @property
    def last(self) -> int:
        """The last ID that the window covers: everything between has been looked at."""
        return self._last

    @property
    def is_at_first(self) -> bool:
        """Whether there is nothing before the window."""
        return self._first <= 1

    @property
    def newer(self) -> int:
        """How many IDs are known to be behind the window. With a filter, not all are wanted."""
        return max(0, self.head - self._last)

    def hear_head(self, head: int) -> None:
        """Notes the log's greatest ID, heard elsewhere.

        A smaller one than is known is either old news, or another log: the next read finds out.
        """
        if head < self._last:
            self._is_doubted = True
        else:
            self.head = head

    async def jump(self, end: End) -> None:
        """Moves the window to one end of the log.

        :raises RequestFailed: when the log can't be read. The window stays where it is.
        """
        async with self._read_in_progress():
            await self._jump(end)

    async def go_to(self, notification_id: int) -> int:
        """Moves the window to an ID, with as much before as behind it, and returns the ID to look at.

        That is the given one, the next where there is none, or the last of the log. 0: the log has
        no events, or none that are wanted.

        :raises RequestFailed: when the log can't be read. The window stays where it is.
        """
        wanted = max(1, notification_id)
        async with self._read_in_progress():
            older, newer = await asyncio.gather(
                self._page(wanted - 1, is_backwards=True, limit=PAGE // 2),
                self._page(wanted, is_backwards=False, limit=PAGE // 2),
            )
            self._begin(newer.head, first=min(wanted, newer.head + 1))
            self._take(older, is_backwards=True)
            self._take(newer, is_backwards=False)
            # Where the filter matches seldom, one page each has not shown much.
            if len(newer.events) < PAGE // 2 and not newer.is_end:
                await self._read(start=newer.read_through + 1, limit=PAGE // 2)
            if len(older.events) < PAGE // 2 and not older.is_end:
                await self._read(start=older.read_through - 1, is_backwards=True, limit=PAGE // 2)
        found = (event.id for event in self._events if event.id >= wanted)
        return next(found, self._events[-1].id if self._events else 0)

    async def read_newer(self) -> int:
        """Takes up to a page of events behind the window into it, and returns how many.

        Drops as many at its beginning as are too many. When the head is further away than the
        window is long, ``jump`` is the quicker way to it.

        :raises RequestFailed: when the log can't be read. What was read before that is there.
        """
        async with self._read_in_progress():
            return await self._read_newer()

    async def read_older(self) -> int:
        """Takes up to a page of events before the window into it, and returns how many.

        Drops as many at its end as are too many.

        :raises RequestFailed: when the log can't be read. What was read before that is there.
        """
        async with self._read_in_progress():
            if self.is_at_first:
                return 0
            return await self._read(start=self._first - 1, is_backwards=True)

    async def catch_up(self) -> int:
        """Moves the window to the newest events, the quicker way, and returns how many are new.

        :raises RequestFailed: when the log can't be read. What was read before that is there.
        """
        async with self._read_in_progress():
            is_far = self.newer > (_FAR if self.filter else self._max_events)
            if is_far or not (self._events or self._last):
                return await self._jump(End.LAST)
            taken = 0
            while self.newer or self._is_doubted:
                before = self._last
                taken += await self._read_newer()
                if self._last == before:
                    break
            return taken

    @asynccontextmanager
    async def _read_in_progress(self) -> AsyncIterator[None]:
        async with self._reading:
            started = started_at(self._operations, self.application)
            if started != self._started_at:
                try:
                    # Both ends: what was read before it was described may be of the other log.
                    ends = (self._events[0], self._events[-1]) if self._events else ()
                    for event in dict.fromkeys(ends):
                        await check_log(self._operations, self.application, event)
                except LogReplaced:
                    self._replace()
                self._started_at = started
            try:
                yield
            finally:
                if self.looked_through is not None:
                    self.looked_through = None
                    self.changes.announce()

    async def _jump(self, end: End) -> int:
        return await self._read(start=None, is_backwards=end is End.LAST, begin_anew=True)

    async def _read_newer(self) -> int:
        if not (self.newer or self._is_doubted):
            return 0
        return await self._read(start=self._last + 1)

    async def _read(
        self,
        *,
        start: int | None,
        is_backwards: bool = False,
        begin_anew: bool = False,
        limit: int = PAGE,
    ) -> int:
        """Reads until there are enough events or the log ends. A page may have none that is wanted."""
        taken = 0
        while True:
            page = await self._page(start, is_backwards=is_backwards, limit=limit - taken)
            if begin_anew:
                self._begin(page.head, first=page.head + 1 if is_backwards else 1)
                begin_anew = False
            elif page.head < self._last:
                self._replace()
                return await self._jump(End.LAST)
            self._take(page, is_backwards=is_backwards)
            taken += len(page.events)
            self.looked_through = page.read_through
            self.changes.announce()
            if page.is_end or taken >= limit:
                return taken
            start = page.read_through - 1 if is_backwards else page.read_through + 1

    async def _page(self, start: int | None, *, is_backwards: bool, limit: int) -> EventPage:
        return await read_page(
            self._operations,
            self.application,
            self.filter,
            start=start,
            limit=limit,
            is_backwards=is_backwards,
        )

    def _begin(self, head: int, *, first: int) -> None:
        self._events.clear()
        self._first, self._last = first, first - 1
        self.head = head
        self._is_doubted = False

    def _replace(self) -> None:
        self.replacements += 1
        self._begin(0, first=1)

    def _take(self, page: EventPage, *, is_backwards: bool) -> None:
        self.head = page.head
        self._is_doubted = False
        if is_backwards:
            self._events.extendleft(page.events)
            self._first = 1 if page.is_end else min(self._first, page.read_through)
            while len(self._events) > self._max_events:
                self._last = self._events.pop().id - 1
        else:
            self._events.extend(page.events)
            self._last = max(self._last, page.head if page.is_end else page.read_through)
            while len(self._events) > self._max_events:
                self._first = self._events.popleft().id + 1
