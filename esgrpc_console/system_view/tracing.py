"""Searches all logs of a system at once: what happened to this order?"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from esgrpc_console.system_view import words
from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.log_filter import LogFilter
from esgrpc_console.system_view.mentions import find_mention
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.options import OptionError
from esgrpc_console.system_view.searching import LogSearch, SearchProgress
from esgrpc_console.system_view.views import EventView

MAX_TRACED = 1_000
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TracedEvent:
    """An event that mentions what was looked for, without its state."""

    application: str
    event: EventView
    mention: str = ""
    """Where in its state: ``order_id 7b1c4f0e-…``. Empty: elsewhere, as in its originator ID."""


class Trace:
    """Looks for everything that mentions a text, in all applications at once, the newest first.

    Runs until every log has been looked through, or as many events as can be kept are found:
    ``run``. Meanwhile ``events`` has what has been found so far.
    """

    def __init__(
        self,
        operations: SystemOperations,
        text: str,
        *,
        max_events: int = MAX_TRACED,
        patience: float = math.inf,
    ) -> None:
        """
        :param text: what to look for, in any case: an ID, or any part of an event.
        :param max_events: how many are kept: the newest.
        :param patience: seconds after which an application that can't be reached is given up.
        :raises OptionError: when there is nothing to look for.
        """
        if not text.strip():
            msg = "there is nothing to look for: give an ID, or any text that events have"
            raise OptionError(msg)
        self.text = text.strip()
        self.changes = Changes()
        """Announces each step forward of any application."""
        self.is_capped = False
        """Whether older events than those that are kept have been, or would be, found."""
        self.failures: dict[str, str] = {}
        """Why applications were given up."""
        self._max_events = max_events
        self._searches = {
            application: LogSearch(
                operations,
                application,
                LogFilter(text=self.text),
                with_state=True,
                patience=patience,
                changes=self.changes,
            )
            for application in operations.state.applications
        }
        self._newest: list[tuple[datetime, int, TracedEvent]] = []
        """A heap: the event to drop next is the first."""
        self._found = 0
        self._stopped: set[str] = set()
        self._sorted: tuple[TracedEvent, ...] | None = None

    @property
    def events(self) -> Sequence[TracedEvent]:
        """What has been found, in the order of time."""
        if self._sorted is None:
            self._sorted = tuple(_in_order([traced for _, _, traced in self._newest]))
        return self._sorted

    @property
    def progress(self) -> Mapping[str, SearchProgress]:
        """How far the search is in each application."""
        return {
            name: replace(search.progress, is_done=search.progress.is_done or name in self._stopped)
            for name, search in self._searches.items()
        }

    @property
    def notes(self) -> Sequence[str]:
        """What people should know of what has been found: what may be missing from it, and why."""
        notes = [
            search.note
            for name, search in self._searches.items()
            if search.note and name not in self.failures
        ]
        for application, why in self.failures.items():
            notes.append(f"{words.line(application)} was not looked through: {why}")
        if self.is_capped:
            notes.append(f"the newest {words.count(self._max_events, 'event')} are shown")
        return notes

    async def run(self) -> None:
        """Searches. Ends when all is looked through, or by being cancelled: what is found stays.

        An application whose log can't be read does not end it: see ``failures``.
        """
        async with asyncio.TaskGroup() as group:
            for search in self._searches.values():
                group.create_task(self._search(search), name=f"trace {search.application}")

    async def _search(self, search: LogSearch) -> None:
        newer = _LATEST
        try:
            async for event in search:
                mention = find_mention(event.state, self.text)
                newer = event.timestamp or newer
                traced = TracedEvent(search.application, replace(event, state=""), mention)
                if not self._keep(newer, traced):
                    # What comes now is older still.
                    break
        except RequestFailed as e:
            self.failures[search.application] = words.line(str(e))
        finally:
            self._stopped.add(search.application)
            self.changes.announce()

    def _keep(self, time: datetime, traced: TracedEvent) -> bool:
        """Keeps an event if it is among the newest, and tells whether it is."""
        self._found += 1
        entry = (time, -self._found, traced)
        self._sorted = None
        if len(self._newest) < self._max_events:
            heapq.heappush(self._newest, entry)
            return True
        self.is_capped = True
        return heapq.heappushpop(self._newest, entry) is not entry


def _in_order(found: Sequence[TracedEvent]) -> Sequence[TracedEvent]:
    """Sorts by time. Events without one are beside their neighbours of the same log."""
    times: dict[tuple[str, int], datetime] = {}
    by_id = sorted(found, key=lambda traced: (traced.application, traced.event.id))
    for neighbours in (by_id[::-1], by_id):
        application, known = "", _EARLIEST
        for traced in neighbours:
            if traced.application != application:
                application, known = traced.application, _EARLIEST
            key = traced.application, traced.event.id
            known = traced.event.timestamp or times.get(key) or known
            if known is not _EARLIEST:
                times[key] = known
    return sorted(
        by_id, key=lambda traced: times.get((traced.application, traced.event.id), _EARLIEST)
    )
