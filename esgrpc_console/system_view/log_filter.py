"""Which events of a log are wanted, and reading pages of them. The server does the choosing."""

from __future__ import annotations

from dataclasses import dataclass

from esgrpc_console.system_view import words
from esgrpc_console.system_view.failures import LogReplaced
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.views import EventPage, EventView


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
        start=start,
        limit=limit,
        is_backwards=is_backwards,
        topics=wanted.topics,
        originator_id=wanted.originator_id,
        text=wanted.text,
        with_state=with_state,
    )


async def check_log(operations: SystemOperations, application: str, event: EventView) -> None:
    """Makes sure that an event that was read is still in the log.

    :raises LogReplaced: when it is not: the store was lost or replaced.
    :raises RequestFailed: when the log can't be read.
    """
    page = await operations.read_events(application, start=event.id, limit=1, with_state=False)
    if page.head < event.id:
        how = f"shorter than #{event.id:,}: it ends at #{page.head:,}"
        raise log_replaced(application, how)
    if not any(_identity(found) == _identity(event) for found in page.events):
        raise log_replaced(application, f"another than before: #{event.id:,} is another event")


def log_replaced(application: str, how: str) -> LogReplaced:
    """Returns the error that tells that a log is another now."""
    name = words.line(application)
    return LogReplaced(f"the log of {name} is {how}. Its store was lost or replaced")


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
