"""Run on a host: begins to record an event as the core library does, and never comes to its end.

What it has sent has locked a table. Nothing tells PostgreSQL that no more is to come.
"""

from __future__ import annotations

import sys

from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.sql import SQL, Identifier

from eventsourcing_grpc.database.database_session import session_of
from eventsourcing_grpc.example import Payments


def lock() -> None:
    """Returns when standard input ends."""
    payments = Payments()
    recorder = payments.recorder
    assert isinstance(recorder, PostgresApplicationRecorder)
    # Is what looks after connections, in servers too.
    session_of(recorder, payments.name)
    table = Identifier(recorder.datastore.schema, recorder.events_table_name)
    with (
        recorder.datastore.get_connection() as connection,
        connection.pipeline(),
        connection.transaction(),
    ):
        connection.execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table))
        sys.stdin.read()


if __name__ == "__main__":
    lock()
