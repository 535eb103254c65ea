"""Which events of a log are wanted, and reading pages of them. The server does the choosing."""

from __future__ import annotations

from dataclasses import dataclass

from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView

_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class LogFilter:
    """Which events of a log are wanted: those for which all of this is true."""

    topics: tuple[str, ...] = ()
    """Their topic is one of these. Empty: any."""
    originator_id: str = ""
    """They are of this aggregate. Empty: of any."""
    text: str = ""
    """This is in their topic, originator ID or decoded state, in any case. Empty: anything is."""

    def __bool__(self) -> bool:
        """Whether there are events that are not wanted."""
        return bool(self.topics or self.originator_id or self.text)


ALL = LogFilter()


async def read_page(
    operations: SystemOperations,
    application: str,
    wanted: LogFilter,
    *,
    start: int | None,
    limit: int,
    is_backwards: bool = False,
    with_state: bool = False,
) -> EventPage:
    """Reads a page of the events that are wanted. Its arguments and errors are ``read_events``'."""
    return await operations.read_events(
        application,
        start=None if start is None else min(max(start, 0), _MAX_ID),
        limit=limit,
        is_backwards=is_backwards,
        topics=wanted.topics,
        originator_id=wanted.originator_id,
        text=wanted.text,
        with_state=with_state,
    )


async def has_event(operations: SystemOperations, application: str, event: EventView) -> bool:
    """Tells whether an event is (still) in a log: a store may have been lost or replaced.

    :raises RequestFailed: when the log can't be read.
    """
    page = await operations.read_events(application, start=event.id, limit=1, with_state=False)
    return any(_identity(found) == _identity(event) for found in page.events)


def started_at(operations: SystemOperations, application: str) -> object:
    """Returns when an application's server was started: afterwards its log may be another."""
    known = operations.state.applications.get(application)
    return known.description.started_at if known and known.description else None


def _identity(event: EventView) -> tuple[object, ...]:
    return (
        event.id,
        event.topic,
        event.originator_id,
        event.originator_version,
        event.timestamp,
    )
