"""The state of an aggregate at one of its versions, beside what led to it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from textual.message import Message

from esgrpc_console.system_view import AggregateView, RequestFailed, words
from esgrpc_console.tui.background import background
from esgrpc_console.tui.json_text import Kind, Line, plain_lines
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.state_lines import state_lines
from esgrpc_console.tui.widgets.event_detail import REST_SECONDS
from esgrpc_console.tui.widgets.styled_lines import StyledLines

_MAX_KEPT = 16
_MAX_KEPT_CHARACTERS = 4_000_000
_LONG = 20_000
"""Characters that are not compared and laid out in the event loop: it would stutter."""


class AggregateState(StyledLines):
    """Reads and shows states, when the cursor has come to rest on a version."""

    class Read(Message):
        """Posted when a state has been read, or could not be."""

        def __init__(
            self, version: int | None, aggregate: AggregateView | None, lines: Sequence[Line]
        ) -> None:
            super().__init__()
            self.version = version
            self.aggregate = aggregate
            self.lines = lines

    def __init__(self, session: Session, application: str, originator_id: str) -> None:
        super().__init__()
        self.aggregate: AggregateView | None = None
        """The aggregate as it is shown. None: it is not shown."""
        self._session = session
        self._application = application
        self._originator_id = originator_id
        self._wanted: int | None = -1
        self._has_failed = False
        self._kept: OrderedDict[int, AggregateView] = OrderedDict()

    def show_version(self, version: int | None) -> None:
        """Shows the state at a version, or the newest state for None."""
        if version != self._wanted:
            self._wanted = version
            self._read(version)

    def read_again(self) -> None:
        """Reads the state again, if it could not be read: by now it may be there."""
        if self._has_failed:
            self._read(self._wanted)

    def forget(self) -> None:
        """Forgets what was read: the log is another one now."""
        self._kept.clear()
        self._wanted = -1

    @background("read")
    async def _read(self, version: int | None) -> None:
        await asyncio.sleep(REST_SECONDS)
        aggregate: AggregateView | None = None
        try:
            aggregate = await self._get(version)
            before = await self._before(aggregate)
        except RequestFailed as e:
            error = f"✗ the state at {_version_words(version)} can't be shown: {e}"
            self.post_message(self.Read(version, None, plain_lines(error, Kind.ERROR)))
            return
        if len(aggregate.state) > _LONG:
            lines = await asyncio.to_thread(state_lines, aggregate, before)
        else:
            lines = state_lines(aggregate, before)
        self.post_message(self.Read(version, aggregate, lines))

    async def _before(self, aggregate: AggregateView) -> AggregateView | None:
        if aggregate.version <= 1:
            return None
        try:
            return await self._get(aggregate.version - 1)
        except RequestFailed:
            # Some aggregates don't begin at 1, and the state itself can be shown all the same.
            return None

    async def _get(self, version: int | None) -> AggregateView:
        kept = self._kept.get(version) if version is not None else None
        if kept is not None:
            return kept
        aggregate = await self._session.operations.read_aggregate(
            self._application, self._originator_id, version
        )
        self._kept[aggregate.version] = aggregate
        while len(self._kept) > _MAX_KEPT or (
            sum(len(one.state) for one in self._kept.values()) > _MAX_KEPT_CHARACTERS
            and len(self._kept) > 1
        ):
            self._kept.popitem(last=False)
        return aggregate

    def on_aggregate_state_read(self, message: Read) -> None:
        """Shows the state, unless another is wanted by now."""
        if message.version != self._wanted:
            message.stop()
            return
        self.aggregate = message.aggregate
        self._has_failed = message.aggregate is None
        self.show(message.lines, keeps_place=True)


def _version_words(version: int | None) -> str:
    return "its newest version" if version is None else f"version {words.number(version)}"
