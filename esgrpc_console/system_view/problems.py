"""What is wrong with a system, in words, the cause before its consequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from esgrpc_console.system_view import words
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import (
    RESTARTING,
    STOPPED_BY_YOU,
    ApplicationView,
    FollowingState,
    FollowingView,
    Health,
)
from eventsourcing_grpc.errors import PermissionDeniedError
from eventsourcing_grpc.tls.certificates import SHORT_VALIDITY

_NOTICEABLE_LAG = 1_000
_STANDBY_PATIENCE = 30.0
"""Seconds that an event may wait for the server that follows instead of one on standby."""
_MAX_ERROR_LENGTH = 500


class Severity(IntEnum):
    """How bad a problem is. What is most likely the cause of others comes first."""

    DOWN = 0
    FAILING = 1
    DIVERGED = 2
    CUT_OFF = 3
    WAITING = 4


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where."""

    severity: Severity
    symbol: str
    text: str
    application: str
    leader: str = ""
    """The followed application, where a following is what is wrong."""
    notification_id: int = 0
    """The event of the followed application that it fails on. 0: none."""


def find_problems(
    state: SystemState, *, now: float, wall_time: datetime | None = None
) -> list[Problem]:
    """Returns what is wrong, the worst first.

    :param now: the reading of the view's monotonic clock.
    :param wall_time: what the time is, where it isn't this machine's.
    """
    found = [
        *_application_problems(state, now),
        *_following_problems(state, now),
        *_certificate_problems(state, wall_time or datetime.now(UTC)),
    ]
    return sorted(found, key=lambda problem: problem.severity)


def summarise(state: SystemState) -> str:
    """Returns what a system is, when nothing is wrong with it."""
    applications = words.count(len(state.applications), "application")
    if not state.followings:
        return f"all is well: {applications} serving"
    followings = words.count(len(state.followings), "following")
    lag = sum(following.lag or 0 for following in state.followings)
    behind = f"{words.count(lag, 'event')} behind" if lag else "all caught up"
    return f"all is well: {applications}, {followings}, {behind}"


def _application_problems(state: SystemState, now: float) -> Iterator[Problem]:
    for application in state.applications.values():
        name = words.line(application.name)
        severity, text = _application_problem(application, name, now)
        if text:
            yield Problem(severity, application.health.symbol, text, application.name)
        elif application.status and application.status.log_error:
            error = words.line(application.status.log_error)
            yield Problem(
                Severity.DOWN, "✗", f"{name}'s log can't be read: {error}", application.name
            )


def _application_problem(
    application: ApplicationView, name: str, now: float
) -> tuple[Severity, str]:
    match application.health:
        case Health.UNREACHABLE:
            age = words.duration(now - (application.stale_since or now))
            if application.ending == RESTARTING:
                return Severity.WAITING, f"the server of {name} is {RESTARTING}"
            if application.ending == STOPPED_BY_YOU:
                return Severity.DOWN, f"the server of {name} was {STOPPED_BY_YOU} {age} ago"
            if application.ending:
                ending = words.line(application.ending)
                return Severity.DOWN, f"the server of {name} died {age} ago, {ending}"
            where = f" on {words.line(application.address)}" if application.address else ""
            why = words.line(application.why)
            return Severity.DOWN, f"{name} has been unreachable{where} for {age}: {why}"
        case Health.NOT_SERVING:
            return Severity.DOWN, f"{name} says that it is not serving"
        case Health.CONNECTING:
            return Severity.WAITING, f"connecting to {name} on {words.line(application.address)}"
        case _:
            return Severity.WAITING, ""


def _following_problems(state: SystemState, now: float) -> Iterator[Problem]:
    for following in state.followings:
        if following.stale_since is not None or following.status is None:
            # Its follower is what can't be reached: told above.
            continue
        leader = state.applications.get(following.leader)
        severity, text = _following_problem(
            following, now, is_leader_heard=leader is not None and leader.stale_since is None
        )
        if text:
            yield Problem(
                severity,
                following.state.symbol,
                text,
                following.follower,
                following.leader,
                _notification_id(following),
            )


