"""Reads decoded events of a notification log, in either direction, a bounded piece at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from time import monotonic
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Notification

from eventsourcing_grpc.errors import RequestError
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading.event_decoding import decode_event
from eventsourcing_grpc.reading.event_search import EventSearch
from eventsourcing_grpc.reading.log_pages import LogPages, Originator, Page, find_originator

MAX_EVENTS = 1_000
"""How many events one response has at most."""
MAX_STATE_BYTES = 2_000_000
"""How long the events in one response are together at most, unless there is only one."""
MAX_SCANNED = 50_000
"""How many notifications are read for one response at most, give or take a page."""
MAX_SECONDS = 0.25
"""For how long one response is worked at, give or take a page."""

# There may be few events that are wanted, or large ones.
_FIRST_WIDTH = 8
_MAX_WIDTH = 20_000
# More notifications at once take longer for each: they don't fit into the processor's caches.
_MAX_PAGE_EVENTS = 2_000
_MAX_PAGE_BYTES = 2_000_000
# Recorders in memory keep writers waiting while they are read.
_MAX_PAGE_SECONDS = 0.05
# Databases have signed integers of 64 bits.
_MAX_ID = 2**63 - 1


def read_events(
    application: Application[Any], request: pb.ReadEventsRequest
) -> pb.ReadEventsResponse:
    """Reads events from a position on, forwards or backwards, and decodes them.

    Stops at the limit, at the end of the log, or when it has worked for long enough: then
    'is_end' is false, and the next request goes on behind 'read_through'. An event that can't be
    decoded says why in its 'error'.

    Raises ``RequestError`` for a limit of 0, and what the recorder raises.
    """
    if request.limit < 1:
        msg = f"The limit is {request.limit}: ask for 1 to {MAX_EVENTS:,} events"
        raise RequestError(msg, {"limit": "must be at least 1"})
    if request.direction not in pb.Direction.values():
        msg = f"There is no direction {request.direction}"
        raise RequestError(msg, {"direction": "must be forwards or backwards"})
    recorder = application.recorder
    head = recorder.max_notification_id() or 0
    is_backwards = request.direction == pb.DIRECTION_BACKWARDS
    start = min(request.start, _MAX_ID) if request.HasField("start") else None
    position = _first_position(start, head, is_backwards=is_backwards)
    originator: Originator | None = None
    if request.originator_id:
        originator = find_originator(recorder, request.originator_id)
        if originator is None:
            end = min(1, head) if is_backwards else max(head, position - 1)
            return pb.ReadEventsResponse(read_through=end, is_end=True, head=head)
    pages = LogPages(
        recorder,
        topics=list(request.topics),
        originator=originator,
        head=head,
        is_backwards=is_backwards,
    )
    return _Reading(pages, application.mapper, request, head).read(position)


def _first_position(start: int | None, head: int, *, is_backwards: bool) -> int:
    if is_backwards:
        return head if start is None else min(start, head)
    return 1 if start is None else max(start, 1)


class _Reading:
    """The work at one response.

    How many IDs are looked at in one step follows from how many of them had events that were wanted,
    how large they were, and how long it took to look at them.
    """

    def __init__(
        self, pages: LogPages, mapper: Mapper[Any], request: pb.ReadEventsRequest, head: int
    ) -> None:
        self._pages = pages
        self._mapper = mapper
        self._limit = min(request.limit, MAX_EVENTS)
        self._search = EventSearch(request.text, mapper) if request.text else None
        self._has_states = not request.omit_state
        self._deadline = monotonic() + MAX_SECONDS
        self._state_bytes = 0
        self._response = pb.ReadEventsResponse(head=head)

    def read(self, position: int) -> pb.ReadEventsResponse:
        """Reads from a position on, which may be beyond the end."""
        looked_at = selected = 0
        width = min(self._limit, _FIRST_WIDTH)
        if position < 1:
            self._response.is_end = True
            return self._response
        self._look_through(position - self._pages.step)
        while not self._response.is_end:
            started = monotonic()
            page = self._pages.select(position, width)
            if not self._take(page.notifications):
                break
            self._look_through(page.read_through)
            looked_at += width
            selected += page.selected
            if selected >= MAX_SCANNED or self._is_late():
                break
            position = page.read_through + self._pages.step
            width = self._next_width(width, looked_at, page, monotonic() - started)
        return self._response

    def _next_width(self, width: int, looked_at: int, page: Page, seconds: float) -> int:
        found = len(self._response.events)
        enough = math.ceil((self._limit - found) * looked_at / (found + 0.5))
        few = math.ceil(_MAX_PAGE_EVENTS * width / max(page.selected, 1))
        light = math.ceil(_MAX_PAGE_BYTES * width / max(page.size, 1))
        quick = math.ceil(_MAX_PAGE_SECONDS * width / max(seconds, 1e-6))
        return max(1, min(4 * width, _MAX_WIDTH, enough, few, light, quick))

    def _look_through(self, position: int) -> None:
        """Notes that everything up to a position has been looked at."""
        self._response.read_through = position
        if (position - self._pages.end) * self._pages.step >= 0:
            self._response.is_end = True

    def _take(self, notifications: Iterable[Notification]) -> bool:
        """Takes what is wanted, and tells whether there is room and time for more."""
        for notification in notifications:
            if self._search is None or self._search.matches(notification):
                event = decode_event(notification, self._mapper, with_state=self._has_states)
                self._state_bytes += event.ByteSize()
                if self._state_bytes > MAX_STATE_BYTES and self._response.events:
                    self._look_through(notification.id - self._pages.step)
                    return False
                self._response.events.append(event)
            if self._pages.is_last(notification):
                # As far as the log went before it was looked at.
                self._look_through(self._pages.end)
                return False
            if len(self._response.events) == self._limit or self._is_late():
                self._look_through(notification.id)
                return False
        return True

    def _is_late(self) -> bool:
        return monotonic() > self._deadline
