"""Whether a system is well and has caught up: what waits and exit statuses are decided on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from esgrpc_console.system_view import words
from esgrpc_console.system_view.problems import Problem, find_problems, is_held_up
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

    illnesses: tuple[str, ...]
    """Why it is not healthy, in words. Empty: all applications serve, and no following is failing, cut
    off or diverged, or on standby while the server that follows does not get on. One that is paused or
    catching up is not ill."""
    arrears: tuple[str, ...]
    """Why it is not caught up, in words. Empty: all followers have read all that is known to be in
    their leaders' logs. What is not known counts as not caught up."""
    is_lag_known: bool
    """Whether the lags of all followings are known, and current."""
    max_lag_events: int
    """The greatest lag that is known."""
    max_lag_seconds: float | None
    """Age of the oldest event that is not processed. None: not known, of some follower."""
    problems: tuple[Problem, ...]
    """What is wrong, the worst first."""

    @property
    def is_healthy(self) -> bool:
        """Whether there are no ``illnesses``."""
        return not self.illnesses

    @property
    def is_caught_up(self) -> bool:
        """Whether there are no ``arrears``."""
        return not self.arrears

    @classmethod
    def of(
        cls,
        state: SystemState,
        now: float,
        heads: Mapping[str, int] | None = None,
        *,
        follower: str = "",
    ) -> Self:
        """Returns the condition of a system, or of one follower and those that it follows.

        :param now: the reading of the view's monotonic clock.
        :param heads: by applications, up to where followers are to have read. Those that are
            missing are not known. None: as far as their servers have told.
        :param follower: the name of an application of the system. Empty: all of them matter.
        """
        followings = tuple(
            following
            for following in state.followings
            if not follower or following.follower == follower
        )
        names = {follower, *(following.leader for following in followings)}
        applications = [
            application
            for application in state.applications.values()
            if not follower or application.name in names
        ]
        problems = tuple(
            problem
            for problem in find_problems(state, now=now)
            if not follower
            or problem.application == follower
            or (problem.application in names and not problem.leader)
        )
        told = _Words(problems)
        if heads is None:
            heads = _told_heads(followings, state)
        nothing = () if applications else ("nothing is known of the system",)
        return cls(
            illnesses=(*nothing, *_illnesses(applications, followings, told)),
            arrears=(*nothing, *_arrears(applications, followings, heads, told)),
            is_lag_known=all(map(_is_current, followings)),
            max_lag_events=max((following.lag or 0 for following in followings), default=0),
            max_lag_seconds=_max_lag_seconds(followings),
            problems=problems,
        )


def is_serving(application: ApplicationView) -> bool:
    """Tells whether an application is known to serve, and to be able to read its log."""
    return (
        application.health not in _NOT_SERVING
        and application.status is not None
        and not application.status.log_error
    )


def _is_stuck(following: FollowingView) -> bool:
    return following.state in _STUCK or is_held_up(following)


class _Words:
    """Says what is wrong, as its problem does where there is one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        for problem in problems:
            self._texts.setdefault((problem.application, problem.leader), problem.text)

    def of_application(self, application: ApplicationView) -> str:
        """Says why an application is not known to serve."""
        unheard = f"{words.line(application.name)} has not told how it is"
        return self._texts.get((application.name, ""), unheard)

    def of_following(self, following: FollowingView, instead: str = "") -> str:
        """Says why a following is stuck, or what is said instead where it isn't."""
        follower, leader = words.line(following.follower), words.line(following.leader)
        text = f"{follower} is {following.state.word} in following {leader}"
        if not _is_stuck(following):
            return instead or text
        return self._texts.get((following.follower, following.leader), text)


def _illnesses(
    applications: Sequence[ApplicationView], followings: Sequence[FollowingView], told: _Words
) -> Iterator[str]:
    for application in applications:
        if not is_serving(application):
            yield told.of_application(application)
    for following in followings:
        if _is_stuck(following):
            yield told.of_following(following)


def _arrears(
    applications: Sequence[ApplicationView],
    followings: Sequence[FollowingView],
    heads: Mapping[str, int],
    told: _Words,
) -> Iterator[str]:
    for application in applications:
        if application.status is None or application.stale_since is not None:
            yield told.of_application(application)
    for following in followings:
        follower, leader = words.line(following.follower), words.line(following.leader)
        head, status = heads.get(following.leader), following.status
        if following.stale_since is not None:
            # That its follower can't be heard has been told.
            continue
        if status is None:
            yield f"{follower} has not told how far it has followed {leader}"
        elif head is None:
            instead = f"the log of {leader} could not be read, or is shorter than before"
            yield told.of_following(following, instead)
        elif status.read_through < head:
            behind = words.count(head - status.read_through, "event")
            instead = f"{follower} is {behind} behind {leader} ({following.state.word})"
            yield told.of_following(following, instead)
        elif not _is_current(following):
            yield told.of_following(following)


def _told_heads(followings: Sequence[FollowingView], state: SystemState) -> Mapping[str, int]:
    """Returns how long logs are, as far as anybody has told."""
    heads: dict[str, int] = {}
    for following in followings:
        leader = state.applications.get(following.leader)
        told = [following.head, leader.status.head if leader and leader.status else None]
        # Its leader may have told of more since the follower told how far it is.
        known = [head for head in (*told, heads.get(following.leader)) if head is not None]
        if known:
            heads[following.leader] = max(known)
    return heads


def _is_current(following: FollowingView) -> bool:
    return (
        following.lag is not None
        and following.stale_since is None
        and following.head_stale_since is None
        and following.state not in _CUT_OFF
    )


def _max_lag_seconds(followings: Sequence[FollowingView]) -> float | None:
    greatest = 0.0
    for following in followings:
        seconds = following.status.lag_seconds if following.status else None
        if following.lag == 0 and _is_current(following):
            seconds = 0.0
        if seconds is None or following.stale_since is not None:
            return None
        greatest = max(greatest, seconds)
    return greatest
