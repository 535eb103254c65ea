"""What operators ask of followings: checked, carried out, and logged with who has asked and why."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import grpc

from eventsourcing_grpc.access.audit import AuditEntry, AuditLog, following_target
from eventsourcing_grpc.access.peer_identity import peer_identity
from eventsourcing_grpc.errors import RequestError, ServerStoppingError
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading.event_decoding import decode_event
from eventsourcing_grpc.server.status_reporting import following_message

MAX_REASON_LENGTH = 1_000
"""How many characters a reason has at most."""


class FollowingRequest(Protocol):
    """What all the requests have."""

    @property
    def leader(self) -> str: ...
    @property
    def reason(self) -> str: ...


class FollowingOperations:
    """Steers the followings of one application for operators.

    Every request leaves one line in the audit log, whether it is refused or carried out. All
    raise ``RequestError`` for a leader that is not followed and for a reason that is missing or
    too long, and ``ServerStoppingError``. The rates in the responses are 0.
    """

    def __init__(
        self,
        name: str,
        followings: Sequence[Following],
        audit: AuditLog,
        is_stopping: threading.Event,
    ) -> None:
        """:param name: the application's."""
        self._name = name
        self._audit = audit
        self._followings = {following.leader_name: following for following in followings}
        self._is_stopping = is_stopping

    def pause(
        self, request: pb.PauseFollowingRequest, context: grpc.ServicerContext
    ) -> pb.PauseFollowingResponse:
        """Lets a following wait until it is resumed, or this server is started again."""
        with self._audited("PauseFollowing", request, context) as entry:
            following = self._find(request)
            has_changed = following.steering.pause()
            status = following.status()
            if not has_changed:
                entry.outcome = "already paused"
            elif status.state is FollowingState.PAUSED:
                entry.outcome = f"paused after #{status.position}"
            else:
                entry.outcome = "will pause after the event that is being processed"
            if status.followed_by:
                entry.outcome += f", and {status.followed_by} follows"
            return pb.PauseFollowingResponse(following=following_message(status, 0.0))

    def resume(
        self, request: pb.ResumeFollowingRequest, context: grpc.ServicerContext
    ) -> pb.ResumeFollowingResponse:
        """Lets a following that was paused go on where it was."""
        with self._audited("ResumeFollowing", request, context) as entry:
            following = self._find(request)
            entry.outcome = "resumed" if following.steering.resume() else "was not paused"
            return pb.ResumeFollowingResponse(following=following_message(following.status(), 0.0))

    def retry(
        self, request: pb.RetryNowRequest, context: grpc.ServicerContext
    ) -> pb.RetryNowResponse:
        """Tries at once what waits for its next try.

        Raises ``FollowingStateError`` when there is nothing to retry.
        """
        with self._audited("RetryNow", request, context) as entry:
            following = self._find(request)
            following.steering.retry_now()
            status = following.status()
            entry.outcome = f"tried, and is {status.state.value}"
            return pb.RetryNowResponse(following=following_message(status, 0.0))

    def skip(
        self, request: pb.SkipEventRequest, context: grpc.ServicerContext
    ) -> pb.SkipEventResponse:
        """Records the event that a following waits on as processed, without processing it.

        Raises ``FollowingStateError`` when the following waits on another event, or on none, and
        what the follower's recorder raises.
        """
        with self._audited("SkipEvent", request, context, request.notification_id) as entry:
            following = self._find(request, is_reason_needed=not request.is_dry_run)
            notification = following.steering.check_next(request.notification_id)
            event = decode_event(notification, following.steering.mapper)
            if request.is_dry_run:
                entry.outcome = f"would skip {notification.topic}: nothing was changed"
            else:
                following.steering.skip(notification.id)
                entry.outcome = f"skipped {notification.topic}"
            return pb.SkipEventResponse(
                event=event, following=following_message(following.status(), 0.0)
            )

    @contextmanager
    def _audited(
        self,
        what: str,
        request: FollowingRequest,
        context: grpc.ServicerContext,
        notification_id: int | None = None,
    ) -> Iterator[AuditEntry]:
        target = following_target(self._name, request.leader, notification_id)
        entry = AuditEntry(peer_identity(context), f"Operations.{what}", target, request.reason)
        with self._audit.audited(entry):
            if self._is_stopping.is_set():
                msg = f"The server of {self._name} is stopping"
                raise ServerStoppingError(msg)
            yield entry

    def _find(self, request: FollowingRequest, *, is_reason_needed: bool = True) -> Following:
        """Checks what all requests have, and returns the following that is meant."""
        following = self._followings.get(request.leader)
        if following is None:
            leaders = ", ".join(sorted(self._followings)) or "nobody"
            msg = f"{self._name} does not follow {request.leader[:100]!r}: it follows {leaders}"
            raise RequestError(msg, {"leader": f"must be one of: {leaders}"})
        if is_reason_needed and not request.reason.strip():
            msg = "There is no reason: say in a few words why, for the server's log"
            raise RequestError(msg, {"reason": "must not be empty"})
        if len(request.reason) > MAX_REASON_LENGTH:
            msg = (
                f"The reason has {len(request.reason):,} characters: say it in "
                f"{MAX_REASON_LENGTH:,}"
            )
            raise RequestError(
                msg, {"reason": f"must have at most {MAX_REASON_LENGTH:,} characters"}
            )
        return following
