"""Notifications a second that one client reads, from the first to the last of a log."""

from __future__ import annotations

from functools import partial

from benchmarks.installations import Installation
from benchmarks.measuring import OLDER, OURS, Bench, Figure, Target, compare, interleave
from benchmarks.processes import Program, Programs, address_env

_NAME = "RecordedOrders"
_TOPIC = f"benchmarks.plain_applications:{_NAME}"
_OLDER_PAGE = 10  # what its servers allow at most
_PAGE = 500


def measure_notifications(bench: Bench) -> list[Figure]:
    """Notifications/s through ``subscribe``, beside what clients of 0.1.2 can do: ``select`` by tens.

    With SQLite, servers are started after everything is recorded: nothing is in their memory.
    """
    count = bench.amounts.notifications
    figures = []
    for name, is_sqlite in (("in memory", False), ("SQLite", True)):
        with Programs() as programs:
            reader = _start(programs, bench.library, count, is_sqlite)
            contenders = {
                OURS: partial(reader.ask_number, "subscribe", count=count),
                f"select by {_PAGE}": partial(reader.ask_number, "select", count=count, page=_PAGE),
            }
            if bench.older:
                older = _start(programs, bench.older, count, is_sqlite)
                contenders[OLDER] = partial(
                    older.ask_number, "select", count=count, page=_OLDER_PAGE
                )
            rounds = interleave(contenders, bench.amounts.notification_rounds)
        what = f"notifications/s, {name}, {count:,} recorded"
        figures.append(compare(what, "1/s", rounds, reference=OLDER, target=Target(10)))
    return figures


def _start(programs: Programs, installation: Installation, count: int, is_sqlite: bool) -> Program:
    """Starts a server, has it record, and returns a client."""
    env = address_env(_NAME)
    [address] = env.values()
    if is_sqlite:
        env.update(programs.sqlite_env(_NAME))
    server = programs.start("server", installation)
    reader = programs.start("reader", installation)
    server.ask("serve", topic=_TOPIC, env=env)
    reader.ask("connect", topic=_TOPIC, address=address)
    reader.ask("record", count=count)
    if is_sqlite:
        server.ask("stop")
        server.ask("serve", topic=_TOPIC, env=env)
        reader.ask("connect", topic=_TOPIC, address=address)
    return reader
