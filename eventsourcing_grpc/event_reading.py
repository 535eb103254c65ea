"""Reads decoded events of a notification log, in either direction, a bounded piece at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, Mapper, Notification

from eventsourcing_grpc.errors import RequestError
from eventsourcing_grpc.event_decoding import decode_event
from eventsourcing_grpc.originators import find_first_event, last_version
from eventsourcing_grpc.protos import operations_pb2 as pb

MAX_EVENTS = 1_000
"""How many events one response has at most."""
MAX_STATE_BYTES = 2_000_000
"""How long the states in one response are together at most, unless there is only one."""
MAX_SCANNED = 20_000
"""How many notifications are read for one response at most, give or take a page."""
MAX_SECONDS = 0.25
"""For how long one response is worked at, give or take a page."""

_FIRST_WINDOW = 64
_MAX_WINDOW = 20_000
_MAX_PAGE_BYTES = 2_000_000
# Recorders in memory keep writers waiting while they are read.
_MAX_PAGE_SECONDS = 0.05
# Databases have signed integers of 64 bits.
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class _Originator:
    """Whose events are wanted, and which of them are the first and the last."""

    id: UUID | str
    first_version: int
    last_version: int


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
    originator: _Originator | None = None
    if request.originator_id:
        originator = _find_originator(recorder, request.originator_id)
        if originator is None:
            end = min(1, head) if is_backwards else max(head, position - 1)
            return pb.ReadEventsResponse(read_through=end, is_end=True, head=head)
    return _Reading(
        recorder=recorder,
        mapper=application.mapper,
        limit=min(request.limit, MAX_EVENTS),
        topics=list(request.topics),
        originator=originator,
        head=head,
        is_backwards=is_backwards,
    ).read(position)


def _first_position(start: int | None, head: int, *, is_backwards: bool) -> int:
    if is_backwards:
        return head if start is None else min(start, head)
    return 1 if start is None else max(start, 1)


def _find_originator(recorder: ApplicationRecorder, originator_id: str) -> _Originator | None:
    first = find_first_event(recorder, originator_id)
    if first is None:
        return None
    last = last_version(recorder, first.originator_id)
    return _Originator(first.originator_id, first.originator_version, last)


class _Reading:
    """The work at one response.

    Recorders select forwards only, so that the log is looked at in windows of IDs. Their size
    follows from how many of the IDs had events that were wanted, how large they were, and how long
    it took to read them.
    """

    def __init__(
        self,
        *,
        recorder: ApplicationRecorder,
        mapper: Mapper[Any],
        limit: int,
        topics: Sequence[str],
        originator: _Originator | None,
        head: int,
        is_backwards: bool,
    ) -> None:
        self._recorder = recorder
        self._mapper = mapper
        self._limit = limit
        self._topics = topics
        self._originator = originator
        self._head = head
        self._is_backwards = is_backwards
        self._end = 1 if is_backwards else head
        self._step = -1 if is_backwards else 1
        self._deadline = monotonic() + MAX_SECONDS
        self._state_bytes = 0
        self._response = pb.ReadEventsResponse(head=head)

    def read(self, position: int) -> pb.ReadEventsResponse:
        """Reads from a position on, which may be beyond the end."""
        scanned_ids = scanned = 0
        is_filtered = bool(self._topics or self._originator)
        window = _FIRST_WINDOW if is_filtered else min(self._limit, _FIRST_WINDOW)
        if position < 1:
            self._response.is_end = True
            return self._response
        self._look_through(position - self._step)
        while not self._response.is_end:
            first, last = position, position + self._step * (window - 1)
            last = max(last, self._end) if self._is_backwards else min(last, self._end)
            started = monotonic()
            page = self._select(min(first, last), max(first, last))
            seconds = monotonic() - started
            if not self._take(reversed(page) if self._is_backwards else page):
                break
            self._look_through(last)
            scanned += len(page)
            scanned_ids += abs(last - first) + 1
            if scanned >= MAX_SCANNED or self._is_late():
                break
            position = last + self._step
            page_bytes = sum(len(notification.state) for notification in page)
            window = self._next_window(window, scanned_ids, page_bytes, seconds)
        return self._response

    def _select(self, lowest: int, highest: int) -> Sequence[Notification]:
        return self._recorder.select_notifications(
            start=lowest, stop=highest, limit=highest - lowest + 1, topics=self._topics
        )

    def _next_window(self, window: int, scanned_ids: int, page_bytes: int, seconds: float) -> int:
        found = len(self._response.events)
        enough = math.ceil((self._limit - found) * scanned_ids / (found + 0.5))
        light = math.ceil(_MAX_PAGE_BYTES * window / max(page_bytes, 1))
        quick = math.ceil(_MAX_PAGE_SECONDS * window / max(seconds, 1e-6))
        return max(1, min(4 * window, _MAX_WINDOW, enough, light, quick))

    def _look_through(self, position: int) -> None:
        """Notes that everything up to a position has been looked at."""
        self._response.read_through = position
        if (position - self._end) * self._step >= 0:
            self._response.is_end = True

    def _take(self, notifications: Iterable[Notification]) -> bool:
        """Takes what is wanted, and tells whether there is room and time for more."""
        for notification in notifications:
            originator = self._originator
            if originator is not None and notification.originator_id != originator.id:
                continue
            event = decode_event(notification, self._mapper)
            self._state_bytes += len(event.state)
            if self._state_bytes > MAX_STATE_BYTES and self._response.events:
                self._look_through(notification.id - self._step)
                return False
            self._response.events.append(event)
            self._look_through(notification.id)
            if originator is not None and notification.originator_version == (
                originator.first_version if self._is_backwards else originator.last_version
            ):
                # There is no other event of it, as far as the log went before it was looked at.
                self._look_through(self._end)
                return False
            if len(self._response.events) == self._limit or self._is_late():
                return False
        return True

    def _is_late(self) -> bool:
        return monotonic() > self._deadline
