"""One notification that something has changed. What has changed is left to the reader to see."""

from __future__ import annotations

import asyncio


class Changes:
    """Counts changes, and wakes those who wait for the next one.

    Any number of changes between two waits of one waiter is one change to that waiter.
    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._count = 0
        self._changed = asyncio.Event()

    @property
    def count(self) -> int:
        """The number of changes so far."""
        return self._count

    def announce(self) -> None:
        """Wakes every waiter."""
        self._count += 1
        waited_for, self._changed = self._changed, asyncio.Event()
        waited_for.set()

    async def wait(self, seen: int) -> int:
        """Waits until there are more changes than the waiter has seen, and returns their number.

        Returns at once if there are already. Ends otherwise only by being cancelled.
        """
        while self._count <= seen:
            await self._changed.wait()
        return self._count
