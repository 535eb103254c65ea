"""Reads a log from a position on, and goes on with what is recorded meanwhile.

No event is left out and none comes twice, over lost connections and restarts of the server too.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable

from esgrpc_console.system_view import words
from esgrpc_console.system_view.backoff import Backoff
from esgrpc_console.system_view.failures import ServerUnavailable
from esgrpc_console.system_view.log_filter import (
    ALL,
    LogFilter,
    check_log,
    log_replaced,
    read_page,
    started_at,
)
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView

_PAGE = 500
_LOST_SECONDS = 0.2


async def tail_log(
    operations: SystemOperations,
    application: str,
    after: int | None = None,
    filter: LogFilter = ALL,
    *,
    is_following: bool = True,
    with_state: bool = True,
    patience: float | None = None,
    say: Callable[[str], None] | None = None,
) -> AsyncGenerator[EventView, None]:
    """Yields the events of a log in its order, from behind an ID on.

    :param after: the ID of the last event that is not wanted. None: all events are.
    :param filter: which events are wanted.
    :param is_following: whether to wait for what is recorded later, until the iteration is closed or
        cancelled. If not, it ends at the end of the log.
    :param patience: seconds after which a server that can't be reached is given up. None: never
        when following, and otherwise after 30 s.
    :param say: is told, for people, that the connection was lost, and with an empty text that it is
        there again.
    :raises LogReplaced: when the log is shorter than the position, or its events are others than
        those that were read: its store was lost or replaced.
    :raises RequestFailed: when the server says that the log can't be read, or was given up.
    """
    if patience is None:
        patience = math.inf if is_following else 30.0
    tail = _Tail(operations, application, filter, after or 0, with_state, patience, say)
    while True:
        page = await tail.read()
        for event in page.events:
            yield event
        if page.is_end:
            if not is_following:
                return
            await tail.wait(page.head)


class _Tail:
    def __init__(
        self,
        operations: SystemOperations,
        application: str,
        wanted: LogFilter,
        position: int,
        with_state: bool,
        patience: float,
        say: Callable[[str], None] | None,
    ) -> None:
        self._operations = operations
        self._application = application
        self._wanted = wanted
        self._position = position
        self._with_state = with_state
        self._patience = patience
        self._say = say or _say_nothing
        self._note = ""
        self._backoff = Backoff()
        self._last: EventView | None = None
        self._is_doubted = False
        self._started_at = started_at(operations, application)

    async def read(self) -> EventPage:
        """Reads the next page, when the server can be reached."""
        failing_since: float | None = None
        while True:
            try:
                page = await self._read()
            except ServerUnavailable as e:
                now = time.monotonic()
                failing_since = now if failing_since is None else failing_since
                if now - failing_since >= self._patience:
                    raise
                self._is_doubted = True
                self._tell(f"{words.line(self._application)} can't be reached: {e}")
                await asyncio.sleep(self._backoff.next_delay())
                continue
            self._backoff.reset()
            self._tell("")
            return page

    async def wait(self, head: int) -> None:
        """Waits until the log may have another head, or the server was started again."""
        changes = self._operations.state.changes
        seen = changes.count
        while True:
            known = self._operations.state.applications.get(self._application)
            if known and known.stale_since is not None:
                # Reading tells why, and may work already.
                await asyncio.sleep(_LOST_SECONDS)
                return
            is_started_again = started_at(self._operations, self._application) != self._started_at
            if known and known.status and (known.status.head > head or is_started_again):
                return
            seen = await changes.wait(seen)

    async def _read(self) -> EventPage:
        started = started_at(self._operations, self._application)
        if self._is_doubted or started != self._started_at:
            if self._last is not None:
                await check_log(self._operations, self._application, self._last)
            self._is_doubted = False
            self._started_at = started
        page = await read_page(
            self._operations,
            self._application,
            self._wanted,
            start=self._position + 1,
            limit=_PAGE,
            with_state=self._with_state,
        )
        if page.head < self._position:
            how = f"shorter than #{self._position:,}: it ends at #{page.head:,}"
            raise log_replaced(self._application, how)
        if page.events:
            if self._last is not None:
                # Since the page before, another server may have come without any sign of it.
                await check_log(self._operations, self._application, self._last)
            self._last = page.events[-1]
        self._position = max(self._position, page.head if page.is_end else page.read_through)
        return page

    def _tell(self, note: str) -> None:
        if note != self._note:
            self._note = note
            self._say(note)


def _say_nothing(_: str) -> None:
    """Is told what nobody wants to hear."""
