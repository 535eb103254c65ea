"""One reader for each log, fanned out to every subscriber.

The feed keeps the newest notifications in a ring. What is recorded in this process arrives
from the library's recording hook without a read; what other processes record is announced by
the recorder where it can (PostgreSQL), and found by looking at intervals where it can't.
Subscribers that are behind the ring read pages for themselves. How batches travel is left
to ``application_service``.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription
from eventsourcing.popo import POPOApplicationRecorder
from eventsourcing.system import RecordingEvent, RecordingEventReceiver

from eventsourcing_grpc.notification_encoding import encode_batch, encode_notification

logger = logging.getLogger(__name__)

PAGE_SIZE = 500
MAX_BATCH_BYTES = 1024 * 1024
RING_SIZE = 5_000
MAX_RING_BYTES = 16 * 1024 * 1024
PROGRESS_INTERVAL = 0.1
"""Seconds between two batches that tell a subscriber only that nothing matched."""
_MAX_EVENT_TOPICS = 1_000


@dataclass(frozen=True)
class Batch:
    """What a subscriber gets: encoded notifications, and how far the log has been read."""

    fragments: Sequence[bytes]
    read_through: int
    head: int

    def encode(self) -> bytes:
        """Returns an encoded ``NotificationBatch``."""
        return encode_batch(self.fragments, self.read_through, self.head)


@dataclass(frozen=True)
class FeedStatistics:
    """The state of a feed at one moment."""

    head: int
    """The greatest ID of the log. 0: the log is empty."""
    subscribers: int
    ring_length: int
    reads: int
    """How many times notifications have been read from the recorder."""
    last_error: str
    """Why the log can't be read just now. Empty: it can."""


