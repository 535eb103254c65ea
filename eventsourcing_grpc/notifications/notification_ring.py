"""The newest notifications of a log, encoded, in bounded memory. Not thread-safe: its owner locks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from eventsourcing.persistence import Notification

from eventsourcing_grpc.notifications.notification_encoding import encode_notification

PAGE_SIZE = 500
"""How many notifications a batch, and a page read from a recorder, has at most."""
MAX_BATCH_BYTES = 1024 * 1024
RING_SIZE = 10_000
MAX_RING_BYTES = 16 * 1024 * 1024


class NotificationRing:
    """Holds every notification whose ID is greater than ``base`` and at most ``head``."""

    def __init__(self, head: int = 0) -> None:
        self.base = head
        self.head = head
        self._ids: list[int] = []
        self._topics: list[str] = []
        self._fragments: list[bytes] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, notification: Notification, trace_context: str = "") -> None:
        """Adds the notification that comes next in the log.

        :param trace_context: in which trace it was recorded. Empty: not known.
        """
        fragment = encode_notification(notification, trace_context)
        self._ids.append(notification.id)
        self._topics.append(notification.topic)
        self._fragments.append(fragment)
        self._bytes += len(fragment)
        self.head = notification.id
        # Trimmed in big steps: cutting a list's front costs its length.
        if len(self._ids) > 2 * RING_SIZE:
            self._trim(len(self._ids) - RING_SIZE)
        elif self._bytes > MAX_RING_BYTES:
            self._trim((len(self._ids) + 1) // 2)

    def take(self, after: int, topics: Collection[str]) -> tuple[Sequence[bytes], int]:
        """Returns a batch of encoded notifications with IDs greater than ``after``, and the ID
        up to which nothing else matches.

        :param after: at least ``base``.
        :param topics: of the notifications that are wanted. Empty: all.
        """
        fragments: Sequence[bytes] = ()
        while not fragments and after < self.head:
            start = bisect_right(self._ids, after)
            fragments = within_limits(self._fragments[start : start + PAGE_SIZE])
            stop = start + len(fragments)
            if topics:
                fragments = [
                    fragment
                    for fragment, topic in zip(fragments, self._topics[start:stop], strict=True)
                    if topic in topics
                ]
            after = self._ids[stop - 1]
        return fragments, after

    def _trim(self, count: int) -> None:
        self.base = self._ids[count - 1]
        self._bytes -= sum(map(len, self._fragments[:count]))
        del self._ids[:count], self._topics[:count], self._fragments[:count]


def within_limits(fragments: Sequence[bytes]) -> Sequence[bytes]:
    """Returns as many of the fragments, at least one, as a batch may have bytes."""
    if sum(map(len, fragments)) <= MAX_BATCH_BYTES:
        return fragments
    size = 0
    for count, fragment in enumerate(fragments):
        size += len(fragment)
        if size > MAX_BATCH_BYTES and count:
            return fragments[:count]
    return fragments
