"""What is known of one following: how far it is, how it is, and what went wrong last.

The loop writes it. What operators are told is a snapshot of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from eventsourcing_grpc.calls.error_texts import beginning_of, end_of, message_of
from eventsourcing_grpc.calls.tracebacks import format_traceback
from eventsourcing_grpc.followers.following_status import (
    FollowingError,
    FollowingSnapshot,
    FollowingState,
)

_CATCHING_UP_LAG = 500
# In bytes. They are sent to all who watch, once a second.
_MAX_MESSAGE = 10_000
_MAX_TRACEBACK = 50_000


class FollowingRecord:
    """The state of a following, which any thread may read.

    Its attributes are written by the loop alone, other than that an operator skips an event
    while the loop rests.
    """

    def __init__(self, leader_name: str, leader_address: str) -> None:
        self.state = FollowingState.CONNECTING
        self.position = 0
        """The recorded tracking ID."""
        self.head = 0
        """The leader's greatest ID, as last heard."""
        self.error: FollowingError | None = None
        self.event_time: datetime | None = None
        """Of the oldest event that has not been processed. None: not known."""
        self.is_diverged = False
        """Whether the leader's log was too short, and nobody has asked to look again since."""
        self._leader_name = leader_name
        self._leader_address = leader_address
        self._state_since = datetime.now(UTC)
        self._read_through = 0
        self._processed = 0
        self._has_heard = False
        # Guards what belongs together, and wakes those who wait for another state or error.
        self._changed = threading.Condition(threading.Lock())

    def snapshot(self) -> FollowingSnapshot:
        """Returns the state as it is now."""
        with self._changed:
            lag_seconds: float | None = None
            if self.head <= self._read_through:
                lag_seconds = 0.0
            elif self.event_time is not None:
                lag_seconds = max(0.0, (datetime.now(UTC) - self.event_time).total_seconds())
            return FollowingSnapshot(
                leader=self._leader_name,
                leader_address=self._leader_address,
                state=self.state,
                state_since=self._state_since,
                position=self.position,
                read_through=self._read_through,
                head=self.head,
                lag_seconds=lag_seconds,
                processed=self._processed,
                error=self.error,
            )

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Waits until a condition of the state or the error is true.

        :param timeout: seconds after which it is given up.
        :returns: whether the condition is true.
        """
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def begin_round(self, position: int) -> None:
        """Notes that the leader is asked for what comes after a position."""
        with self._changed:
            self.position = self._read_through = position
            self._has_heard = False
            if self.error is not None and 0 < self.error.notification_id <= position:
                # Another instance of this follower has processed the event.
                self._set_error(None)
            if self.state in (FollowingState.PAUSED, FollowingState.STANDBY):
                self._set_state(FollowingState.CONNECTING)

    def begin_batch(self, head: int, read_through: int) -> None:
        """Notes that something has been heard from the leader, and is processed now."""
        with self._changed:
            # What is heard first may be of a log that has been restored, and is shorter than it was.
            self.head = max(self.head, head) if self._has_heard else head
            self._has_heard = True
            lag = self.head - read_through
            if self.state is not FollowingState.LIVE or lag > _CATCHING_UP_LAG:
                self._set_state(FollowingState.CATCHING_UP)

    def end_batch(self) -> None:
        """Notes that nothing of what has been heard is left to process."""
        with self._changed:
            self.event_time = None
            if self._read_through >= self.head:
                self._set_error(None)
                self._set_state(FollowingState.LIVE)

    def note_event_time(self, timestamp: object) -> None:
        """Notes what an event that is to be processed says of its age."""
        if isinstance(timestamp, datetime):
            self.event_time = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)

    def note_processed(self, notification_id: int) -> None:
        """Notes that an event has been processed."""
        with self._changed:
            self.position = notification_id
            self._read_through = max(self._read_through, notification_id)
            self._processed += 1

    def note_position(self, position: int) -> None:
        """Notes that nothing up to an ID is left to process, whoever has seen to it."""
        with self._changed:
            self.position = position
            self._read_through = max(self._read_through, position)

    def note_recovery(self) -> None:
        """Notes that what went wrong has been overcome."""
        with self._changed:
            self.event_time = None
            self._set_error(None)
            if self.state is not FollowingState.PAUSED:
                self._set_state(FollowingState.CATCHING_UP)

    def note_head(self, head: int) -> None:
        """Notes how long the leader's log is, when it was asked for that."""
        with self._changed:
            if self.state in (FollowingState.LIVE, FollowingState.CATCHING_UP):
                # What is late must not take back what has been heard since.
                self.head = max(self.head, head)
                if self.head - self._read_through > _CATCHING_UP_LAG:
                    self._set_state(FollowingState.CATCHING_UP)
            else:
                self.head = head

    def note_failure(
        self, error: BaseException, notification_id: int, attempts: int, delay: float
    ) -> None:
        """Notes that an event, or the loop itself, has failed, and will be tried again.

        :param notification_id: 0: it is not of an event.
        :param delay: seconds until then.
        """
        text = format_traceback(error)
        with self._changed:
            self._set_state(FollowingState.FAILING)
            self._set_error(self._describe(error, notification_id, attempts, delay, text))

    def note_unreachable(self, error: Exception, attempts: int) -> None:
        """Notes that the leader is gone. It is tried again as soon as there is a connection."""
        with self._changed:
            self.event_time = None
            self._set_state(FollowingState.UNREACHABLE)
            self._set_error(self._describe(error, 0, attempts, None, ""))

    def note_diverged(self, error: Exception, head: int) -> None:
        """Notes that the leader's log is shorter than the position."""
        with self._changed:
            self.head = head
            self.is_diverged = True
            is_again = self.state is FollowingState.DIVERGED and self.error is not None
            attempts = self.error.attempts + 1 if is_again and self.error else 1
            self._set_state(FollowingState.DIVERGED)
            self._set_error(self._describe(error, 0, attempts, None, ""))

    def note_state(self, state: FollowingState) -> None:
        """Notes that the loop does nothing until somebody asks for it. The error stays."""
        with self._changed:
            if self.error is None or not self.error.notification_id:
                # It is that of an event that has been processed.
                self.event_time = None
            if self.error is not None and self.error.next_try_at is not None:
                self._set_error(replace(self.error, next_try_at=None))
            self._set_state(state)

    def note_standby(self, position: int) -> None:
        """Notes that another instance of this follower follows, and how far it is."""
        with self._changed:
            if position != self.position or self.state is not FollowingState.STANDBY:
                self.event_time = None
            self.position = self._read_through = position
            self._set_error(None)
            self._set_state(FollowingState.STANDBY)

    def _describe(
        self,
        error: BaseException,
        notification_id: int,
        attempts: int,
        delay: float | None,
        traceback_text: str,
    ) -> FollowingError:
        now = datetime.now(UTC)
        previous = self.error
        is_again = previous is not None and previous.notification_id == notification_id
        return FollowingError(
            error_class=type(error).__name__,
            message=beginning_of(message_of(error), _MAX_MESSAGE),
            traceback=end_of(traceback_text, _MAX_TRACEBACK),
            notification_id=notification_id,
            attempts=attempts,
            first_at=previous.first_at if previous and is_again and attempts > 1 else now,
            last_at=now,
            next_try_at=None if delay is None else now + timedelta(seconds=delay),
        )

    def _set_state(self, state: FollowingState) -> None:
        if state is not self.state:
            self.state = state
            self._state_since = datetime.now(UTC)
            self._changed.notify_all()

    def _set_error(self, error: FollowingError | None) -> None:
        if error is not self.error:
            self.error = error
            self._changed.notify_all()
