"""How often a log is read from its database, with one subscriber and with many."""

from __future__ import annotations

from functools import partial

from benchmarks.measuring import OURS, Bench, Figure, Target, compare, interleave
from benchmarks.processes import Programs, address_env

_NAME = "CountedOrders"
_TOPIC = f"benchmarks.applications:{_NAME}"
_RECORDER = "benchmarks.applications:CountingRecorder"
_PULL_INTERVAL = 0.1
_ORDERS_PER_SECOND = 40
_ONE = "1 subscriber"


def measure_recorder_reads(bench: Bench) -> list[Figure]:
    """Reads of the recorder in the same few seconds, with the same orders recorded at a steady pace.

    The log is in SQLite. Half of the orders are recorded by another process, so that they have to be
    read; the server looks for them ten times a second. All subscribers follow the log live: one that
    is far behind reads pages of its own until it has caught up, as it is meant to.
    """
    subscribers = bench.amounts.subscribers
    seconds = bench.amounts.subscriber_seconds
    rounds = interleave(
        {
            _ONE: partial(_reads, bench, 1, seconds),
            OURS: partial(_reads, bench, subscribers, seconds),
        },
        1,
    )
    what = f"recorder reads, {subscribers} subscribers"
    return [compare(what, "reads", rounds, reference=_ONE, target=Target(1.1, is_limit=True))]


def _reads(bench: Bench, subscribers: int, seconds: float) -> float:
    count = round(_ORDERS_PER_SECOND * seconds)
    with Programs() as programs:
        addresses = address_env(_NAME)
        [address] = addresses.values()
        env = {
            **addresses,
            **programs.sqlite_env(_NAME),
            "PROCESS_RECORDER_TOPIC": _RECORDER,
            "MAX_PULL_INTERVAL": str(_PULL_INTERVAL),
        }
        programs.start("server", bench.library).ask("serve", topic=_TOPIC, env=env)
        clients = programs.start("subscribers", bench.library)
        clients.ask("subscribe", topic=_TOPIC, address=address, connections=subscribers, each=1)
        writer = programs.start("writer", bench.library)
        before, after = writer.ask("record", count=count, seconds=seconds, env=env)
        clients.ask("wait_until_received", count=count)
        return after - before
