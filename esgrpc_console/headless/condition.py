"""Whether a system is well, and how far behind it is: what exit statuses are decided on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from esgrpc_console.system_view import SystemState
from esgrpc_console.system_view.views import FollowingState, FollowingView, Health

_NOT_SERVING = frozenset({Health.UNREACHABLE, Health.NOT_SERVING, Health.CONNECTING})
_STUCK = frozenset({FollowingState.FAILING, FollowingState.UNREACHABLE, FollowingState.DIVERGED})


def is_healthy(state: SystemState) -> bool:
    """Tells whether all serve, and no follower is stuck. Paused or catching up is not stuck."""
    return not sick_applications(state) and not stuck_followings(state.followings)


def sick_applications(state: SystemState, names: Collection[str] | None = None) -> Sequence[str]:
    """Returns the names of applications that don't serve, or whose log can't be read.

    :param names: of the applications to look at. None: all.
    """
    return [
        name
        for name, application in state.applications.items()
        if (names is None or name in names)
        and (
            application.health in _NOT_SERVING
            or application.status is None
            or application.status.log_error
        )
    ]


def stuck_followings(followings: Iterable[FollowingView]) -> Sequence[FollowingView]:
    """Returns the followings that are failing, cut off from their leader or diverged from it."""
    return [following for following in followings if following.state in _STUCK]


def caught_up(following: FollowingView) -> bool:
    """Tells whether a follower has read through all that is known of its leader's log."""
    return following.stale_since is None and following.lag == 0


def worst_lag(followings: Iterable[FollowingView]) -> tuple[int | None, float | None]:
    """Returns the greatest lag in events and in seconds. None: not one is known."""
    known = list(followings)
    if not known:
        return 0, 0.0
    events = [following.lag for following in known if following.lag is not None]
    seconds = [
        following.status.lag_seconds
        for following in known
        if following.status and following.status.lag_seconds is not None
    ]
    return max(events, default=None), max(seconds, default=None)