def _following_problem(
    following: FollowingView, now: float, *, is_leader_heard: bool
) -> tuple[Severity, str]:
    status = following.status
    assert status is not None
    follower, leader = words.line(following.follower), words.line(following.leader)
    age = words.duration(now - status.state_since)
    match status.state:
        case FollowingState.FAILING:
            error = status.last_error
            if error and error.failing_since is not None:
                age = words.duration(now - error.failing_since)
            where = (
                f"{leader} #{error.notification_id:,}"
                if error and error.notification_id
                else leader
            )
            return (
                Severity.FAILING,
                f"{follower} has been failing on {where} for {age}: {error_text(following)}",
            )
        case FollowingState.DIVERGED:
            return (
                Severity.DIVERGED,
                f"{follower} has diverged from {leader}: its position {status.position:,} is beyond "
                f"the head {status.head:,}. The store of {leader} was lost or replaced",
            )
        case FollowingState.UNREACHABLE:
            error = status.last_error
            if error is None or not is_leader_heard:
                # Why is told of the leader already.
                return Severity.CUT_OFF, f"{follower} has not reached {leader} for {age}"
            why = _shortened(error.message)
            if error.error_class == PermissionDeniedError.__name__:
                return Severity.CUT_OFF, f"{follower} may not follow {leader}: {why}"
            return Severity.CUT_OFF, f"{follower} has not reached {leader} for {age}: {why}"
        case FollowingState.CONNECTING:
            return Severity.WAITING, f"{follower} is connecting to {leader}"
        case FollowingState.PAUSED:
            if instead := words.line(status.followed_by):
                return (
                    Severity.WAITING,
                    f"{follower} is paused on the server that is asked, but {instead} may follow {leader}",
                )
            return Severity.WAITING, f"{follower} has paused following {leader} for {age}"
        case FollowingState.CATCHING_UP if (following.lag or 0) >= _NOTICEABLE_LAG:
            behind = words.count(following.lag or 0, "event")
            return Severity.WAITING, f"{follower} is catching up with {leader}: {behind} behind"
        case FollowingState.STANDBY if is_held_up(following):
            age = words.duration(status.lag_seconds or 0.0)
            instead = words.line(status.followed_by) or "another server"
            return (
                Severity.CUT_OFF,
                f"{follower} has been behind {leader} for {age}: {instead} follows, and is not asked here",
            )
        case _:
            return Severity.WAITING, ""


def is_held_up(following: FollowingView) -> bool:
    """Tells whether a server on standby sees that the one that follows does not get on."""
    status = following.status
    return (
        status is not None
        and status.state is FollowingState.STANDBY
        and (following.lag or 0) > 0
        and (status.lag_seconds or 0.0) >= _STANDBY_PATIENCE
    )


def _notification_id(following: FollowingView) -> int:
    status = following.status
    if status is None or status.state is not FollowingState.FAILING or status.last_error is None:
        return 0
    return status.last_error.notification_id


def _certificate_problems(state: SystemState, wall_time: datetime) -> Iterator[Problem]:
    for application in state.applications.values():
        certificate = application.status.certificate if application.status else None
        if certificate is None:
            continue
        name = words.line(application.name)
        for what, end in (
            (f"the root certificate of {name}", certificate.root_expires_at),
            (f"the intermediate certificate of {name}", certificate.intermediate_expires_at),
            (f"the certificate of {name}", certificate.expires_at),
        ):
            if end is None or (left := end - wall_time) >= SHORT_VALIDITY:
                continue
            if left.total_seconds() <= 0:
                ago = words.ago(-left.total_seconds())
                text = f"{what} expired {ago}: who isn't connected yet can't connect"
                yield Problem(Severity.FAILING, "✗", text, application.name)
            else:
                span = words.count(left.days, "day") if left.days else words.duration(left.seconds)
                yield Problem(Severity.WAITING, "!", f"{what} expires in {span}", application.name)
        if certificate.refusal:
            why = words.line(certificate.refusal)
            text = (
                f"{name} goes on with its old certificate, for the new files can't be used: {why}"
            )
            yield Problem(Severity.WAITING, "!", text, application.name)


def standby_text(following: FollowingView) -> str:
    """Says which other server follows instead. Empty: this one does, or that isn't known."""
    status = following.status
    may_be_followed = following.state in (FollowingState.STANDBY, FollowingState.PAUSED)
    if status is None or not may_be_followed or not status.followed_by:
        return ""
    return f"followed by {words.line(status.followed_by)}"


def error_text(following: FollowingView) -> str:
    """Returns a following's last error on one line, or an empty string."""
    error = following.status.last_error if following.status else None
    if error is None:
        return ""
    text = f"{error.error_class}: {error.message}" if error.message else error.error_class
    return _shortened(text)


def _shortened(error: str) -> str:
    return words.line(error if len(error) <= _MAX_ERROR_LENGTH else f"{error[:_MAX_ERROR_LENGTH]}…")
