"""Waits until a system is as it is wanted: well, or caught up with all that was recorded before.

Scripts rely on the latter: the heads of logs are read from the logs themselves after the wait began,
so that what was recorded before is among what is waited for. What that has led to is waited for as
well: when all has been followed, the heads are read again, until they stay the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from esgrpc_console.system_view.condition import Condition, is_serving
from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.views import EventPage, FollowingView

if TYPE_CHECKING:
    from esgrpc_console.system_view.system_view import SystemView

_LOOK_SECONDS = 10.0
_RETRY_SECONDS = 0.25
_MAX_ROUNDS = 20


class Waiting:
    """A wait for a system, and how that is."""

    def __init__(
        self,
        view: SystemView,
        predicate: Callable[[Condition], bool],
        *,
        follower: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param predicate: tells of a condition whether it is wanted. It is asked after each change.
        :param follower: only this application, and those that it follows, matter. Empty: all do.
        :param clock: that of the view's state.
        """
        self._view = view
        self._predicate = predicate
        self._follower = follower
        self._clock = clock
        self._heads: dict[str, int] = {}

    @property
    def condition(self) -> Condition:
        """How the system is now."""
        return Condition.of(self._view.state, self._clock(), self._heads, follower=self._follower)

    async def run(self, timeout: float) -> Condition:
        """Waits, and returns the condition that was wanted.

        :param timeout: in seconds. 0: looks once, which takes the time that it takes, 10 s at most.
        :raises TimeoutError: when it is not so in time.
        """
        async with asyncio.timeout(timeout or _LOOK_SECONDS):
            await self._view.wait_until_heard(timeout or _LOOK_SECONDS)
            await self._read_heads(self._leaders())
            rounds = 0
            changes = self._view.state.changes
            while True:
                seen, condition = changes.count, self.condition
                if self._predicate(condition):
                    heads = dict(self._heads)
                    await self._read_heads(self._leaders())
                    rounds += 1
                    if heads == self._heads or rounds > min(len(self._followings()), _MAX_ROUNDS):
                        # Nothing has been recorded since. Or others never cease to, and whatever the
                        # first heads have led to has been followed, from follower to follower.
                        return condition
                elif timeout == 0:
                    raise TimeoutError
                else:
                    await self._wait_for_change(seen)

    async def _wait_for_change(self, seen: int) -> None:
        changes = self._view.state.changes
        if not self._unread():
            await changes.wait(seen)
        else:
            # That a log can be read again need not show in anything else.
            with suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await changes.wait(seen)
        if unread := self._unread():
            await self._read_heads(unread)

    def _unread(self) -> Sequence[str]:
        """Returns whose logs could not be read, and may be readable now."""
        applications = self._view.state.applications
        return [
            name
            for name in self._leaders()
            if name not in self._heads and name in applications and is_serving(applications[name])
        ]

    async def _read_heads(self, names: Sequence[str]) -> None:
        """Reads how long logs are now, as the logs themselves say. Those that can't be read lack."""
        followings = self._followings()
        pages = await asyncio.gather(
            *(
                self._view.read_events(name, limit=1, is_backwards=True, with_state=False)
                for name in names
            ),
            return_exceptions=True,
        )
        for name, page in zip(names, pages, strict=True):
            self._heads.pop(name, None)
            if isinstance(page, EventPage):
                self._heads[name] = page.head
            elif not isinstance(page, RequestFailed):
                raise page
        for following in followings:
            head, status = self._heads.get(following.leader), following.status
            if head is not None and status is not None and status.read_through > head:
                # The log was replaced, and its follower has not noticed yet.
                del self._heads[following.leader]

    def _followings(self) -> Sequence[FollowingView]:
        return [
            following
            for following in self._view.state.followings
            if self._follower in {"", following.follower}
        ]

    def _leaders(self) -> Sequence[str]:
        return sorted({following.leader for following in self._followings()})