class NotificationFeed(RecordingEventReceiver[Any]):
    """Keeps the newest notifications of one log, and wakes those who wait for more.

    Owns a thread that reads what was not handed over by the recording hook, and, for recorders
    that can announce what other processes record, another that listens. Both are ended
    by :meth:`stop`.
    """

    def __init__(
        self, recorder: ApplicationRecorder, max_pull_interval: float, name: str = ""
    ) -> None:
        """:param max_pull_interval: seconds between two looks at the log when nothing is heard of it.
        :param name: the application's, for the names of threads and for log messages.
        """
        self.recorder = recorder
        self._name = name
        self._max_pull_interval = max_pull_interval
        self._changed = threading.Condition(threading.Lock())
        self._ids: list[int] = []
        self._topics: list[str] = []
        self._fragments: list[bytes] = []
        self._bytes = 0
        # The ring holds every notification whose ID is greater than this.
        self._base = 0
        self._head = 0
        self._event_topics: dict[str, None] = {}
        self._subscribers = 0
        self._reads = 0
        self._last_error = ""
        self._is_stopping = threading.Event()
        self._is_behind = threading.Event()
        self._subscription: Subscription[ApplicationRecorder] | None = None
        self._threads: list[threading.Thread] = []

    @property
    def head(self) -> int:
        """The log's greatest ID. 0: the log is empty."""
        return self._head

    def event_topics(self) -> list[str]:
        """Returns the topics of the notifications that have been seen."""
        with self._changed:
            return list(self._event_topics)

    def statistics(self) -> FeedStatistics:
        """Returns the feed's state."""
        with self._changed:
            return FeedStatistics(
                head=self._head,
                subscribers=self._subscribers,
                ring_length=len(self._ids),
                reads=self._reads,
                last_error=self._last_error,
            )

    def start(self) -> None:
        """Finds the log's head and starts the threads.

        :raises PersistenceError: when the log can't be read.
        """
        self._base = self._head = self.recorder.max_notification_id() or 0
        if self._head:
            for notification in self.read_page(max(0, self._head - PAGE_SIZE), None):
                self._see_topic(notification.topic)
        self._start_thread("notification-feed", self._read_when_behind)
        if not isinstance(self.recorder, POPOApplicationRecorder):
            # What is in this process's memory is recorded by this process.
            self._start_thread("notification-listener", self._listen)

    def stop(self) -> None:
        """Ends all subscriptions and the threads. Returns when the threads have ended."""
        with self._changed:
            self._is_stopping.set()
            self._changed.notify_all()
        self._is_behind.set()
        if (subscription := self._subscription) is not None:
            subscription.stop()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def receive_recording_event(self, new_recording_event: RecordingEvent[Any]) -> None:
        """Takes what has just been recorded in this process."""
        recordings = new_recording_event.recordings
        if not recordings:
            return
        with self._changed:
            if recordings[-1].notification.id <= self._head:
                return
            if recordings[0].notification.id == self._head + 1:
                for recording in recordings:
                    if recording.notification.id != self._head + 1:
                        break
                    self._append(recording.notification)
                else:
                    self._changed.notify_all()
                    return
                self._changed.notify_all()
        # Something was recorded in between, perhaps by a thread that is still on its way here.
        self._is_behind.set()

    def read_page(
        self, after: int, topics: Sequence[str] | None, limit: int = PAGE_SIZE
    ) -> Sequence[Notification]:
        """Reads a page of the log from the recorder."""
        with self._changed:
            self._reads += 1
        return self.recorder.select_notifications(
            start=after, limit=limit, topics=topics or (), inclusive_of_start=False
        )

    def subscribe(self, after: int, topics: Sequence[str] = ()) -> FeedSubscription:
        """Returns a subscription to all notifications whose ID is greater than ``after``.

        :param topics: of the notifications that are wanted. Empty: all.
        """
        return FeedSubscription(self, after, topics)

    def _append(self, notification: Notification) -> None:
        fragment = encode_notification(notification)
        self._ids.append(notification.id)
        self._topics.append(notification.topic)
        self._fragments.append(fragment)
        self._bytes += len(fragment)
        self._head = notification.id
        self._see_topic(notification.topic)
        # Trimmed in big steps: cutting a list's front costs its length.
        if len(self._ids) > 2 * RING_SIZE:
            self._trim(len(self._ids) - RING_SIZE)
        elif self._bytes > MAX_RING_BYTES:
            self._trim((len(self._ids) + 1) // 2)

    def _trim(self, count: int) -> None:
        self._base = self._ids[count - 1]
        self._bytes -= sum(map(len, self._fragments[:count]))
        del self._ids[:count], self._topics[:count], self._fragments[:count]

    def _see_topic(self, topic: str) -> None:
        if topic not in self._event_topics and len(self._event_topics) < _MAX_EVENT_TOPICS:
            self._event_topics[topic] = None

    def _start_thread(self, purpose: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"{purpose} {self._name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read_when_behind(self) -> None:
        retry_delay = 0.1
        while not self._is_stopping.is_set():
            self._is_behind.wait(self._max_pull_interval)
            self._is_behind.clear()
            try:
                self.catch_up()
            except Exception as e:  # noqa: BLE001 (whatever a recorder raises is tried again)
                if self._is_stopping.is_set():
                    return
                self._note_error(e)
                self._is_stopping.wait(retry_delay)
                retry_delay = min(retry_delay * 2, 5.0)
                self._is_behind.set()
            else:
                retry_delay = 0.1

    def catch_up(self) -> None:
        """Reads what has been recorded behind the ring's end, and wakes those who wait for it.

        :raises PersistenceError: when the log can't be read.
        """
        while not self._is_stopping.is_set():
            page = self.read_page(self._head, None)
            with self._changed:
                self._last_error = ""
                for notification in page:
                    if notification.id > self._head:
                        self._append(notification)
                if page:
                    self._changed.notify_all()
            if len(page) < PAGE_SIZE:
                return

    def _note_error(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._last_error:
            logger.warning("The notification log of %s can't be read: %s", self._name, text)
        with self._changed:
            self._last_error = text

    def _listen(self) -> None:
        retry_delay = 0.5
        while not self._is_stopping.is_set():
            started = monotonic()
            try:
                with self.recorder.subscribe(gt=self._head) as self._subscription:
                    if self._is_stopping.is_set():
                        return
                    for notification in self._subscription:
                        with self._changed:
                            if notification.id > self._head:
                                self._append(notification)
                                self._changed.notify_all()
            except NotImplementedError:
                # This recorder can't announce anything: the log is looked at regularly instead.
                return
            except Exception as e:  # noqa: BLE001 (a lost connection ends a subscription: begin another)
                if not self._is_stopping.is_set():
                    self._note_error(e)
            finally:
                self._subscription = None
            if monotonic() - started > 30:
                retry_delay = 0.5
            self._is_stopping.wait(retry_delay)
            retry_delay = min(retry_delay * 2, 5.0)


class FeedSubscription:
    """One subscriber's position in a log. An iterator of :class:`Batch` that waits for more.

    The first batch comes at once, also when nothing has been recorded. Iteration ends
    when the feed is stopped or the subscription is closed, from any thread.
    """

    def __init__(self, feed: NotificationFeed, after: int, topics: Sequence[str]) -> None:
        self._feed = feed
        self._topics = frozenset(topics)
        self._read_through = after
        self._is_closed = False
        with feed._changed:
            feed._subscribers += 1

    def close(self) -> None:
        """Ends the subscription, and the wait of the thread that iterates over it."""
        feed = self._feed
        with feed._changed:
            if not self._is_closed:
                self._is_closed = True
                feed._subscribers -= 1
                feed._changed.notify_all()

    def __iter__(self) -> Iterator[Batch]:
        feed = self._feed
        if self._read_through > feed.head:
            # Make sure, before saying that the log is shorter than the subscriber thinks.
            feed.catch_up()
        is_first = True
        last_sent = 0.0
        reported = self._read_through
        while True:
            with feed._changed:
                while True:
                    if self._is_closed or feed._is_stopping.is_set():
                        return
                    if self._read_through < feed._base:
                        is_behind_ring = True
                        break
                    is_behind_ring = False
                    fragments = self._take_from_ring()
                    if fragments or is_first:
                        break
                    timeout = None
                    if self._read_through > reported:
                        timeout = last_sent + PROGRESS_INTERVAL - monotonic()
                        if timeout <= 0:
                            break
                    feed._changed.wait(timeout)
                head = feed._head
            if is_behind_ring:
                fragments = self._read_from_recorder(head)
                head = max(head, self._read_through)
                if not fragments and not is_first:
                    continue
            is_first = False
            last_sent = monotonic()
            reported = self._read_through
            yield Batch(fragments, self._read_through, head)

    def _take_from_ring(self) -> list[bytes]:
        """Takes what matches from the ring, up to one batch. Called with the feed's lock."""
        feed = self._feed
        fragments: list[bytes] = []
        while not fragments and self._read_through < feed._head:
            start = bisect_right(feed._ids, self._read_through)
            fragments = feed._fragments[start : start + PAGE_SIZE]
            if sum(map(len, fragments)) > MAX_BATCH_BYTES:
                fragments = fragments[: _count_within(fragments, MAX_BATCH_BYTES)]
            stop = start + len(fragments)
            if self._topics:
                fragments = [
                    fragment
                    for fragment, topic in zip(fragments, feed._topics[start:stop], strict=True)
                    if topic in self._topics
                ]
            self._read_through = feed._ids[stop - 1]
        return fragments

    def _read_from_recorder(self, head: int) -> list[bytes]:
        """Takes what matches from a page of the log, up to one batch."""
        page = self._feed.read_page(self._read_through, tuple(self._topics))
        fragments = [encode_notification(notification) for notification in page]
        if sum(map(len, fragments)) > MAX_BATCH_BYTES:
            fragments = fragments[: _count_within(fragments, MAX_BATCH_BYTES)]
            self._read_through = page[len(fragments) - 1].id
        elif len(page) == PAGE_SIZE:
            self._read_through = page[-1].id
        else:
            # Nothing else matched, as far as the log went before it was read.
            self._read_through = max(head, page[-1].id if page else 0)
        return fragments


def _count_within(fragments: Sequence[bytes], limit: int) -> int:
    """Returns how many of the fragments, at least one, are together within the limit."""
    size = 0
    for count, fragment in enumerate(fragments):
        size += len(fragment)
        if size > limit and count:
            return count
    return len(fragments)
