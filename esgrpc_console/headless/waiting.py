"""Waits until a system is well, or has caught up.

Scripts rely on the latter: the heads of logs are read from the logs themselves after the wait began,
so that what was recorded before is among what is waited for. What that has led to is waited for as
well: when all has been followed, the heads are read again, until they stay the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.running import find_application, open_view
from esgrpc_console.outcome import CommandFailed
from esgrpc_console.system_view import (
    FollowingView,
    RequestFailed,
    SystemUnreachable,
    SystemView,
    find_problems,
    words,
)
from esgrpc_console.system_view.condition import is_serving
from esgrpc_console.system_view.views import FollowingState

_INTERVAL = 0.1
_RETRY_SECONDS = 0.25
_MAX_ROUNDS = 20
_STUCK = frozenset({FollowingState.FAILING, FollowingState.UNREACHABLE, FollowingState.DIVERGED})
# In another state, a position may be one in a log that was lost or replaced.
_READING = frozenset(
    {
        FollowingState.LIVE,
        FollowingState.CATCHING_UP,
        FollowingState.PAUSED,
        FollowingState.FAILING,
        FollowingState.STANDBY,
    }
)

Heads = Mapping[str, int]


@dataclass(frozen=True)
class WaitRequest:
    """What is waited for."""

    is_caught_up: bool = False
    """That followers have caught up, and not only that the system is well."""
    follower: str | None = None
    """Only this application and its leaders matter."""
    timeout: float = 60.0
    """Seconds. 0: looks once."""


class Waiting:
    """A wait for one system, and what it is still waiting for."""

    def __init__(
        self, system: ChosenSystem, request: WaitRequest, say: Callable[[str], None]
    ) -> None:
        """:param say: is told, for people, what is being waited for."""
        self._system = system
        self._request = request
        self._say = say
        self._stack = AsyncExitStack()
        self._view: SystemView | None = None
        self._follower: str | None = None
        self._names: frozenset[str] | None = None
        """The applications that matter. None: all."""
        self._heads: Heads = {}
        self._failure = "no server has answered in time"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        await self._stack.aclose()

    async def wait(self) -> None:
        """Waits until all is as it is wanted, or until it is cancelled.

        :raises TimeoutError: when it is to look only once, and something is not as it is wanted.
        :raises CommandFailed: when the system has no such follower.
        :raises RequestFailed: when it is to look only once, and can't.
        """
        view = self._view = await self._connect()
        self._choose(view)
        await view.wait_until_heard()
        if self._request.is_caught_up:
            await self._wait_until_caught_up(view)
        else:
            await self._wait_while_missing(view)

    def missing(self) -> Sequence[str]:
        """Returns in words what is not yet as it is wanted: at least one thing.

        :raises CommandFailed: when there has been no connection.
        """
        view = self._view
        if view is None:
            raise CommandFailed(self._failure)
        return self._missing(view) or [self._failure]

    async def _connect(self) -> SystemView:
        while True:
            view = open_view(self._system, interval=_INTERVAL)
            try:
                return await self._stack.enter_async_context(view)
            except SystemUnreachable as e:
                if self._request.timeout == 0:
                    raise
                await self._wait_to_retry(e)

    def _choose(self, view: SystemView) -> None:
        if self._request.follower is None:
            return
        self._follower = find_application(view, self._request.follower)
        leaders = view.state.applications[self._follower].follows
        if not leaders:
            msg = f"{self._follower} follows no application of this system"
            raise CommandFailed(msg)
        self._names = frozenset({self._follower, *leaders})

    async def _wait_until_caught_up(self, view: SystemView) -> None:
        leaders = sorted({following.leader for following in self._followings(view)})
        self._heads = await self._read_heads(view, leaders)
        rounds = 0
        while True:
            await self._wait_while_missing(view)
            followings = self._followings(view)
            heads = await self._read_heads(view, leaders)
            if any(_position(following) > heads[following.leader] for following in followings):
                # The leader's log was replaced, and its follower has not noticed yet.
                await asyncio.sleep(_INTERVAL)
                continue
            rounds += 1
            if heads == self._heads or rounds >= min(len(followings), _MAX_ROUNDS):
                # Nothing has been recorded since. Or others never cease to, and whatever the first
                # heads have led to has been followed, from follower to follower.
                return
            self._heads = heads

    async def _wait_while_missing(self, view: SystemView) -> None:
        changes = view.state.changes
        while True:
            seen = changes.count
            missing = self._missing(view)
            if not missing:
                return
            if self._request.timeout == 0:
                raise TimeoutError
            self._say(f"waiting: {'; '.join(missing)}")
            await changes.wait(seen)

    async def _read_heads(self, view: SystemView, leaders: Sequence[str]) -> Heads:
        """Returns how long logs are now, as the logs themselves say."""
        while True:
            try:
                pages = await asyncio.gather(
                    *(
                        view.read_events(leader, limit=1, is_backwards=True, with_state=False)
                        for leader in leaders
                    )
                )
            except RequestFailed as e:
                if self._request.timeout == 0:
                    raise TimeoutError from e
                await self._wait_to_retry(e)
            else:
                return {leader: page.head for leader, page in zip(leaders, pages, strict=True)}

    async def _wait_to_retry(self, failure: RequestFailed) -> None:
        self._failure = str(failure)
        self._say(f"waiting: {self._failure}")
        await asyncio.sleep(_RETRY_SECONDS)

    def _missing(self, view: SystemView) -> list[str]:
        state = view.state
        sick = {
            name
            for name, application in state.applications.items()
            if (self._names is None or name in self._names) and not is_serving(application)
        }
        followings = self._followings(view)
        stuck = {(one.follower, one.leader) for one in followings if one.state in _STUCK}
        if not sick and not stuck and all(map(self._is_past, followings)):
            return []
        problems = find_problems(state, now=time.monotonic())
        told = [
            problem.text
            for problem in problems
            if (problem.application, problem.leader) in stuck
            or (problem.application in sick and not problem.leader)
        ]
        told += [
            self._behind(one)
            for one in followings
            if (one.follower, one.leader) not in stuck
            and one.follower not in sick
            and not self._is_past(one)
        ]
        return told or [f"{words.line(name)} has not told how it is" for name in sorted(sick)]

    def _followings(self, view: SystemView) -> Sequence[FollowingView]:
        return [
            following
            for following in view.state.followings
            if self._follower is None or following.follower == self._follower
        ]

    def _is_past(self, following: FollowingView) -> bool:
        if not self._request.is_caught_up:
            return True
        status, head = following.status, self._heads.get(following.leader)
        if status is None or head is None or following.stale_since is not None:
            return False
        return status.state in _READING and status.read_through >= head

    def _behind(self, following: FollowingView) -> str:
        follower, leader = words.line(following.follower), words.line(following.leader)
        head = self._heads.get(following.leader)
        if head is None:
            return f"the log of {leader} can't be read"
        if following.status is None:
            return f"{follower} has not told how far it has followed {leader}"
        word, behind = following.state.word, head - following.status.read_through
        if behind <= 0:
            return f"{follower} is {word} to {leader}"
        return f"{follower} is {words.count(behind, 'event')} behind {leader} ({word})"


def _position(following: FollowingView) -> int:
    return following.status.read_through if following.status else 0
