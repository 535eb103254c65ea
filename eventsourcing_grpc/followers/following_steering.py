"""What operators may ask of a following: to pause, to resume, to retry at once, to skip an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from eventsourcing.persistence import Mapper, Notification
from eventsourcing.system import Follower

from eventsourcing_grpc.calls.error_receiving import rpc_details
from eventsourcing_grpc.errors import FollowingStateError
from eventsourcing_grpc.followers.event_processing import EventProcessing
from eventsourcing_grpc.followers.follower_lock import FollowerLock
from eventsourcing_grpc.followers.following_control import FollowingControl
from eventsourcing_grpc.followers.following_record import FollowingRecord
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.followers.leader_log import LeaderLog

_PATIENCE = 0.5
"""Seconds to wait for a loop to do what it is asked for, or for an event to be processed."""

_WORDS: Mapping[FollowingState, str] = {
    FollowingState.CONNECTING: "{} is connecting to {}",
    FollowingState.CATCHING_UP: "{} is catching up on {}",
    FollowingState.LIVE: "{} is live on {}",
    FollowingState.PAUSED: "{} is paused on {}",
    FollowingState.FAILING: "{} is failing on {}",
    FollowingState.UNREACHABLE: "{} can't reach {}",
    FollowingState.DIVERGED: "{} has diverged from {}",
    FollowingState.STANDBY: "{} is on standby for {}",
}


class FollowingSteering:
    """Steers one following, from any thread.

    Nothing here waits for a policy: what takes longer than half a second is left to happen, or
    is refused. Nothing is remembered when the follower's server is started again: then every
    following goes on from its recorded position.

    Another instance of the same follower is not steered. Where there is a lock, it is kept from
    following while the one that has the lock is paused. Elsewhere, it goes on with the events that
    this one is paused before.
    """

    def __init__(
        self,
        follower: Follower[Any],
        leader: LeaderLog,
        control: FollowingControl,
        record: FollowingRecord,
        processing: EventProcessing,
        lock: FollowerLock,
    ) -> None:
        self._follower = follower
        self._leader = leader
        self._control = control
        self._record = record
        self._processing = processing
        self._lock = lock

    @property
    def mapper(self) -> Mapper[Any]:
        """Decodes the leader's events, as the follower does."""
        return self._follower.mappers[self._leader.name]

    def pause(self) -> bool:
        """Lets the following wait, from the end of the event that is being processed on, until it
        is resumed or its server is started again.

        Nothing more of what has been received already is processed. A following that waits for its
        next try or for its leader is paused at once. One on standby does not take over.

        :returns: False when it had been paused before. Nothing has been changed then.
        """
        if not self._control.pause():
            return False
        self._record.wait_for(lambda: self._record.state is FollowingState.PAUSED, _PATIENCE)
        return True

    def resume(self) -> bool:
        """Lets a following that was paused go on where it was.

        :returns: False when it was not paused. Nothing has been changed then.
        """
        if not self._control.resume():
            return False
        self._record.wait_for(lambda: self._record.state is not FollowingState.PAUSED, _PATIENCE)
        return True

    def retry_now(self) -> None:
        """Tries at once what waits for its next try: an event that has failed, a leader that is gone,
        or a leader's log that was shorter than the position.

        A log that is long enough is followed again, whatever is in it. When nothing has come of
        the try within half a second, this returns all the same.

        :raises FollowingStateError: when there is nothing to retry, or it is being tried.
        """
        self._refuse_on_standby()
        state, error = self._record.state, self._record.error
        if state is FollowingState.FAILING:
            if not self._control.wake(_PATIENCE):
                self._refuse_retry()
        elif state in (FollowingState.UNREACHABLE, FollowingState.DIVERGED):
            self._record.is_diverged = False
            self._control.interrupt()
        else:
            self._refuse_retry()
        self._record.wait_for(
            lambda: self._record.error is not error or self._record.state is not state, _PATIENCE
        )

    def find_next(self) -> Notification:
        """Returns the event that the following fails on, or that it is paused before.

        :raises FollowingStateError: when there is none, or it can't be asked for.
        """
        with self._waiting():
            failing = self._processing.failing
            position = self._processing.tracked_position()
        if failing is not None and failing.id > position:
            return failing
        if self._record.state is not FollowingState.PAUSED:
            self._refuse(f"{self._words()}, but not on an event: there is nothing to skip")
        try:
            head, notification = self._leader.read_next(position, self._follower.topics)
        except (grpc.RpcError, ValueError) as e:
            told = rpc_details(e) if isinstance(e, grpc.RpcError) else str(e)
            self._refuse(f"{self._leader.name} on {self._leader.address} can't be asked: {told}")
        self._record.note_head(head)
        if notification is None:
            self._refuse(
                f"{self._words()}, which has no event after #{position} for it yet: there is "
                "nothing to skip"
            )
        return notification

    def check_next(self, notification_id: int) -> Notification:
        """Returns the event that would be skipped.

        :raises FollowingStateError: when another one would be, or none.
        """
        position = self._processing.tracked_position()
        if position >= notification_id:
            self._refuse_as_passed(notification_id, position)
        notification = self.find_next()
        if notification.id != notification_id:
            is_failing = self._processing.failing is notification
            self._refuse(
                f"{self._follower.name} {'fails on' if is_failing else 'is paused before'} "
                f"{self._leader.name} #{notification.id}, and not "
                f"{'on' if is_failing else 'before'} #{notification_id}: only "
                f"#{notification.id} can be skipped"
            )
        return notification

    def skip(self, notification_id: int) -> None:
        """Records an event as processed without processing it, and lets the following go on, unless
        it is paused.

        :param notification_id: what :meth:`check_next` has returned.
        :raises FollowingStateError: when the following has gone on in the meantime.
        :raises PersistenceError: when it can't be recorded.
        """
        with self._waiting():
            if not self._processing.skip(notification_id):
                self._refuse_as_passed(notification_id, self._processing.tracked_position())
            self._control.wake(0.0)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Keeps the following where it fails or is paused, for the time of a 'with' block."""
        self._check_is_waiting()
        with self._control.hold(_PATIENCE) as is_held:
            if not is_held:
                self._refuse_while_busy()
            self._check_is_waiting()
            yield

    def _refuse_on_standby(self) -> None:
        if self._lock.is_held():
            return
        follower, leader = self._follower.name, self._leader.name
        if self._lock.is_taken():
            holder = f" ({self._lock.holder})" if self._lock.holder else ""
            self._refuse(
                f"{follower} is on standby: another server of {follower} follows {leader}{holder}. "
                "Ask that one"
            )
        if (problem := self._lock.problem()) is not None:
            self._refuse(f"{follower} can't follow {leader}: {problem.text}. It goes on by itself")

    def _check_is_waiting(self) -> None:
        self._refuse_on_standby()
        if self._record.is_diverged:
            self._refuse(f"{self._words()}: no event of it can be skipped")
        if self._record.state not in (FollowingState.FAILING, FollowingState.PAUSED):
            self._refuse_while_busy()

    def _refuse_retry(self) -> NoReturn:
        state = self._record.state
        if state is FollowingState.PAUSED:
            self._refuse(f"{self._words()}: resume it, and what comes next is tried at once")
        current = self._processing.current
        if state is FollowingState.FAILING and current is not None:
            self._refuse(f"{self._describe(current)} is being tried just now")
        self._refuse(f"{self._words()}: there is nothing to retry")

    def _refuse_while_busy(self) -> NoReturn:
        remedy = "only the event that it fails on, or that it is paused before, can be skipped"
        current = self._processing.current
        if current is not None:
            self._refuse(f"{self._describe(current)} is being processed just now: {remedy}")
        self._refuse(f"{self._words()}: {remedy}")

    def _refuse_as_passed(self, notification_id: int, position: int) -> NoReturn:
        self._refuse(
            f"{self._follower.name} has passed {self._leader.name} #{notification_id} already: its "
            f"position is #{position}"
        )

    def _describe(self, notification: Notification) -> str:
        return f"{self._leader.name} #{notification.id}"

    def _words(self) -> str:
        return _WORDS[self._record.state].format(self._follower.name, self._leader.name)

    def _refuse(self, message: str) -> NoReturn:
        raise FollowingStateError(message)
