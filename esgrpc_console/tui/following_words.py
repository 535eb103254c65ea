"""Says in words how a following is, what that means, and what to do now."""

from __future__ import annotations

from datetime import datetime, timedelta

from esgrpc_console.system_view import (
    ApplicationView,
    FollowingState,
    FollowingView,
    Health,
    SystemState,
    words,
)

_NOTICEABLE = 0.05
"""Events per second: a lag that grows or shrinks by less stays as it is."""
_PROCESSING = {FollowingState.LIVE, FollowingState.CATCHING_UP}


def since_words(following: FollowingView, now: float, wall_clock: datetime) -> str:
    """Says since when a following is in its state: a time of the day, or a date where it is another."""
    status = following.status
    if status is None:
        return ""
    since = status.state_since
    error = status.last_error
    if following.state is FollowingState.FAILING and error and error.failing_since is not None:
        since = error.failing_since
    here = wall_clock.astimezone()
    at = here - timedelta(seconds=max(0.0, now - since))
    return f"since {at:%H:%M:%S}" if at.date() == here.date() else f"since {at:%Y-%m-%d %H:%M}"


def try_words(following: FollowingView, now: float) -> str:
    """Says how often it has been tried, and when the next try is."""
    error = following.status.last_error if following.status else None
    if error is None or following.state not in {
        FollowingState.FAILING,
        FollowingState.UNREACHABLE,
    }:
        return ""
    parts = [f"attempt {words.number(error.attempts)}"] if error.attempts else []
    if error.next_try is not None and following.stale_since is None:
        seconds = error.next_try - now
        parts.append(f"next try in {words.duration(seconds + 0.999)}" if seconds > 0 else "trying")
    return "   ".join(parts)


def lag_words(following: FollowingView) -> str:
    """Says how far behind it is, and whether that becomes more or less."""
    if following.lag is None:
        return "lag not known"
    if following.state is FollowingState.DIVERGED:
        return "beyond the head"
    lag = f"lag {words.number(following.lag)}" if following.lag else "caught up"
    if following.head_stale_since is not None or following.stale_since is not None:
        return f"{lag}, as last heard"
    growth = following.lag_growth
    if growth is None or not following.lag:
        return lag
    if abs(growth) < _NOTICEABLE:
        return f"{lag}, steady"
    return f"{lag}, {'growing' if growth > 0 else 'shrinking'} {words.rate(abs(growth))}/s"


def catch_up_words(following: FollowingView) -> str:
    """Says when it will have caught up, if all goes on as it does. Empty: it processes nothing."""
    if following.state not in _PROCESSING or following.stale_since is not None:
        return ""
    if following.lag == 0:
        return "caught up"
    if following.catch_up_seconds is not None:
        return f"caught up in {words.duration(following.catch_up_seconds + 0.999)}"
    is_growing = following.lag_growth is not None and following.lag_growth > _NOTICEABLE
    return "not catching up" if is_growing else f"caught up in {words.NONE}"


def meaning(following: FollowingView, state: SystemState, now: float, *, is_local: bool) -> str:
    """Says what the state means, and what to do now.

    :param is_local: whether this console has started the servers, and can restart them.
    """
    follower, leader = following.follower, following.leader
    remedy = " (O shows what it wrote, R there restarts it)" if is_local else ""
    if following.stale_since is not None:
        age = words.duration(now - following.stale_since)
        return (
            f"{follower} has not been heard for {age}: {following.why}. What is shown here is from "
            f"then. It goes on by itself when its server does{remedy}."
        )
    status = following.status
    if status is None:
        return f"{follower} has not told yet how it is."
    match following.state:
        case FollowingState.LIVE:
            return f"It processes what {leader} records as it is recorded."
        case FollowingState.CATCHING_UP:
            return (
                f"It processes what {leader} has recorded before: {catch_up_words(following)}. "
                "Where it does not catch up, events are recorded more quickly than its policy "
                "processes them."
            )
        case FollowingState.CONNECTING:
            return f"It is connecting to {leader}."
        case FollowingState.PAUSED:
            return (
                f"It was paused, and stays at position {words.number(status.position)} until it is "
                "resumed (R), or its server is restarted."
            )
        case FollowingState.FAILING:
            return _failing(following)
        case FollowingState.DIVERGED:
            return (
                f"Its position {words.number(status.position)} is beyond the head "
                f"{words.number(status.head)} of {leader}: the store of {leader} was lost or "
                f"replaced, and what is recorded there now would be missed. Restore the store of "
                f"{leader}, then retry (r)."
            )
        case FollowingState.UNREACHABLE:
            return _unreachable(following, state.applications.get(leader), remedy)
        case FollowingState.STANDBY:
            where = f" ({words.line(status.followed_by)})" if status.followed_by else ""
            return (
                f"Another server of {follower} follows {leader}{where}. This one takes over when "
                "that one is gone."
            )


def _failing(following: FollowingView) -> str:
    error = following.status.last_error if following.status else None
    if error and not error.notification_id:
        told = words.line(error.message or error.error_class)
        return f"It can't go on: {told}. It tries again by itself."
    number = f" #{error.notification_id:,}" if error and error.notification_id else ""
    return (
        f"Its policy raises an error on {following.leader}{number}, and it goes no further until "
        "that is processed. It tries again by itself. Mend the cause and retry (r), or skip the "
        "event (s)."
    )


def _unreachable(following: FollowingView, leader: ApplicationView | None, remedy: str) -> str:
    name = following.leader
    error = following.status.last_error if following.status else None
    why = f": {words.line(error.message or error.error_class)}" if error else ""
    text = f"It can't reach {name}{why.rstrip('.')}. It reconnects by itself."
    if leader is None:
        return text
    if leader.health is Health.UNREACHABLE:
        return f"{text} Nor can this console: {name} is what to look at{remedy}."
    if leader.health is Health.SERVING:
        return (
            f"{text} This console does reach it, on {leader.address}: see whether {following.follower} "
            "is given the same address, and certificates that are trusted there."
        )
    return text
