"""A follower's loop: subscribe to a leader, process in order, rest when there is reason to, resume.

How events are processed is left to ``event_processing``, what operators ask for to
``following_steering``, and where the leader's server is, and who starts and stops the loop,
to ``application_server``.
"""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

import grpc
from eventsourcing.persistence import Notification
from eventsourcing.popo import POPOFactory
from eventsourcing.system import Follower, NotificationLogReader

from eventsourcing_grpc.calls.error_receiving import error_from_rpc, rpc_code
from eventsourcing_grpc.followers.event_processing import (
    FIRST_RETRY_DELAY,
    MAX_RETRY_DELAY,
    EventProcessing,
)
from eventsourcing_grpc.followers.follower_lock import FollowerLock, NoLock
from eventsourcing_grpc.followers.following_control import LISTENING_INTERVAL, FollowingControl
from eventsourcing_grpc.followers.following_record import FollowingRecord
from eventsourcing_grpc.followers.following_status import (
    FollowingSnapshot,
    FollowingState,
    hindered,
)
from eventsourcing_grpc.followers.following_steering import FollowingSteering
from eventsourcing_grpc.followers.leader_log import LeaderLog
from eventsourcing_grpc.notifications.remote_notification_log import RemoteNotificationLog
from eventsourcing_grpc.telemetry.hooks import EventTracer

logger = logging.getLogger(__name__)

MAX_RECONNECT_DELAY = 2.0
STANDBY_INTERVAL = 1.0
"""Seconds between two looks at how far the server is that follows instead."""
_START_ATTEMPTS = 10
_WAITING = (FollowingState.PAUSED, FollowingState.STANDBY)


