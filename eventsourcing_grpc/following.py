"""A follower's loop: subscribe to a leader, process in order, try again, resume.

The core library records a policy's new events and the tracking position in one transaction,
so that each event of the leader is recorded as processed exactly once. Where the leader's
server is, and who starts and stops the loop, is left to ``application_server``.
"""

from __future__ import annotations

import logging
import random
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import grpc
from eventsourcing.persistence import IntegrityError, Notification, Tracking
from eventsourcing.popo import POPOFactory
from eventsourcing.system import Follower, NotificationLogReader

from eventsourcing_grpc.conversion import notifications_from_messages
from eventsourcing_grpc.error_receiving import error_from_rpc
from eventsourcing_grpc.following_status import (
    FollowingError,
    FollowingSnapshot,
    FollowingState,
)
from eventsourcing_grpc.protos.application_pb2 import (
    NotificationBatch,
    SelectNotificationsRequest,
    SelectNotificationsResponse,
    SubscribeRequest,
)
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from eventsourcing_grpc.remote_notification_log import RemoteNotificationLog

logger = logging.getLogger(__name__)

FIRST_RETRY_DELAY = 0.1
MAX_RETRY_DELAY = 30.0
MAX_RECONNECT_DELAY = 2.0
STANDBY_DELAY = 0.5
"""Seconds between two looks at what another instance of the same follower has processed."""
_MAX_IMMEDIATE_RETRIES = 10
_START_ATTEMPTS = 10
_HEAD_INTERVAL = 1.0
_HEAD_TIMEOUT = 2.0
_CATCHING_UP_LAG = 500


