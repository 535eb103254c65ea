"""Selects the notifications of one originator, wherever in the log they are.

Recorders select events by originator, but then without their notification IDs, and notifications by
ID only. The tables of the core library's recorders for SQLite and PostgreSQL have indexes by which
both can be had, without a search of the log. An aggregate's versions are recorded one after another,
so that the order of its versions is the order of its notification IDs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    InterfaceError,
    Notification,
    OperationalError,
)
from eventsourcing.utils import retry

if TYPE_CHECKING:
    from eventsourcing.postgres import PostgresApplicationRecorder
    from eventsourcing.sqlite import SQLiteApplicationRecorder


@dataclass(frozen=True)
class OriginatorQuery:
    """Which of an originator's notifications are wanted."""

    originator_id: UUID | str
    lowest: int
    highest: int
    """The first and the last notification ID wanted."""
    limit: int
    topics: Sequence[str]
    """Empty: all topics."""
    is_backwards: bool
    """Begins with the greatest notification ID."""


def select_originator_notifications(
    recorder: ApplicationRecorder, query: OriginatorQuery
) -> Sequence[Notification] | None:
    """Returns notifications of one originator, or None when the recorder has no way to find them.

    Raises what the recorder raises when it can't read.
    """
    # What is not loaded is not used, and may not be installed.
    if "eventsourcing.sqlite" in sys.modules:
        from eventsourcing.sqlite import SQLiteApplicationRecorder

        if isinstance(recorder, SQLiteApplicationRecorder) and _selects_as(
            recorder, SQLiteApplicationRecorder
        ):
            return _select_from_sqlite(recorder, query)
    if "eventsourcing.postgres" in sys.modules:
        from eventsourcing.postgres import PostgresApplicationRecorder

        if isinstance(recorder, PostgresApplicationRecorder) and _selects_as(
            recorder, PostgresApplicationRecorder
        ):
            selected: Sequence[Notification] = _select_from_postgres(recorder, query)
            return selected
    return None


def _selects_as(recorder: ApplicationRecorder, base: type[ApplicationRecorder]) -> bool:
    """Tells whether a recorder's table is the one that the core library's recorder reads."""
    cls = type(recorder)
    return (
        cls.select_notifications is base.select_notifications
        and cls.select_events is base.select_events
    )


def _select_from_sqlite(
    recorder: SQLiteApplicationRecorder, query: OriginatorQuery
) -> Sequence[Notification]:
    direction = "DESC" if query.is_backwards else "ASC"
    topics = f"AND topic IN ({','.join('?' * len(query.topics))})" if query.topics else ""
    # The "+" keeps SQLite from going through the log instead of the originator's versions.
    statement = (
        f"SELECT rowid, * FROM {recorder.events_table_name} WHERE rowid IN ("
        f"SELECT rowid FROM {recorder.events_table_name} "
        f"WHERE originator_id=? AND +rowid BETWEEN ? AND ? {topics} "
        f"ORDER BY originator_version {direction} LIMIT ?"
        f") ORDER BY rowid {direction}"
    )
    originator_id = query.originator_id
    parameters = (
        originator_id.hex if isinstance(originator_id, UUID) else originator_id,
        query.lowest,
        query.highest,
        *query.topics,
        query.limit,
    )
    with recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute(statement, parameters)
        return [
            Notification(
                id=row["rowid"],
                originator_id=recorder.convert_originator_id(row["originator_id"]),
                originator_version=row["originator_version"],
                topic=row["topic"],
                state=row["state"],
            )
            for row in cursor.fetchall()
        ]


@retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
def _select_from_postgres(
    recorder: PostgresApplicationRecorder, query: OriginatorQuery
) -> Sequence[Notification]:
    from psycopg.sql import SQL, Identifier

    # The "+ 0" keeps PostgreSQL from going through the log instead of the originator's versions.
    statement = SQL(
        "SELECT * FROM {schema}.{table} WHERE notification_id = ANY(ARRAY("
        "SELECT notification_id FROM {schema}.{table} WHERE originator_id = %(originator_id)s "
        "AND notification_id + 0 BETWEEN %(lowest)s AND %(highest)s "
        "AND (%(topics)s::text[] = '{{}}' OR topic = ANY(%(topics)s::text[])) "
        "ORDER BY originator_version {direction} LIMIT %(limit)s"
        ")) ORDER BY notification_id {direction}"
    ).format(
        schema=Identifier(recorder.datastore.schema),
        table=Identifier(recorder.events_table_name),
        direction=SQL("DESC" if query.is_backwards else "ASC"),
    )
    parameters = {
        "originator_id": query.originator_id,
        "lowest": query.lowest,
        "highest": query.highest,
        "topics": list(query.topics),
        "limit": query.limit,
    }
    with recorder.datastore.get_connection() as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [
            Notification(
                id=row["notification_id"],
                originator_id=row["originator_id"],
                originator_version=row["originator_version"],
                topic=row["topic"],
                state=bytes(row["state"]),
            )
            for row in cursor.fetchall()
        ]