class Following:
    """Lets a follower process the events of one leader, in a thread of its own.

    The thread runs from :meth:`start` to :meth:`stop`, whatever happens: a leader that is
    gone is looked for again, and an event whose policy raises is tried again, and skipped only
    when an operator asks for that. While another server of the follower has the lock, it is on
    standby.
    """

    def __init__(
        self,
        follower: Follower[Any],
        leader_name: str,
        leader_address: str,
        channel: grpc.Channel,
        lock: FollowerLock | None = None,
        tracer: EventTracer | None = None,
    ) -> None:
        """:param channel: to the leader's server. It is closed by :meth:`stop`.
        :param lock: is held by one server of the follower at a time. None: there is only this one,
            or the others are heard of only by the positions that they record.
        :param tracer: None: nothing is traced.
        """
        self.leader_name = leader_name
        self.leader_address = leader_address
        self._follower = follower
        self._leader = LeaderLog(leader_name, leader_address, channel)
        self._control = FollowingControl(self._listen, self._leader.cancel)
        self._record = FollowingRecord(leader_name, leader_address)
        self._lock = lock or NoLock()
        self._lock.on_change = self._control.interrupt
        self._processing = EventProcessing(
            follower, leader_name, self._control, self._record, self._lock, tracer
        )
        self.steering = FollowingSteering(
            follower, self._leader, self._control, self._record, self._processing, self._lock
        )
        """Is what operators use."""
        self._thread = threading.Thread(
            target=self._run, name=f"following {leader_name} by {follower.name}", daemon=True
        )
        self._failures = 0
        self._has_heard = False
        self._is_patient = self._is_reason_old = False
        self._is_pause_effective = False
        self._asked_at = monotonic()
        self._searched_through = 0
        _prepare(follower, self._leader)

    def start(self) -> None:
        """Starts following."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Ends the loop when the event that is being processed is done.

        :param timeout: seconds to wait for that. None: as long as it takes.
        """
        self.cancel()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        self._leader.close()

    def cancel(self) -> None:
        """Asks the loop to end, and does not wait for it."""
        self._control.stop()

    def refresh(self) -> None:
        """Asks the leader how long its log has become, once a second while an event is processed:
        what is heard meanwhile was sent before. Waits for the answer for 2 s at most.
        """
        is_processing = self._processing.current is not None
        if is_processing and monotonic() - self._asked_at > LISTENING_INTERVAL:
            self._asked_at = monotonic()
            if (head := self._leader.read_head(self._record.head)) is not None:
                self._record.note_head(head)

    def status(self) -> FollowingSnapshot:
        """Returns the state of this following."""
        snapshot = self._record.snapshot()
        if (problem := self._lock.problem()) is not None:
            snapshot = hindered(snapshot, problem)
        if not self._lock.is_held() and self._lock.is_taken():
            snapshot = replace(snapshot, followed_by=self._lock.holder)
        return snapshot

    def _run(self) -> None:
        while True:
            round_number = self._control.begin_round()
            if self._control.is_stopping:
                return
            try:
                if self._control.is_paused:
                    self._pause(round_number)
                    continue
                self._is_pause_effective = False
                self._lock.want()
                if self._record.is_diverged:
                    self._stay(FollowingState.DIVERGED, round_number)
                elif self._lock.is_held():
                    self._follow(round_number)
                else:
                    self._stand_by(round_number)
            except grpc.RpcError as e:
                if self._control.interruptions == round_number:
                    self._wait_for_leader(e, round_number)
            except Exception as e:
                if self._control.interruptions == round_number:
                    self._wait_after_failure(e, round_number)

    def _stay(self, state: FollowingState, round_number: int) -> None:
        """Does nothing until somebody asks for something."""
        self._record.note_state(state)
        self._searched_through = 0
        self._listen()
        self._control.rest(round_number)

    def _pause(self, round_number: int) -> None:
        """Rests until it is resumed, and looks meanwhile how far another server is that follows."""
        if self._record.state is not FollowingState.PAUSED:
            # If it has the lock, it keeps it, and gets it again if it loses it.
            self._lock.decline()
        if self._lock.is_held():
            self._is_pause_effective = True
            self._stay(FollowingState.PAUSED, round_number)
            return
        self._record.note_state(FollowingState.PAUSED)
        if self._lock.is_taken():
            self._tell_of_end_of_pause()
            self._record.note_position(self._processing.tracked_position())
        self._listen()
        self._control.rest(round_number, STANDBY_INTERVAL)

    def _tell_of_end_of_pause(self) -> None:
        if self._is_pause_effective:
            self._is_pause_effective = False
            logger.warning(
                "%s is paused no longer: its session with the database was lost, and now %s "
                "follows %s. Pause it there",
                self._follower.name,
                self._lock.holder,
                self.leader_name,
            )

    def _stand_by(self, round_number: int) -> None:
        """Waits a second for the lock."""
        if self._lock.is_taken():
            self._record.note_standby(self._processing.tracked_position())
            self._processing.failing = None
            self._listen()
        elif self._lock.problem() is None:
            self._record.note_state(FollowingState.CONNECTING)
        self._failures = 0
        self._control.rest(round_number, STANDBY_INTERVAL)

    def _follow(self, round_number: int) -> None:
        """Follows until the stream ends or breaks, or the round may not go on."""
        position = self._processing.tracked_position()
        self._record.begin_round(position)
        # Once it is known what is wrong, be there as soon as the leader is.
        is_reason_known = self._failures > 0 and not self._is_reason_old
        self._is_patient = is_reason_known and not self._is_expected_soon()
        with self._leader.subscribe(
            position, self._follower.topics, wait_for_ready=self._is_patient
        ) as batches:
            # An interruption cancels only a subscription that it sees.
            if self._control.interruptions != round_number:
                return
            for batch in batches:
                self._has_heard = True
                # Not where it is now: another instance of this follower may have got further
                # than the log was when this batch was made.
                if batch.head < position:
                    self._note_diverged(position, batch.head)
                    return
                is_done = self._processing.process_batch(batch, round_number)
                self._failures = 0
                if not is_done or not self._processing.may_go_on(round_number):
                    return

    def _is_expected_soon(self) -> bool:
        """Tells whether the leader may just be starting, as servers of one system do together."""
        return not self._has_heard and self._failures <= _START_ATTEMPTS

    def _wait_for_leader(self, error: grpc.RpcError, round_number: int) -> None:
        was_reason_old = self._is_reason_old
        self._is_reason_old = self._is_patient and rpc_code(error) is grpc.StatusCode.CANCELLED
        if self._is_reason_old:
            return
        self._failures += 1
        if self._is_expected_soon():
            self._control.rest(round_number, FIRST_RETRY_DELAY)
            return
        server = f"{self.leader_name} on {self.leader_address}"
        mapped = error_from_rpc(error, server=server, transcoder=self._follower.mapper.transcoder)
        known = self._record.error
        is_known = known is not None and known.message == str(mapped)
        if self._record.state is not FollowingState.UNREACHABLE or not is_known:
            logger.warning("%s can't follow %s: %s", self._follower.name, server, mapped)
        self._record.note_unreachable(mapped, self._failures)
        delay = min(FIRST_RETRY_DELAY * 2 ** min(self._failures, 10), MAX_RECONNECT_DELAY)
        if was_reason_old:
            # It has been waited for until just now, and is to be found as soon as it is there.
            delay = FIRST_RETRY_DELAY
        self._control.rest(round_number, delay * random.uniform(0.5, 1.0))

    def _wait_after_failure(self, error: Exception, round_number: int) -> None:
        # The follower's own recorder can't be used, or the loop itself is at fault.
        logger.error("%s can't follow %s", self._follower.name, self.leader_name, exc_info=error)
        self._failures += 1
        delay = min(FIRST_RETRY_DELAY * 2 ** min(self._failures, 10), MAX_RETRY_DELAY)
        self._record.note_failure(error, 0, self._failures, delay)
        self._control.rest(round_number, delay)

    def _note_diverged(self, position: int, head: int) -> None:
        """Following a log that is not the same any more would skip events."""
        error = RuntimeError(
            f"{self.leader_name} has {head:,} notifications, but {position:,} of them have "
            "been processed: its store was lost or replaced. Restore it, then let "
            f"{self._follower.name} retry"
        )
        logger.error("%s can't follow: %s", self._follower.name, error)
        self._record.note_diverged(error, head)

    def _listen(self) -> None:
        """Asks the leader how long its log has become, and does not wait for the answer."""
        record = self._record
        if record.state in _WAITING and record.event_time is None:
            # The lag is the age of the event that is next.
            after = max(record.position, self._searched_through)
            self._leader.ask(after, self._follower.topics, partial(self._take_next, record.head))
        else:
            self._leader.ask(record.head, (), lambda head, _: record.note_head(head))

    def _take_next(self, asked_at: int, head: int, notification: Notification | None) -> None:
        """Takes what is next while the following is paused, or on standby.

        :param asked_at: the head when it was asked for.
        """
        self._record.note_head(head)
        if notification is None:
            # Don't let the leader search the same part of its log for the wanted topics again.
            self._searched_through = asked_at
            return
        is_late = notification.id <= self._record.position
        if is_late or self._record.state not in _WAITING:
            return
        try:
            event = self._follower.mappers[self.leader_name].to_domain_event(notification)
        except Exception as e:
            # Keys, classes and transcodings may be missing. Its age is not known then.
            logger.debug("%s #%d can't be decoded: %s", self.leader_name, notification.id, e)
        else:
            self._record.note_event_time(getattr(event, "timestamp", None))


def _prepare(follower: Follower[Any], leader: LeaderLog) -> None:
    """Does what ``Follower.follow()`` does, without opening the leader's database."""
    env = follower.construct_env(leader.name, follower.env)
    follower.mappers[leader.name] = POPOFactory(env).mapper(
        follower.construct_transcoder(), mapper_class=type(follower.mapper)
    )
    follower.readers[leader.name] = NotificationLogReader(
        RemoteNotificationLog(leader.select), section_size=follower.pull_section_size
    )
