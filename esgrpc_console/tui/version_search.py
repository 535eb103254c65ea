"""Finds the event that made a version of an aggregate, without reading all of its events."""

from __future__ import annotations

from esgrpc_console.system_view import EventView, SystemOperations

_NEWEST = 200
"""How many events are looked at first: most aggregates have no more."""


async def find_version(
    operations: SystemOperations, application: str, originator_id: str, version: int
) -> int | None:
    """Returns the ID of the event that made a version, or of one beside it where there is none.

    IDs of an aggregate's events grow with their versions: it takes a request for each halving.

    :returns: None when there are no such events.
    :raises RequestFailed: when the log can't be read.
    """

    async def first_from(start: int) -> EventView | None:
        page = await operations.read_events(
            application, start=start, limit=1, originator_id=originator_id, with_state=False
        )
        while not page.events and not page.is_end:
            page = await operations.read_events(
                application,
                start=page.read_through + 1,
                limit=1,
                originator_id=originator_id,
                with_state=False,
            )
        return page.events[0] if page.events else None

    page = await operations.read_events(
        application,
        limit=_NEWEST,
        is_backwards=True,
        originator_id=originator_id,
        with_state=False,
    )
    for near in page.events:
        if near.originator_version <= version:
            return near.id
    if not page.events:
        return None
    low, high = 1, page.events[-1].id
    while low < high:
        middle = (low + high) // 2
        event = await first_from(middle)
        if event is None or event.originator_version > version:
            high = middle
        elif event.originator_version == version:
            return event.id
        else:
            low = event.id + 1
    found = await first_from(low)
    return None if found is None else found.id
