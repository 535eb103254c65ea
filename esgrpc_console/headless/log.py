"""What ``esgrpc-console log`` does: writes events of a notification log, and goes on with new ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.names import find_name
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import (
    describe,
    explained,
    find_application,
    open_view,
    run,
)
from esgrpc_console.headless.shapes import event_object
from esgrpc_console.outcome import SUCCESS
from esgrpc_console.system_view import EventView, LogFilter, SystemView, words
from esgrpc_console.system_view.log_filter import read_page
from esgrpc_console.system_view.log_tail import tail_log
from esgrpc_console.system_view.searching import LogSearch

_INTERVAL = 0.2
_FLUSH_SECONDS = 0.2
_PATIENCE = 30.0
_MAX_TOPIC_WIDTH = 40


@dataclass(frozen=True)
class LogRequest:
    """Which events are wanted."""

    application: str
    after: int | None = None
    """Only events behind this ID."""
    last: int | None = None
    """Begin with the newest so many events."""
    topics: Sequence[str] = ()
    """Whole, or only their last parts."""
    originator_id: str = ""
    text: str = ""
    limit: int | None = None
    """End after so many events."""
    is_following: bool = False


def show_log(system: ChosenSystem, request: LogRequest, *, is_json: bool) -> int:
    """Writes events until the log, or the limit, or whoever reads them ends. Returns the exit status.

    :raises CommandFailed: when there is no such application, its log can't be read, or was replaced
        while it was read.
    """
    output = Output(is_json=is_json)

    async def show() -> int:
        async with open_view(system, interval=_INTERVAL) as view:
            name = find_application(view, request.application)
            seen = (await describe(view, name)).event_topics
            wanted = LogFilter(
                topics=tuple(
                    topic for given in request.topics for topic in _whole_topics(given, seen, name)
                ),
                originator_id=request.originator_id,
                text=request.text,
            )
            with explained(name):
                await _write_events(view, name, wanted, request, output)
        return SUCCESS

    return run(show, output)


async def _write_events(
    view: SystemView, name: str, wanted: LogFilter, request: LogRequest, output: Output
) -> None:
    after = request.after
    if request.last is not None:
        after = await _position_before(view, name, wanted, request.last)
    writer = _EventWriter(output, is_prompt=request.is_following)
    events = tail_log(
        view,
        name,
        after,
        wanted,
        is_following=request.is_following,
        say=lambda note: output.complain(note or f"{name} is there again"),
    )
    async for event in events:
        writer.write(event)
        if writer.written == request.limit:
            return


async def _position_before(view: SystemView, name: str, wanted: LogFilter, count: int) -> int:
    """Returns the ID behind which there are so many events that are wanted, or fewer in all."""
    if count == 0:
        page = await read_page(view, name, LogFilter(), start=None, limit=1, is_backwards=True)
        return page.head
    position = found = 0
    async with aclosing(LogSearch(view, name, wanted, patience=_PATIENCE)) as search:
        async for event in search:
            position, found = event.id - 1, found + 1
            if found == count:
                return position
    return 0


def _whole_topics(given: str, seen: Sequence[str], name: str) -> Sequence[str]:
    """Returns the topics that end with what was given: all of those, or itself where it is whole.

    :raises CommandFailed: when the server has seen none.
    """
    if ":" in given:
        return [given]
    ending = given.lower()
    found = [
        topic
        for topic in seen
        if (short := topic.lower().rpartition(":")[2]) == ending or short.endswith(f".{ending}")
    ]
    if found:
        return found
    short_names = {topic.rpartition(":")[2]: topic for topic in seen}
    where = f"{name}, as far as events were read since its server was started"
    return [short_names[find_name(given, short_names, "topic", where)]]


class _EventWriter:
    """Writes events, each on a line, and lets the reader have them in time."""

    def __init__(self, output: Output, *, is_prompt: bool) -> None:
        """:param is_prompt: whether each event is to be seen at once."""
        self.written = 0
        self._output = output
        self._is_prompt = is_prompt
        self._flushed_at = time.monotonic()
        self._id_width = self._topic_width = 0

    def write(self, event: EventView) -> None:
        """Writes an event."""
        if self._output.is_json:
            self._output.write_json(event_object(event))
        else:
            self._output.write_line(self._line(event))
        self.written += 1
        now = time.monotonic()
        if self._is_prompt or now - self._flushed_at > _FLUSH_SECONDS:
            self._output.flush()
            self._flushed_at = now

    def _line(self, event: EventView) -> str:
        notification_id = f"{event.id:,}"
        topic = event.short_topic
        # Columns grow with what is in them: what will come is not known.
        self._id_width = max(self._id_width, len(notification_id))
        self._topic_width = min(max(self._topic_width, len(topic)), _MAX_TOPIC_WIDTH)
        return "  ".join(
            (
                notification_id.rjust(self._id_width),
                local_time(event.timestamp),
                topic.ljust(self._topic_width),
                event.originator_id,
                f"{event.originator_version:,}",
                event.state or event.error,
            )
        )


def local_time(moment: datetime | None) -> str:
    """Writes when something happened, to the millisecond, as it was here."""
    if moment is None:
        return f"{'–':23}"
    return words.local(moment).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
