"""One reader for each log, fanned out to every subscriber.

The feed keeps the newest notifications in a ring. What is recorded in this process arrives
from the library's recording hook without a read; what other processes record is announced by
the database where it can (PostgreSQL), and found by looking at intervals where it can't.
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

from eventsourcing.persistence import ApplicationRecorder, Notification
from eventsourcing.system import RecordingEvent, RecordingEventReceiver

from eventsourcing_grpc.database.database_session import DatabaseSession
from eventsourcing_grpc.notifications.feed_subscription import FeedSubscription
from eventsourcing_grpc.notifications.notification_ring import PAGE_SIZE, NotificationRing

logger = logging.getLogger(__name__)

_MAX_EVENT_TOPICS = 1_000
_DEAF_INTERVAL = 1.0
"""Seconds between two looks at a log of which nothing is announced just now, though it should be."""
_READING_PATIENCE = 5.0
"""Seconds after which a log that has not been read can't be, as far as anybody knows."""
_STOP_TIMEOUT = 0.5
"""Seconds that the thread has to end. If it waits for a database, it ends when that is closed."""


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

    Owns a thread that reads what was not handed over by the recording hook, which is ended by
    :meth:`stop`.
    """

    def __init__(
        self,
        recorder: ApplicationRecorder,
        max_pull_interval: float,
        name: str = "",
        trace_context: Callable[[Notification], str] | None = None,
        session: DatabaseSession | None = None,
    ) -> None:
        """:param max_pull_interval: seconds between two looks at the log when nothing is heard of it.
        :param name: the application's, for the names of threads and for log messages.
        :param trace_context: tells in which trace a notification was recorded. None: nothing is traced.
        :param session: tells what other processes record by calling :meth:`announce`.
        """
        self.recorder = recorder
        self._name = name
        self._session = session or DatabaseSession()
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
        self._reading_since: float | None = None
        self._is_behind = threading.Event()
        self._may_be_shorter = False
        self.generation = 0
        """Is counted up when the log has turned out to be shorter: subscriptions of before end then."""
        self._thread: threading.Thread | None = None

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
        last_error = self._find_error()
        with self.changed:
            return FeedStatistics(
                head=self.ring.head,
                subscribers=self._subscribers,
                ring_length=len(self.ring),
                reads=self._reads,
                last_error=last_error,
            )

    def start(self) -> None:
        """Finds the log's head and starts the thread.

        :raises PersistenceError: when the log can't be read.
        """
        self.ring = NotificationRing(self.recorder.max_notification_id() or 0)
        for notification in self.read_page(max(0, self.head - PAGE_SIZE)):
            self._see_topic(notification.topic)
        self._thread = threading.Thread(
            target=self._read_when_behind, name=f"notification-feed {self._name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends all subscriptions and the thread. Returns when the thread has ended, or waits for a
        database that does not answer.
        """
        with self.changed:
            self.is_stopping.set()
            self.changed.notify_all()
        self._is_behind.set()
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT)

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

    def announce(self, head: int) -> None:
        """Has the log read, if it has become longer, whoever has recorded what is new.

        :param head: the log's greatest ID.
        """
        if head > self.ring.head or self._last_error:
            self._is_behind.set()

    def doubt(self) -> None:
        """Has the log's head read again, for it may have become shorter meanwhile."""
        self._may_be_shorter = True
        self._is_behind.set()

    def confirm(self) -> None:
        """Makes sure that what is known of the log is still there.

        A database that others record in as well may have been restored from a backup, or replaced
        by a copy that lacks what was recorded last.

        :raises PersistenceError: when the log can't be read.
        """
        if not self._session.announces:
            return
        known = self.ring.head
        found = self.recorder.max_notification_id() or 0
        if found < known:
            self._begin_anew(known, found)

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

    def _begin_anew(self, known: int, found: int) -> None:
        with self.changed:
            if self.ring.head < known:
                # Somebody else has found out just now.
                return
            self.ring = NotificationRing(found)
            self.generation += 1
            self.changed.notify_all()
        logger.error(
            "%s's log has become shorter, from #%d to #%d: its database was restored or replaced",
            self._name,
            known,
            found,
        )

    def _append(self, notification: Notification) -> None:
        self.ring.append(notification, self.trace_context(notification))
        self._see_topic(notification.topic)

    def _see_topic(self, topic: str) -> None:
        if topic not in self._event_topics and len(self._event_topics) < _MAX_EVENT_TOPICS:
            self._event_topics[topic] = None

    def _read_when_behind(self) -> None:
        retry_delay = 0.1
        while not self.is_stopping.is_set():
            self._wait_for_news()
            self._is_behind.clear()
            self._reading_since = monotonic()
            try:
                if self._may_be_shorter:
                    self._may_be_shorter = False
                    self.confirm()
                self.catch_up()
            except Exception as e:  # whatever a recorder raises is tried again
                if self.is_stopping.is_set():
                    return
                self._note_error(e)
                self._reading_since = None
                self._wait_to_retry(retry_delay)
                retry_delay = min(retry_delay * 2, 5.0)
                self._is_behind.set()
            else:
                self._reading_since = None
                retry_delay = 0.1

    def _wait_for_news(self) -> None:
        until = monotonic() + self._max_pull_interval
        while not self._is_behind.wait(min(max(0.0, until - monotonic()), _DEAF_INTERVAL)):
            is_deaf = self._session.announces and not self._session.is_listening
            if is_deaf or monotonic() >= until:
                return

    def _wait_to_retry(self, delay: float) -> None:
        if self._session.announces:
            # It may tell before that the log can be read again.
            self._is_behind.wait(delay)
        else:
            self.is_stopping.wait(delay)

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

    def _find_error(self) -> str:
        """Says why the log can't be read just now. Empty: it can, as far as is known."""
        if (problem := self._session.problem()) is not None:
            return problem.text
        if self._last_error:
            return self._last_error
        since = self._reading_since
        if since is not None and monotonic() - since > _READING_PATIENCE:
            return "the database does not answer"
        return ""

    def _note_error(self, error: Exception) -> None:
        text = self._session.in_words(error)
        if text != self._last_error:
            logger.warning("The notification log of %s can't be read: %s", self._name, text)
        with self.changed:
            self._last_error = text
