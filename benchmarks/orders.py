"""Orders through the three applications of the example: how many a second, and how long one takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.installations import Installation
from benchmarks.measuring import (
    OLDER,
    OURS,
    Amounts,
    Bench,
    Figure,
    Round,
    Target,
    compare,
    interleave,
    percentile,
)
from benchmarks.processes import Program, Programs, address_env

APPLICATIONS = ("Orders", "Reservations", "Payments")
SINGLE = "SingleThreadedRunner"
MULTI = "MultiThreadedRunner"
BEST_RUNNER = "best in-process runner"
_CALLERS = 4
_WARM_UP_ORDERS = 40
# Servers of 0.1.2 may miss what happens while they start, and find it only after 10 s otherwise.
_PULL_INTERVAL = "1"
# Seconds between two orders: the system is idle when one is created.
_PAUSE = 0.02


@dataclass(frozen=True)
class Contender:
    """A runner, and the package that it comes with."""

    runner: str
    installation: Installation
    notice: str
    """How a client notices that an order is paid."""


def measure_latency(bench: Bench) -> list[Figure]:
    """Milliseconds from before creating an order to knowing that it is paid, one order at a time.

    A client of this library subscribes to the log of ``Orders``. With ``SingleThreadedRunner`` the
    method returns after everything is processed. A client of 0.1.2 can only ask, here each millisecond.
    """
    figures = []
    for name, is_sqlite in (("in memory", False), ("SQLite", True)):
        with Programs() as programs:
            running = {
                contender: _start(programs, runner, is_sqlite)
                for contender, runner in _contenders(bench).items()
                if contender != MULTI
            }
            results = interleave(
                {
                    contender: partial(_latencies, program, notice, bench.amounts)
                    for contender, (program, notice) in running.items()
                },
                bench.amounts.latency_rounds,
            )
        halves = [{who: median(ms) for who, ms in result.items()} for result in results]
        pooled = {who: [ms for result in results for ms in result[who]] for who in results[0]}
        slowest = [{who: percentile(ms, 0.99) for who, ms in pooled.items()}]
        what = f"order created → paid, {name}"
        target = None if is_sqlite else Target(3, is_limit=True)
        figures += [
            compare(f"{what}, p50", "ms", halves, reference=SINGLE, target=target),
            compare(f"{what}, p99", "ms", slowest, reference=SINGLE),
        ]
    return figures


def measure_throughput(bench: Bench) -> list[Figure]:
    """Orders/s in memory: created by 4 callers, until all are paid. Every round has new processes."""
    amounts = bench.amounts
    rounds = interleave(
        {
            name: partial(_throughput, contender, amounts.orders)
            for name, contender in _contenders(bench).items()
        },
        amounts.order_rounds,
    )
    what = f"orders/s, in memory, {amounts.orders:,} orders"
    return [
        compare(what, "1/s", rounds, reference=OLDER, target=Target(4)),
        compare(what, "1/s", _with_best_runner(rounds), reference=BEST_RUNNER),
    ]


def measure_long_run(bench: Bench) -> list[Figure]:
    """Orders/s in memory of a long run, beside shorter ones before and after it: does a system slow
    down as it grows?
    """
    amounts = bench.amounts
    ours = _contenders(bench)[OURS]
    before = _throughput(ours, amounts.orders)
    long = _throughput(ours, amounts.long_orders)
    after = _throughput(ours, amounts.orders)
    short = f"{amounts.orders:,} orders"
    rounds = [{OURS: long, short: (before + after) / 2}]
    what = f"orders/s, in memory, {amounts.long_orders:,} orders"
    return [compare(what, "1/s", rounds, reference=short, target=Target(0.9))]


def measure_sqlite_throughput(bench: Bench) -> list[Figure]:
    """Orders/s with SQLite files: created by 4 callers, until all are paid."""
    amounts = bench.amounts
    rounds = interleave(
        {
            name: partial(_throughput, contender, amounts.sqlite_orders, is_sqlite=True)
            for name, contender in _contenders(bench).items()
        },
        amounts.sqlite_rounds,
    )
    what = f"orders/s, SQLite, {amounts.sqlite_orders:,} orders"
    return [
        compare(what, "1/s", _with_best_runner(rounds), reference=BEST_RUNNER, target=Target(1.0))
    ]


def _contenders(bench: Bench) -> dict[str, Contender]:
    contenders = {
        OURS: Contender("GrpcRunner", bench.library, "subscribe"),
        SINGLE: Contender(SINGLE, bench.library, "return"),
        MULTI: Contender(MULTI, bench.library, "poll"),
    }
    if bench.older:
        contenders[OLDER] = Contender("GrpcRunner", bench.older, "poll")
    return contenders


def _start(programs: Programs, contender: Contender, is_sqlite: bool) -> tuple[Program, str]:
    program = programs.start("system", contender.installation)
    env = {**address_env(*APPLICATIONS), "MAX_PULL_INTERVAL": _PULL_INTERVAL}
    if is_sqlite:
        env.update(programs.sqlite_env(*APPLICATIONS))
    program.ask("start", runner=contender.runner, env=env)
    program.ask("orders", count=_WARM_UP_ORDERS, callers=_CALLERS)
    return program, contender.notice


def _latencies(program: Program, notice: str, amounts: Amounts) -> list[float]:
    latencies = program.ask(
        "latencies",
        count=amounts.latency_orders,
        seconds=amounts.latency_seconds,
        notice=notice,
        pause=_PAUSE,
    )
    return [seconds * 1_000 for seconds in latencies]


def _throughput(contender: Contender, count: int, *, is_sqlite: bool = False) -> float:
    with Programs() as programs:
        program, _ = _start(programs, contender, is_sqlite)
        return program.ask_number("orders", count=count, callers=_CALLERS)


def _with_best_runner(rounds: list[dict[str, float]]) -> list[Round]:
    """Adds the in-process runner that is best by the median to each round."""
    best = max((SINGLE, MULTI), key=lambda name: median(round_[name] for round_ in rounds))
    return [{**round_, BEST_RUNNER: round_[best]} for round_ in rounds]
