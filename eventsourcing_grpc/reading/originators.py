"""Finds what is recorded under an originator ID that a person has written down."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import AggregateRecorder, DataError, ProgrammingError, StoredEvent


def find_first_event(recorder: AggregateRecorder, originator_id: str) -> StoredEvent | None:
    """Returns the first stored event of an originator, or None if there is no event of it.

    Its ID is looked for as a UUID, in any usual form, and then as text. The stored event has the
    ID as the application uses it.
    """
    for candidate in _candidates(originator_id):
        try:
            stored_events = recorder.select_events(candidate, limit=1)
        except (DataError, ProgrammingError):
            # A PostgreSQL column of the other type can't even be asked.
            continue
        if stored_events:
            return stored_events[0]
    return None


def last_version(recorder: AggregateRecorder, originator_id: UUID | str) -> int:
    """Returns the version of an originator's newest event. 0: there is no event of it."""
    stored_events = recorder.select_events(originator_id, desc=True, limit=1)
    return stored_events[0].originator_version if stored_events else 0


def _candidates(originator_id: str) -> Sequence[UUID | str]:
    try:
        return UUID(originator_id), originator_id
    except ValueError:
        return (originator_id,)
