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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription
from eventsourcing.popo import POPOApplicationRecorder
from eventsourcing.system import RecordingEvent, RecordingEventReceiver

from eventsourcing_grpc.feed_subscription import FeedSubscription
from eventsourcing_grpc.notification_ring import PAGE_SIZE, NotificationRing

logger = logging.getLogger(__name__)

_MAX_EVENT_TOPICS = 1_000
_LISTENING_DELAY = 1.0
"""Seconds after which a database that was asked to announce is expected to do so."""


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
        self,
        recorder: ApplicationRecorder,
        max_pull_interval: float,
        name: str = "",
        trace_context: Callable[[Notification], str] | None = None,
    ) -> None:
        """:param max_pull_interval: seconds between two looks at the log when nothing is heard of it.
        :param name: the application's, for the names of threads and for log messages.
        :param trace_context: tells in which trace a notification was recorded. None: nothing is traced.
        """
        self.recorder = recorder
        self._name = name
        self._max_pull_interval = max_pull_interval
        self._trace_context = trace_context
        self.changed = threading.Condition(threading.Lock())
        """Guards the ring, and wakes subscriptions when something has come."""
        self.ring = NotificationRing()
        self.is_stopping = threading.Event()
        self._event_topics: dict[str, None] = {}
        self._subscribers = 0
        self._reads = 0
        self._last_error = ""
        self._is_behind = threading.Event()
        self._is_listening_since_last_look = False
        self._subscription: Subscription[ApplicationRecorder] | None = None
        self._threads: list[threading.Thread] = []

    @property
    def head(self) -> int:
        """The log's greatest ID. 0: the log is empty."""
        return self.ring.head

    def event_topics(self) -> list[str]:
        """Returns the topics of the notifications that have been seen."""
        with self.changed:
            return list(self._event_topics)

    def statistics(self) -> FeedStatistics:
        """Returns the feed's state."""
        with self.changed:
            return FeedStatistics(
                head=self.ring.head,
                subscribers=self._subscribers,
                ring_length=len(self.ring),
                reads=self._reads,
                last_error=self._last_error,
            )

    def start(self) -> None:
        """Finds the log's head and starts the threads.

        :raises PersistenceError: when the log can't be read.
        """
        self.ring = NotificationRing(self.recorder.max_notification_id() or 0)
        for notification in self.read_page(max(0, self.head - PAGE_SIZE)):
            self._see_topic(notification.topic)
        self._start_thread("notification-feed", self._read_when_behind)
        if not isinstance(self.recorder, POPOApplicationRecorder):
            # What is in this process's memory is recorded by this process.
            self._start_thread("notification-listener", self._listen)

    def stop(self) -> None:
        """Ends all subscriptions and the threads. Returns when the threads have ended."""
        with self.changed:
            self.is_stopping.set()
            self.changed.notify_all()
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
        with self.changed:
            if recordings[-1].notification.id <= self.ring.head:
                return
            if recordings[0].notification.id == self.ring.head + 1:
                for recording in recordings:
                    if recording.notification.id != self.ring.head + 1:
                        break
                    self._append(recording.notification)
                else:
                    self.changed.notify_all()
                    return
                self.changed.notify_all()
        # Something was recorded in between, perhaps by a thread that is still on its way here.
        self._is_behind.set()

    def read_page(
        self, after: int, topics: Sequence[str] = (), limit: int = PAGE_SIZE
    ) -> Sequence[Notification]:
        """Reads a page of the log from the recorder."""
        with self.changed:
            self._reads += 1
        return self.recorder.select_notifications(
            start=after, limit=limit, topics=topics, inclusive_of_start=False
        )

    def subscribe(self, after: int, topics: Sequence[str] = ()) -> FeedSubscription:
        """Returns a subscription to all notifications whose ID is greater than ``after``.

        :param topics: of the notifications that are wanted. Empty: all.
        """
        return FeedSubscription(self, after, topics)

    def enter(self) -> None:
        """Counts a subscriber."""
        with self.changed:
            self._subscribers += 1

    def leave(self) -> None:
        """Counts a subscriber no longer."""
        with self.changed:
            self._subscribers -= 1

    def trace_context(self, notification: Notification) -> str:
        """Returns in which trace a notification was recorded. Empty: it is not known."""
        return self._trace_context(notification) if self._trace_context is not None else ""

    def _append(self, notification: Notification) -> None:
        self.ring.append(notification, self.trace_context(notification))
        self._see_topic(notification.topic)

    def _see_topic(self, topic: str) -> None:
        if topic not in self._event_topics and len(self._event_topics) < _MAX_EVENT_TOPICS:
            self._event_topics[topic] = None

    def _start_thread(self, purpose: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"{purpose} {self._name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read_when_behind(self) -> None:
        retry_delay = 0.1
        while not self.is_stopping.is_set():
            interval = self._max_pull_interval
            if self._is_listening_since_last_look:
                # What was recorded before the database began to announce is not announced.
                self._is_listening_since_last_look = False
                interval = min(interval, _LISTENING_DELAY)
            self._is_behind.wait(interval)
            self._is_behind.clear()
            try:
                self.catch_up()
            except Exception as e:  # whatever a recorder raises is tried again
                if self.is_stopping.is_set():
                    return
                self._note_error(e)
                self.is_stopping.wait(retry_delay)
                retry_delay = min(retry_delay * 2, 5.0)
                self._is_behind.set()
            else:
                retry_delay = 0.1

    def catch_up(self) -> None:
        """Reads what has been recorded behind the ring's end, and wakes those who wait for it.

        :raises PersistenceError: when the log can't be read.
        """
        while not self.is_stopping.is_set():
            page = self.read_page(self.ring.head)
            with self.changed:
                self._last_error = ""
                for notification in page:
                    if notification.id > self.ring.head:
                        self._append(notification)
                if page:
                    self.changed.notify_all()
            if len(page) < PAGE_SIZE:
                return

    def _note_error(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._last_error:
            logger.warning("The notification log of %s can't be read: %s", self._name, text)
        with self.changed:
            self._last_error = text

    def _listen(self) -> None:
        retry_delay = 0.5
        while not self.is_stopping.is_set():
            started = monotonic()
            try:
                with self.recorder.subscribe(gt=self.ring.head) as self._subscription:
                    if self.is_stopping.is_set():
                        return
                    self._is_listening_since_last_look = True
                    self._is_behind.set()
                    for notification in self._subscription:
                        with self.changed:
                            if notification.id > self.ring.head:
                                self._append(notification)
                                self.changed.notify_all()
            except NotImplementedError:
                # This recorder can't announce anything: the log is looked at regularly instead.
                return
            except Exception as e:
                # A lost connection ends a subscription for good: begin another.
                if not self.is_stopping.is_set():
                    self._note_error(e)
            finally:
                self._subscription = None
            if monotonic() - started > 30:
                retry_delay = 0.5
            self.is_stopping.wait(retry_delay)
            retry_delay = min(retry_delay * 2, 5.0)
