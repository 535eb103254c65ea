"""Whether a system is well and has caught up: what waits and exit statuses are decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from esgrpc_console.system_view.problems import Problem, find_problems
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import (
    ApplicationView,
    FollowingState,
    FollowingView,
    Health,
)

_NOT_SERVING = frozenset({Health.UNREACHABLE, Health.NOT_SERVING, Health.CONNECTING})
_STUCK = frozenset({FollowingState.FAILING, FollowingState.UNREACHABLE, FollowingState.DIVERGED})
_CUT_OFF = frozenset(
    {FollowingState.CONNECTING, FollowingState.UNREACHABLE, FollowingState.DIVERGED}
)


@dataclass(frozen=True)
class Condition:
    """How a system is at one moment, in short."""

    is_healthy: bool
    """All applications serve, and no following is failing, cut off or diverged. One that is paused,
    catching up, or on standby, is not ill."""
    is_caught_up: bool
    """All followers have read all that is known to be in their leaders' logs. What is not known
    counts as not caught up."""
    is_lag_known: bool
    """Whether the lags of all followings are known, and current."""
    max_lag_events: int
    """The greatest lag that is known."""
    max_lag_seconds: float | None
    """Age of the oldest event that is not processed. None: not known, of some follower."""
    problems: tuple[Problem, ...]
    """What is wrong, the worst first."""

    @classmethod
    def of(cls, state: SystemState, now: float, heads: Mapping[str, int] | None = None) -> Self:
        """Returns the condition of a system.

        :param now: the reading of the view's monotonic clock.
        :param heads: by applications, up to where followers are to have read. Those that are
            missing are not known. None: as far as their servers have told.
        """
        followings = state.followings
        return cls(
            is_healthy=(
                bool(state.applications)
                and all(map(is_serving, state.applications.values()))
                and not any(following.state in _STUCK for following in followings)
            ),
            is_caught_up=(
                bool(state.applications)
                and all(_has_been_heard(one) for one in state.applications.values())
                and all(_has_caught_up(state, following, heads) for following in followings)
            ),
            is_lag_known=all(map(_is_current, followings)),
            max_lag_events=max((following.lag or 0 for following in followings), default=0),
            max_lag_seconds=_max_lag_seconds(followings),
            problems=tuple(find_problems(state, now=now)),
        )


def is_serving(application: ApplicationView) -> bool:
    """Tells whether an application is known to serve, and to be able to read its log."""
    return (
        application.health not in _NOT_SERVING
        and application.status is not None
        and not application.status.log_error
    )


def _has_been_heard(application: ApplicationView) -> bool:
    return application.status is not None and application.stale_since is None


def _is_current(following: FollowingView) -> bool:
    return (
        following.lag is not None
        and following.stale_since is None
        and following.head_stale_since is None
        and following.state not in _CUT_OFF
    )


def _has_caught_up(
    state: SystemState, following: FollowingView, heads: Mapping[str, int] | None
) -> bool:
    status = following.status
    if status is None or following.head is None or not _is_current(following):
        return False
    if heads is not None:
        head = heads.get(following.leader)
        return head is not None and status.read_through >= head
    # Its leader may have told of more since the follower told how far it is.
    leader = state.applications.get(following.leader)
    told = leader.status.head if leader and leader.status else 0
    return status.read_through >= max(told, following.head)


def _max_lag_seconds(followings: tuple[FollowingView, ...]) -> float | None:
    greatest = 0.0
    for following in followings:
        seconds = following.status.lag_seconds if following.status else None
        if following.lag == 0 and _is_current(following):
            seconds = 0.0
        if seconds is None or following.stale_since is not None:
            return None
        greatest = max(greatest, seconds)
    return greatest
