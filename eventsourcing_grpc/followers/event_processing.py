"""Processes what a follower hears of a leader: in order, and each event as often as it takes.

The core library records a policy's new events and the tracking position in one transaction,
so that each event of the leader is recorded as processed exactly once.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from eventsourcing.persistence import IntegrityError, Notification, Tracking
from eventsourcing.system import Follower

from eventsourcing_grpc.calls.error_texts import hide_values
from eventsourcing_grpc.conversion import notifications_from_messages
from eventsourcing_grpc.followers.follower_lock import FollowerLock
from eventsourcing_grpc.followers.following_control import FollowingControl
from eventsourcing_grpc.followers.following_record import FollowingRecord
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch
from eventsourcing_grpc.telemetry.hooks import EventTracer

logger = logging.getLogger(__name__)

FIRST_RETRY_DELAY = 0.1
MAX_RETRY_DELAY = 30.0
STANDBY_DELAY = 0.5
"""Seconds between two looks at what another instance of the same follower has processed."""
_MAX_IMMEDIATE_RETRIES = 10


class EventProcessing:
    """Lets a follower process batches of one leader's notifications. Belongs to the loop's thread."""

    def __init__(
        self,
        follower: Follower[Any],
        leader_name: str,
        control: FollowingControl,
        record: FollowingRecord,
        lock: FollowerLock,
        tracer: EventTracer | None = None,
    ) -> None:
        """:param tracer: None: nothing is traced."""
        self.current: Notification | None = None
        """What is being processed just now."""
        self.failing: Notification | None = None
        """What was tried last and has failed. It is remembered while the following is paused."""
        self._follower = follower
        self._leader_name = leader_name
        self._control = control
        self._record = record
        self._lock = lock
        self._attempts = 0
        self._tracer = tracer

    def tracked_position(self) -> int:
        """Returns the recorded position."""
        return self._follower.recorder.max_tracking_id(self._leader_name) or 0

    def may_go_on(self, round_number: int) -> bool:
        """Tells whether the loop's round is neither interrupted nor without the lock."""
        return self._control.interruptions == round_number and self._lock.is_held()

    def process_batch(self, batch: NotificationBatch, round_number: int) -> bool:
        """Processes a batch, or as much of it as there is until the round may not go on.

        Returns whether all of it has been processed. What comes behind it must not be, if not.
        """
        record = self._record
        record.begin_batch(batch.head, batch.read_through)
        notifications = notifications_from_messages(batch.notifications)
        contexts: dict[int, str] = {}
        if self._tracer is not None:
            contexts = {message.id: message.trace_context for message in batch.notifications}
        try:
            for notification in self._follower.filter_received_notifications(notifications):
                if notification.id <= record.position:
                    # Another instance of this follower has processed it.
                    continue
                context = contexts.get(notification.id, "")
                if not self._process_traced(notification, context, round_number):
                    return False
        finally:
            self.current = None
        if not self.may_go_on(round_number):
            return False
        if batch.read_through > record.position:
            self._record_position(batch.read_through)
        record.end_batch()
        return True

    def _process_traced(
        self, notification: Notification, trace_context: str, round_number: int
    ) -> bool:
        if self._tracer is None:
            return self._process(notification, round_number)
        process = partial(self._process, notification, round_number)
        return self._tracer.trace(notification, trace_context, process)

    def _process(self, notification: Notification, round_number: int) -> bool:
        """Processes a notification, as often as it takes.

        Returns False when it was not processed, because the round may not go on.
        """
        record = self._record
        conflicts = 0
        while self.may_go_on(round_number):
            self.current = notification
            try:
                jobs = self._follower.convert_notifications(self._leader_name, [notification])
                for domain_event, tracking in jobs:
                    record.note_event_time(getattr(domain_event, "timestamp", None))
                    self._follower.process_event(domain_event, tracking)
            except BaseException as e:  # whatever a policy raises is tried again, SystemExit too
                hide_values(e)
                # Also a policy may raise because another instance was first.
                if self._was_processed_elsewhere(notification.id, round_number):
                    return True
                if isinstance(e, IntegrityError):
                    conflicts += 1
                    if conflicts <= _MAX_IMMEDIATE_RETRIES:
                        # A command has changed the same aggregate in the meantime.
                        if self._tracer is not None:
                            self._tracer.note_failure(e, conflicts, 0.0)
                        continue
                self._wait_after_failure(e, notification, round_number)
                if record.position >= notification.id:
                    # An operator has skipped it.
                    return True
            else:
                record.note_processed(notification.id)
                if self.failing is not None:
                    self.failing = None
                    record.note_recovery()
                return True
        return False

    def _was_processed_elsewhere(self, notification_id: int, round_number: int) -> bool:
        """Tells whether another instance of this follower has recorded an event as processed.

        If so, this one stands by for a moment, so that not everything is done twice.
        """
        try:
            if self.tracked_position() < notification_id:
                return False
            self.current = None
            self._control.rest(round_number, STANDBY_DELAY)
            tracked = self.tracked_position()
        except Exception as e:
            # The recorder can't be used, which is what the processing has failed of as well.
            logger.debug("The position of %s is not known: %s", self._follower.name, e)
            return False
        self.failing = None
        self._record.note_position(tracked)
        self._record.note_recovery()
        return True

    def _record_position(self, read_through: int) -> None:
        """Records that nothing up to an ID is left to process, since nothing matched."""
        try:
            self._follower.recorder.insert_tracking(Tracking(self._leader_name, read_through))
        except IntegrityError:
            read_through = self.tracked_position()
        self._record.note_position(read_through)

    def skip(self, notification_id: int) -> bool:
        """Records an event as processed, for an operator, while the loop is held.

        :returns: False when it has been recorded before.
        """
        if self.tracked_position() >= notification_id:
            return False
        try:
            self._follower.recorder.insert_tracking(Tracking(self._leader_name, notification_id))
        except IntegrityError:
            # Another instance of this follower was first.
            return False
        self.failing = None
        self._record.note_position(notification_id)
        self._record.note_recovery()
        return True

    def _wait_after_failure(
        self, error: BaseException, notification: Notification, round_number: int
    ) -> None:
        if self.failing is None or self.failing.id != notification.id:
            self.failing = notification
            self._attempts = 0
        self._attempts += 1
        attempts = self._attempts
        delay = min(FIRST_RETRY_DELAY * 2 ** min(attempts - 1, 20), MAX_RETRY_DELAY)
        logger.warning(
            "%s failed to process %s #%d (attempt %d, next try in %.1f s)",
            self._follower.name,
            self._leader_name,
            notification.id,
            attempts,
            delay,
            exc_info=error if attempts == 1 else None,
        )
        self._record.note_failure(error, notification.id, attempts, delay)
        if self._tracer is not None:
            self._tracer.note_failure(error, attempts, delay)
        self.current = None
        self._control.rest(round_number, delay)
