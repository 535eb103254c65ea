"""Selects the notifications of a log in either direction, page by page, also those of one originator.

Recorders select forwards only, and everything in a range of IDs, so that a page is what is in a
window of IDs. Only pages of an originator may be selected without looking at what lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, Notification

from eventsourcing_grpc.reading.originator_notifications import (
    OriginatorQuery,
    select_originator_notifications,
)
from eventsourcing_grpc.reading.originators import find_first_event, last_version


@dataclass(frozen=True)
class Originator:
    """Whose events are wanted, and which of them are the first and the last."""

    id: UUID | str
    first_version: int
    last_version: int


@dataclass(frozen=True)
class Page:
    """What was found in one step through the log."""

    notifications: Sequence[Notification]
    """In the order in which they are read."""
    read_through: int
    """Everything up to this ID was looked at."""
    selected: int
    """How many notifications had to be selected."""
    size: int
    """How many bytes their states have together."""


def find_originator(recorder: ApplicationRecorder, originator_id: str) -> Originator | None:
    """Returns what is recorded under an ID that a person has written down, or None."""
    first = find_first_event(recorder, originator_id)
    if first is None:
        return None
    last = last_version(recorder, first.originator_id)
    return Originator(first.originator_id, first.originator_version, last)


class LogPages:
    """Selects what is wanted of one log."""

    def __init__(
        self,
        recorder: ApplicationRecorder,
        *,
        topics: Sequence[str],
        originator: Originator | None,
        head: int,
        is_backwards: bool,
    ) -> None:
        """:param head: the greatest ID that is looked at."""
        self._recorder = recorder
        self._topics = topics
        self._originator = originator
        self._is_backwards = is_backwards
        self.step = -1 if is_backwards else 1
        """From one ID to the next."""
        self.end = 1 if is_backwards else head
        """The last ID in this direction."""

    def select(self, position: int, width: int) -> Page:
        """Looks at so many IDs from a position on, or selects so many events of the originator."""
        if self._originator is not None:
            page = self._select_from_originator(self._originator, position, width)
            if page is not None:
                return page
        last = position + self.step * (width - 1)
        last = max(last, self.end) if self._is_backwards else min(last, self.end)
        lowest, highest = min(position, last), max(position, last)
        selected = self._recorder.select_notifications(
            start=lowest, stop=highest, limit=highest - lowest + 1, topics=self._topics
        )
        notifications = selected[::-1] if self._is_backwards else selected
        if self._originator is not None:
            wanted = self._originator.id
            notifications = [n for n in notifications if n.originator_id == wanted]
        return Page(notifications, last, len(selected), _size(selected))

    def is_last(self, notification: Notification) -> bool:
        """Tells whether nothing that is wanted comes behind, as far as the versions tell."""
        return self._originator is not None and notification.originator_version == (
            self._originator.first_version if self._is_backwards else self._originator.last_version
        )

    def _select_from_originator(
        self, originator: Originator, position: int, limit: int
    ) -> Page | None:
        query = OriginatorQuery(
            originator_id=originator.id,
            lowest=min(position, self.end),
            highest=max(position, self.end),
            limit=limit,
            topics=self._topics,
            is_backwards=self._is_backwards,
        )
        notifications = select_originator_notifications(self._recorder, query)
        if notifications is None:
            return None
        read_through = notifications[-1].id if len(notifications) == limit else self.end
        return Page(notifications, read_through, len(notifications), _size(notifications))


def _size(notifications: Sequence[Notification]) -> int:
    return sum(len(notification.state) for notification in notifications)
