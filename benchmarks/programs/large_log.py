"""Makes a long notification log in an SQLite database, without the time that recording it would take."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from uuid import UUID, uuid5

from eventsourcing.utils import Environment

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.example import Orders

_NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
_BATCH = 10_000
_INSERT = (
    "INSERT INTO {table} (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)"
)


def make(events: int, env: dict[str, str]) -> float:
    """Lets one order be recorded as ever, and copies its event under other originator IDs.

    :param events: how many notifications the log has in the end.
    :returns: the log's greatest ID.
    """
    application = Orders(env)
    try:
        order_id = application.create_new_order()
        [recorded] = application.recorder.select_events(order_id)
        table = str(getattr(application.recorder, "events_table_name"))  # noqa: B009
    finally:
        application.close()
    path = Environment(Orders.name, env).get("SQLITE_DBNAME")
    assert path
    rows = (
        (uuid5(_NAMESPACE, str(n)).hex, 1, recorded.topic, recorded.state) for n in range(1, events)
    )
    with sqlite3.connect(path) as database:
        for batch in _batches(rows):
            database.executemany(_INSERT.format(table=table), batch)
        [head] = database.execute(f"SELECT max(rowid) FROM {table}").fetchone()
    return float(head)


def _batches(
    rows: Iterator[tuple[str, int, str, bytes]],
) -> Iterator[list[tuple[str, int, str, bytes]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


if __name__ == "__main__":
    converse({"make": make})
