"""How a follower is getting on with one of its leaders, as seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from eventsourcing_grpc.followers.follower_lock import DatabaseProblem


class FollowingState(Enum):
    """What a follower's loop is doing."""

    CONNECTING = "connecting"
    """It has not yet heard from the leader."""
    CATCHING_UP = "catching up"
    """It is processing what was recorded before it listened."""
    LIVE = "live"
    """It processes what is recorded as it is recorded."""
    PAUSED = "paused"
    """Somebody has asked it to wait, until it is resumed or its server is started again."""
    FAILING = "failing"
    """The policy raises an exception: the same event is tried again and again."""
    UNREACHABLE = "unreachable"
    """The leader is gone: it is looked for again and again."""
    DIVERGED = "diverged"
    """The leader's log is shorter than the recorded position: its store was lost or replaced."""
    STANDBY = "on standby"
    """Another server of the same follower follows. This one takes over when that one is gone."""


@dataclass(frozen=True)
class FollowingError:
    """The last thing that went wrong."""

    error_class: str
    message: str
    traceback: str
    notification_id: int
    """The event it happened on. 0: not on an event."""
    attempts: int
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    """None: nothing is waiting to be tried again."""


@dataclass(frozen=True)
class FollowingSnapshot:
    """The state of a following at one moment. IDs are 0 where there is none yet."""

    leader: str
    leader_address: str
    state: FollowingState
    state_since: datetime
    position: int
    """The recorded tracking ID."""
    read_through: int
    """Everything up to here has been processed, or did not match the follower's topics."""
    head: int
    """The leader's greatest ID, as last heard."""
    lag_seconds: float | None
    """Age of the oldest event that has not been processed, 0.0 when caught up.
    None: its age is not known."""
    processed: int
    """Events processed since the loop was started."""
    error: FollowingError | None
    followed_by: str = ""
    """The server of the same follower that follows instead. Empty: this one does, or nobody is
    known to."""

    @property
    def lag_events(self) -> int:
        """How many IDs the follower is behind the leader's head."""
        return max(0, self.head - self.read_through)


_OWN_STATES = (FollowingState.PAUSED, FollowingState.FAILING, FollowingState.DIVERGED)


def hindered(snapshot: FollowingSnapshot, problem: DatabaseProblem) -> FollowingSnapshot:
    """Returns how a following is while its database can't be used.

    The loop may wait for the database, and not know yet. What it fails on by itself stays what is
    told.
    """
    if snapshot.state in _OWN_STATES:
        return snapshot
    error = FollowingError(
        error_class=problem.error_class,
        message=problem.text,
        traceback="",
        notification_id=0,
        attempts=problem.attempts,
        first_at=problem.since,
        last_at=problem.last_at,
        next_try_at=problem.next_try_at,
    )
    return replace(snapshot, state=FollowingState.FAILING, state_since=problem.since, error=error)
