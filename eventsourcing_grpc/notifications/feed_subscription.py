"""One subscriber's position in a log that a feed keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from eventsourcing_grpc.notifications.notification_encoding import encode_batch, encode_notification
from eventsourcing_grpc.notifications.notification_ring import PAGE_SIZE, within_limits

if TYPE_CHECKING:
    from eventsourcing_grpc.notification_feed import NotificationFeed

PROGRESS_INTERVAL = 0.1
"""Seconds between two batches that tell a subscriber only that nothing matched."""


GATHERING_INTERVAL = 0.01
_UNGATHERED_RATE = 200.0
_MAX_UNGATHERED = 32.0
"""A subscriber that gets more than 200 notifications a second, after the first 32, gets them gathered
over 10 ms: a batch costs as much as hundreds of notifications. One that gets fewer gets each at once."""


@dataclass(frozen=True)
class Batch:
    """What a subscriber gets: encoded notifications, and how far the log has been read."""

    fragments: Sequence[bytes]
    read_through: int
    head: int

    def encode(self) -> bytes:
        """Returns an encoded ``NotificationBatch``."""
        return encode_batch(self.fragments, self.read_through, self.head)


class FeedSubscription:
    """An iterable of :class:`Batch` that waits for more.

    The first batch comes at once, also when nothing has been recorded. Iteration ends
    when the feed is stopped, when the log has become shorter, or when the subscription is closed
    from any thread. It raises what the recorder raises when the log can't be read.
    """

    def __init__(self, feed: NotificationFeed, after: int, topics: Sequence[str]) -> None:
        self._feed = feed
        self._topics = frozenset(topics)
        self._read_through = after
        self._is_closed = False
        self._is_first = True
        self._sent_at = 0.0
        self._sent_through = after
        self._ungathered = _MAX_UNGATHERED
        self._gathered_at = monotonic()
        self._generation = 0
        feed.enter()

    def close(self) -> None:
        """Ends the subscription, and the wait of the thread that iterates over it."""
        with self._feed.changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._feed.changed.notify_all()
        self._feed.leave()

    @property
    def _has_ended(self) -> bool:
        feed = self._feed
        is_over = self._is_closed or feed.is_stopping.is_set()
        return is_over or self._generation != feed.generation

    def __iter__(self) -> Iterator[Batch]:
        self._feed.confirm()
        self._generation = self._feed.generation
        if self._read_through > self._feed.head:
            # Make sure, before saying that the log is shorter than the subscriber thinks.
            self._feed.catch_up()
        while True:
            self._gather()
            batch = self._next_from_ring()
            if batch is None:
                if self._has_ended:
                    return
                batch = self._next_from_recorder()
            if batch.fragments or self._is_first or self._is_progress_due():
                self._is_first = False
                self._sent_at = monotonic()
                self._sent_through = batch.read_through
                left = self._ungathered - len(batch.fragments)
                self._ungathered = max(left, -_MAX_UNGATHERED)
                yield batch

    def _gather(self) -> None:
        """Lets notifications come together when many are coming, and none is waiting to be read."""
        now = monotonic()
        self._ungathered += (now - self._gathered_at) * _UNGATHERED_RATE
        self._ungathered = min(self._ungathered, _MAX_UNGATHERED)
        self._gathered_at = now
        is_page_ready = self._feed.head - self._read_through >= PAGE_SIZE
        if self._ungathered < 0 and not is_page_ready:
            self._feed.is_stopping.wait(GATHERING_INTERVAL)

    def _next_from_ring(self) -> Batch | None:
        """Waits for something to send. Returns None when it isn't in the ring, or at the end."""
        feed = self._feed
        with feed.changed:
            while not self._has_ended:
                if self._read_through < feed.ring.base:
                    return None
                fragments, self._read_through = feed.ring.take(self._read_through, self._topics)
                if fragments or self._is_first or self._is_progress_due():
                    return Batch(fragments, self._read_through, feed.ring.head)
                feed.changed.wait(self._time_until_progress())
        return None

    def _next_from_recorder(self) -> Batch:
        head = self._feed.head
        page = self._feed.read_page(self._read_through, tuple(self._topics))
        encoded = [
            encode_notification(notification, self._feed.trace_context(notification))
            for notification in page
        ]
        fragments = within_limits(encoded)
        if len(fragments) < len(page) or len(page) == PAGE_SIZE:
            self._read_through = page[len(fragments) - 1].id
        else:
            # Nothing else matched, as far as the log went before it was read.
            self._read_through = max(head, page[-1].id if page else 0)
        return Batch(fragments, self._read_through, max(head, self._read_through))

    def _is_progress_due(self) -> bool:
        if self._read_through <= self._sent_through:
            return False
        return monotonic() - self._sent_at >= PROGRESS_INTERVAL

    def _time_until_progress(self) -> float | None:
        if self._read_through <= self._sent_through:
            return None
        return max(0.0, self._sent_at + PROGRESS_INTERVAL - monotonic())
