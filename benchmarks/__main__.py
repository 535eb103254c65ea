"""``python -m benchmarks``: measures, prints a table, and writes JSON."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from benchmarks import (
    calls,
    console_logs,
    console_starts,
    console_systems,
    notifications,
    orders,
    recorder_reads,
    startup,
)
from benchmarks.installations import NotInstalledError, older_package, this_library
from benchmarks.measuring import Amounts, Bench, Figure
from benchmarks.processes import ProgramError
from benchmarks.report import RESULTS, table, write_results
from benchmarks.terminal import TerminalError

MEASUREMENTS: dict[str, Callable[[Bench], list[Figure]]] = {
    "calls": calls.measure_calls,
    "idle-subscriptions": calls.measure_idle_subscriptions,
    "latency": orders.measure_latency,
    "orders": orders.measure_throughput,
    "long-run": orders.measure_long_run,
    "orders-sqlite": orders.measure_sqlite_throughput,
    "notifications": notifications.measure_notifications,
    "recorder-reads": recorder_reads.measure_recorder_reads,
    "startup": startup.measure_startup,
    "console-starts": console_starts.measure_starts,
    "console-idle": console_systems.measure_idle,
    "console-crowd": console_systems.measure_crowd,
    "console-long-log": console_logs.measure_long_log,
    "console-flow": console_logs.measure_flow,
}
_INTERRUPTED_STATUS = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what the arguments ask for. Returns the status for the shell."""
    options = _parser().parse_args(arguments)
    # End programs also then.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    older = None
    if not options.no_older:
        try:
            older = older_package(options.older_python)
        except NotInstalledError as e:
            _say(f"The older package is not measured: {e}")
    amounts = Amounts.quick() if options.quick else Amounts()
    bench = Bench(this_library(), older, amounts)
    figures: list[Figure] = []
    status = 0
    for name in options.only or MEASUREMENTS:
        started = monotonic()
        try:
            figures += MEASUREMENTS[name](bench)
        except (ProgramError, TerminalError) as e:
            _say(f"{name} could not be measured: {e}")
            status = 1
        except KeyboardInterrupt:
            _say("Interrupted")
            status = _INTERRUPTED_STATUS
            break
        else:
            _say(f"{name}: {monotonic() - started:.0f} s")
    if figures:
        print(table(figures))
        path = write_results(figures, bench, options.results, is_quick=options.quick)
        _say(f"Written to {path}")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures this library beside a bare grpcio echo, the core library's in-process "
        "runners and, where there is a Python 3.10, the older package.",
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=MEASUREMENTS,
        help=f"what to measure, may be repeated: {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument("--quick", action="store_true", help="measure less, in about a minute")
    parser.add_argument("--no-older", action="store_true", help="do not measure the older package")
    parser.add_argument(
        "--older-python",
        metavar="PATH",
        type=Path,
        help="a Python 3.10 for the older package (default: one is looked for)",
    )
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=RESULTS, help="where JSON is written"
    )
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
