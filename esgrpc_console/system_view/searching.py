"""Searches a log for what is wanted. Searching all logs of a system at once is left to ``tracing``.

The server looks through the log piece by piece, so that a search tells how far it is and can be
ended at any moment.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Self

from esgrpc_console.system_view import words
from esgrpc_console.system_view.backoff import Backoff
from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.failures import ServerUnavailable
from esgrpc_console.system_view.log_filter import LogFilter, check_log, read_page
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView

_PAGE = 200


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is, in IDs of the log."""

    looked_at: int = 0
    of: int = 0
    """0: not known yet."""
    is_done: bool = False


class LogSearch:
    """Looks for events of a log, the newest first or the oldest first: iterate over it.

    While the server can't be reached, iterating waits, and tries again for as long as it is patient:
    ``note`` says so. It goes on where it was. Ends at the end of the log, and with ``aclose``, which
    may be called at any moment; what is being read then is given up at once.
    """

    def __init__(
        self,
        operations: SystemOperations,
        application: str,
        wanted: LogFilter,
        *,
        start: int | None = None,
        is_backwards: bool = True,
        with_state: bool = False,
        patience: float = math.inf,
        changes: Changes | None = None,
    ) -> None:
        """
        :param start: the first ID to look at, by default the newest or, forwards, the oldest.
        :param with_state: whether the events found have their states.
        :param patience: seconds after which a server that can't be reached is given up.
        :param changes: announces what is announced. None: changes of its own.
        """
        self.application = application
        self.note = ""
        """Why it is waiting. Empty: it is not."""
        self.changes = changes or Changes()
        """Announces each step forward, and each note."""
        self._operations = operations
        self._wanted = wanted
        self._next = start
        self._is_backwards = is_backwards
        self._with_state = with_state
        self._patience = patience
        self._progress = SearchProgress()
        self._backoff = Backoff()
        self._found: deque[EventView] = deque()
        self._last_found: EventView | None = None
        self._first = self._last = 0
        self._step: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def progress(self) -> SearchProgress:
        """How far it is."""
        return self._progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventView:
        """Returns the next event found.

        :raises RequestFailed: when the server says that the log can't be read, when it can't be
            reached for too long, and when the log was replaced meanwhile.
        """
        while not self._found and not self._progress.is_done and not self._is_closed:
            # In a task of its own, so that closing can end it from elsewhere.
            self._step = asyncio.create_task(self._read(), name=f"search {self.application}")
            try:
                await self._step
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._is_closed or (task and task.cancelling()):
                    raise
            finally:
                self._step = None
        if self._is_closed or not self._found:
            raise StopAsyncIteration
        return self._found.popleft()

    async def aclose(self) -> None:
        """Ends the search. Whoever is waiting for the next event is told that there is none."""
        self._is_closed = True
        if self._step is not None:
            self._step.cancel()

    async def _read(self) -> None:
        page = await self._patiently_read()
        if self._progress.of == 0:
            first, last = (1, page.head) if self._next is None else (self._next, page.head)
            if self._is_backwards and self._next is not None:
                first, last = 1, min(self._next, page.head)
            self._first, self._last = first, last
        elif not self._is_backwards:
            self._last = max(self._last, page.head)
        through = page.read_through
        looked_at = self._last - through + 1 if self._is_backwards else through - self._first + 1
        of = max(0, self._last - self._first + 1)
        self._progress = SearchProgress(
            looked_at=of if page.is_end else max(0, min(looked_at, of)), of=of, is_done=page.is_end
        )
        self._next = through - 1 if self._is_backwards else through + 1
        self._found.extend(page.events)
        if page.events:
            self._last_found = page.events[-1]
        self.changes.announce()

    async def _patiently_read(self) -> EventPage:
        failing_since: float | None = None
        while True:
            try:
                if failing_since is not None and self._last_found is not None:
                    await check_log(self._operations, self.application, self._last_found)
                page = await read_page(
                    self._operations,
                    self.application,
                    self._wanted,
                    start=self._next,
                    limit=_PAGE,
                    is_backwards=self._is_backwards,
                    with_state=self._with_state,
                )
            except ServerUnavailable as e:
                now = time.monotonic()
                failing_since = now if failing_since is None else failing_since
                if now - failing_since >= self._patience:
                    raise
                self._say(f"{words.line(self.application)} can't be reached: {e}")
                await asyncio.sleep(self._backoff.next_delay())
                continue
            self._backoff.reset()
            self._say("")
            return page

    def _say(self, note: str) -> None:
        if note != self.note:
            self.note = note
            self.changes.announce()