class Following:
    """Lets a follower process the events of one leader, in a thread of its own.

    The thread runs from :meth:`start` to :meth:`stop`, whatever happens: a leader that is
    gone is looked for again, and an event whose policy raises is tried again, never skipped.
    """

    def __init__(
        self,
        follower: Follower[Any],
        leader_name: str,
        leader_address: str,
        channel: grpc.Channel,
    ) -> None:
        """:param channel: to the leader's server. It is closed by :meth:`stop`."""
        self.leader_name = leader_name
        self.leader_address = leader_address
        self._follower = follower
        self._channel = channel
        self._stub = ApplicationStub(channel)
        self._is_stopping = threading.Event()
        self._call: grpc.CallIterator[NotificationBatch] | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"following {leader_name} by {follower.name}", daemon=True
        )
        self._lock = threading.Lock()
        self._state = FollowingState.CONNECTING
        self._state_since = datetime.now(UTC)
        self._position = 0
        self._read_through = 0
        self._head = 0
        self._processed = 0
        self._failures = 0
        self._has_heard = False
        self._is_processing = False
        self._heard_at = monotonic()
        self._error: FollowingError | None = None
        self._event_time: datetime | None = None
        _prepare(follower, leader_name, self._select_notifications)

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
        self._channel.close()

    def cancel(self) -> None:
        """Asks the loop to end, and does not wait for it."""
        self._is_stopping.set()
        if (call := self._call) is not None:
            call.cancel()

    def refresh(self) -> None:
        """Asks the leader how long its log has become, if a policy takes so long that nothing has
        been heard of it for a second. Waits for the answer for 2 s at most.
        """
        if self._is_processing and monotonic() - self._heard_at > _HEAD_INTERVAL:
            self._refresh_head()
            with self._lock:
                is_behind = self._head - self._read_through > _CATCHING_UP_LAG
                if is_behind and self._state is FollowingState.LIVE:
                    self._set_state(FollowingState.CATCHING_UP)

    def status(self) -> FollowingSnapshot:
        """Returns the state of this following."""
        with self._lock:
            lag_seconds: float | None = None
            if self._head <= self._read_through:
                lag_seconds = 0.0
            elif self._event_time is not None:
                lag_seconds = max(0.0, (datetime.now(UTC) - self._event_time).total_seconds())
            return FollowingSnapshot(
                leader=self.leader_name,
                leader_address=self.leader_address,
                state=self._state,
                state_since=self._state_since,
                position=self._position,
                read_through=self._read_through,
                head=self._head,
                lag_seconds=lag_seconds,
                processed=self._processed,
                error=self._error,
            )

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                self._follow()
            except grpc.RpcError as e:
                if self._is_stopping.is_set():
                    return
                self._failures += 1
                if self._is_expected_soon():
                    self._is_stopping.wait(FIRST_RETRY_DELAY)
                    continue
                delay = min(FIRST_RETRY_DELAY * 2 ** min(self._failures, 10), MAX_RECONNECT_DELAY)
                delay *= random.uniform(0.5, 1.0)
                self._note_unreachable(e, self._failures)
                self._is_stopping.wait(delay)
            except Exception as e:
                if self._is_stopping.is_set():
                    return
                # The follower's own recorder can't be used, or the loop itself is at fault.
                logger.exception("%s can't follow %s", self._follower.name, self.leader_name)
                self._failures += 1
                delay = min(FIRST_RETRY_DELAY * 2 ** min(self._failures, 10), MAX_RETRY_DELAY)
                self._note_failure(e, 0, self._failures, delay)
                self._is_stopping.wait(delay)

    def _follow(self) -> None:
        """Follows until the stream ends or breaks."""
        position = self._tracked_position()
        with self._lock:
            self._position = self._read_through = position
        call = self._stub.Subscribe(
            SubscribeRequest(
                after=position, topics=self._follower.topics, application=self.leader_name
            ),
            # Once it is known what is wrong, be there as soon as the leader is.
            wait_for_ready=self._failures > 0 and not self._is_expected_soon(),
        )
        self._call = call
        try:
            # stop() cancels only a call that it sees.
            if self._is_stopping.is_set():
                return
            for batch in call:
                self._has_heard = True
                # Not where it is now: another instance of this follower may have got further
                # than the log was when this batch was made.
                if batch.head < position:
                    self._stay_diverged(batch.head)
                    return
                self._process_batch(batch)
                self._failures = 0
                if self._is_stopping.is_set():
                    return
        finally:
            self._call = None
            call.cancel()

    def _is_expected_soon(self) -> bool:
        """Tells whether the leader may just be starting, as servers of one system do together."""
        return not self._has_heard and self._failures <= _START_ATTEMPTS

    def _process_batch(self, batch: NotificationBatch) -> None:
        self._heard_at = monotonic()
        with self._lock:
            self._is_processing = True
            self._head = max(self._head, batch.head)
            lag = self._head - batch.read_through
            if self._state is not FollowingState.LIVE or lag > _CATCHING_UP_LAG:
                self._set_state(FollowingState.CATCHING_UP)
        notifications = notifications_from_messages(batch.notifications)
        for notification in self._follower.filter_received_notifications(notifications):
            if notification.id <= self._position:
                # Another instance of this follower has processed it.
                continue
            if not self._process(notification):
                return
        if batch.read_through > self._position:
            self._record_position(batch.read_through)
        with self._lock:
            self._event_time = None
            self._is_processing = False
            if self._read_through >= self._head:
                self._set_state(FollowingState.LIVE)
                self._error = None

    def _process(self, notification: Notification) -> bool:
        """Processes a notification, as often as it takes.

        Returns False when it was not processed, because this follower is being stopped.
        """
        attempts = conflicts = 0
        while not self._is_stopping.is_set():
            try:
                jobs = self._follower.convert_notifications(self.leader_name, [notification])
                for domain_event, tracking in jobs:
                    self._note_event_time(domain_event)
                    self._follower.process_event(domain_event, tracking)
            except BaseException as e:  # whatever a policy raises is tried again, SystemExit too
                # Also a policy may raise because another instance was first.
                if self._was_processed_elsewhere(notification.id):
                    return True
                if isinstance(e, IntegrityError):
                    conflicts += 1
                    if conflicts <= _MAX_IMMEDIATE_RETRIES:
                        # A command has changed the same aggregate in the meantime.
                        continue
                attempts += 1
                self._wait_after_failure(e, notification.id, attempts)
            else:
                with self._lock:
                    self._position = notification.id
                    self._read_through = max(self._read_through, notification.id)
                    self._processed += 1
                    if attempts:
                        self._error = None
                        self._set_state(FollowingState.CATCHING_UP)
                return True
        return False

    def _was_processed_elsewhere(self, notification_id: int) -> bool:
        """Tells whether another instance of this follower has recorded an event as processed.

        If so, this one stands by for a moment, so that not everything is done twice.
        """
        try:
            if self._tracked_position() < notification_id:
                return False
            self._is_stopping.wait(STANDBY_DELAY)
            tracked = self._tracked_position()
        except Exception as e:
            # The recorder can't be used, which is what the processing has failed of as well.
            logger.debug("The position of %s is not known: %s", self._follower.name, e)
            return False
        with self._lock:
            self._position = tracked
            self._read_through = max(self._read_through, tracked)
            self._error = None
            self._set_state(FollowingState.CATCHING_UP)
        return True

    def _tracked_position(self) -> int:
        return self._follower.recorder.max_tracking_id(self.leader_name) or 0

    def _record_position(self, read_through: int) -> None:
        """Records that nothing up to an ID is left to process, since nothing matched."""
        try:
            self._follower.recorder.insert_tracking(Tracking(self.leader_name, read_through))
        except IntegrityError:
            read_through = self._tracked_position()
        with self._lock:
            self._position = read_through
            self._read_through = max(self._read_through, read_through)

    def _wait_after_failure(
        self, error: BaseException, notification_id: int, attempts: int
    ) -> None:
        delay = min(FIRST_RETRY_DELAY * 2 ** min(attempts - 1, 20), MAX_RETRY_DELAY)
        logger.warning(
            "%s failed to process %s #%d (attempt %d, next try in %.1f s)",
            self._follower.name,
            self.leader_name,
            notification_id,
            attempts,
            delay,
            exc_info=error if attempts == 1 else None,
        )
        self._note_failure(error, notification_id, attempts, delay)
        next_try = monotonic() + delay
        while (left := next_try - monotonic()) > 0:
            if self._is_stopping.wait(min(left, _HEAD_INTERVAL)):
                return
            if next_try - monotonic() > _HEAD_INTERVAL:
                self._refresh_head()

    def _refresh_head(self) -> None:
        """Asks how long the leader's log has become while nothing is read from it."""
        self._heard_at = monotonic()
        try:
            page = self._select_notifications(
                SelectNotificationsRequest(start=self._head + 1, limit=1)
            )
        except (grpc.RpcError, ValueError) as e:
            # ValueError is what grpcio raises for a channel that is closed.
            logger.debug("The head of %s is not known: %s", self.leader_name, e)
            return
        with self._lock:
            self._head = page.head

    def _select_notifications(
        self, request: SelectNotificationsRequest
    ) -> SelectNotificationsResponse:
        return self._stub.SelectNotifications(request, timeout=_HEAD_TIMEOUT)

    def _note_event_time(self, domain_event: object) -> None:
        timestamp = getattr(domain_event, "timestamp", None)
        if isinstance(timestamp, datetime):
            with self._lock:
                self._event_time = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)

    def _note_unreachable(self, error: grpc.RpcError, attempts: int) -> None:
        server = f"{self.leader_name} on {self.leader_address}"
        mapped = error_from_rpc(error, server=server, transcoder=self._follower.mapper.transcoder)
        with self._lock:
            if self._state is not FollowingState.UNREACHABLE:
                logger.warning("%s can't follow %s: %s", self._follower.name, server, mapped)
            self._set_state(FollowingState.UNREACHABLE)
            # It is tried again as soon as there is a connection, whenever that is.
            self._error = self._describe(mapped, 0, attempts, None, "")
            self._event_time = None
            self._is_processing = False

    def _note_failure(
        self, error: BaseException, notification_id: int, attempts: int, delay: float
    ) -> None:
        text = "".join(traceback.format_exception(error))
        with self._lock:
            self._set_state(FollowingState.FAILING)
            self._error = self._describe(error, notification_id, attempts, delay, text)

    def _stay_diverged(self, head: int) -> None:
        """Waits to be stopped. Following a log that is not the same any more would skip events."""
        error = RuntimeError(
            f"{self.leader_name} has {head:,} notifications, but {self._position:,} of them have "
            "been processed: its store was lost or replaced. Restore it, then restart the server "
            f"of {self._follower.name}"
        )
        logger.error("%s can't follow: %s", self._follower.name, error)
        with self._lock:
            self._head = head
            self._set_state(FollowingState.DIVERGED)
            self._error = self._describe(error, 0, 1, None, "")
        while not self._is_stopping.wait(_HEAD_INTERVAL):
            self._refresh_head()

    def _describe(
        self,
        error: BaseException,
        notification_id: int,
        attempts: int,
        delay: float | None,
        traceback_text: str,
    ) -> FollowingError:
        now = datetime.now(UTC)
        return FollowingError(
            error_class=type(error).__name__,
            message=str(error),
            traceback=traceback_text,
            notification_id=notification_id,
            attempts=attempts,
            first_at=self._error.first_at if self._error and attempts > 1 else now,
            last_at=now,
            next_try_at=None if delay is None else now + timedelta(seconds=delay),
        )

    def _set_state(self, state: FollowingState) -> None:
        if state is not self._state:
            self._state = state
            self._state_since = datetime.now(UTC)


def _prepare(
    follower: Follower[Any],
    leader_name: str,
    select: Callable[[SelectNotificationsRequest], SelectNotificationsResponse],
) -> None:
    """Does what ``Follower.follow()`` does, without opening the leader's database."""
    env = follower.construct_env(leader_name, follower.env)
    follower.mappers[leader_name] = POPOFactory(env).mapper(
        follower.construct_transcoder(), mapper_class=type(follower.mapper)
    )
    follower.readers[leader_name] = NotificationLogReader(
        RemoteNotificationLog(select), section_size=follower.pull_section_size
    )
