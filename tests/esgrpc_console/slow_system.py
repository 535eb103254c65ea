"""A system whose servers look at few events at a time, answer when they may, and may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esgrpc_console.system_view import EventPage, RequestFailed, ServerUnavailable
from tests.esgrpc_console.fake_system import FakeSystem


class SlowSystem(FakeSystem):
    """Looks at few events for each page, and notes what is asked."""

    def __init__(self, looked_at: int = 100) -> None:
        super().__init__()
        self.requests: list[tuple[int | None, bool]] = []
        self.may_answer = asyncio.Semaphore(1_000)
        """Has as many permits as pages may be answered."""
        self.failure: RequestFailed | None = None
        """What requests fail with."""
        self._looked_at = looked_at
        self._losses = 0

    def lose_connection(self, requests: int = 1) -> None:
        """Lets some requests fail as if the server was away."""
        self._losses = requests

    async def read_events(
        self,
        application: str,
        *,
        start: int | None = None,
        limit: int = 100,
        is_backwards: bool = False,
        topics: Sequence[str] = (),
        originator_id: str = "",
        text: str = "",
        with_state: bool = True,
    ) -> EventPage:
        """Reads a page as a server would that has little time."""
        self.requests.append((start, is_backwards))
        await self.may_answer.acquire()
        if self._losses:
            self._losses -= 1
            msg = "connection refused"
            raise ServerUnavailable(msg)
        if self.failure is not None:
            raise self.failure
        log = self.logs[application]
        head = log[-1].id if log else 0
        if start is None:
            start = head if is_backwards else 1
        start = min(start, head) if is_backwards else start
        step = -1 if is_backwards else 1
        last = min(max(start + step * (self._looked_at - 1), 1), head)
        page = await super().read_events(
            application,
            start=start,
            limit=limit,
            is_backwards=is_backwards,
            topics=topics,
            originator_id=originator_id,
            text=text,
            with_state=with_state,
        )
        events = tuple(event for event in page.events if (last - event.id) * step >= 0)
        through = events[-1].id if len(events) == limit else last
        is_end = (through - (1 if is_backwards else head)) * step >= 0
        return EventPage(events, through, is_end, head)
