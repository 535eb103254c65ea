"""How long the console takes to its first live screen, and a headless command altogether."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic

from benchmarks.consoles import console, posting_console, wait_for_example, wait_for_posting
from benchmarks.installations import PROJECT, Installation, NotInstalledError, posting
from benchmarks.measuring import OURS, POSTING, Bench, Figure, Target, compare, interleave
from benchmarks.orders import APPLICATIONS
from benchmarks.processes import ProgramError, Programs, address_env

_SYSTEM = "eventsourcing_grpc.example:system"
_TIMEOUT = 30.0


def measure_starts(bench: Bench) -> list[Figure]:
    """Seconds from the start of the process to a screen that is live, or to the end of a command."""
    rounds = bench.amounts.console_starts
    with Programs() as programs:
        env = address_env(*APPLICATIONS)
        programs.start("system", bench.library).ask("start", runner="GrpcRunner", env=env)
        address = next(iter(env.values()))
        contenders: dict[str, Callable[[], float]] = {
            "run": _run,
            OURS: partial(_attach, address),
            "status": partial(_status, address),
        }
        other = other_console()
        if other is not None:
            contenders[POSTING] = partial(_posting, other)
        for start in contenders.values():
            start()
        results = interleave(contenders, rounds)

    def figure(what: str, ours: str, limit: float) -> Figure:
        target = Target(limit, is_limit=True)
        return compare(what, "s", results, reference="", target=target, ours=ours)

    return [
        figure("console: run to live screen", "run", 2.0),
        figure("console: attach to live screen", OURS, 1.0),
        figure("console: status --json", "status", 0.6),
    ]


def other_console() -> Installation | None:
    """Returns the program that is measured beside the console, or None where there is none."""
    try:
        return posting()
    except NotInstalledError as e:
        sys.stderr.write(f"{POSTING} is not measured: {e}\n")
        return None


def _run() -> float:
    with console("run", _SYSTEM) as terminal:
        seconds = wait_for_example(terminal) - terminal.started_at
        terminal.press("q")
        terminal.process.wait(_TIMEOUT)
        return seconds


def _attach(address: str) -> float:
    with console("attach", address) as terminal:
        return wait_for_example(terminal) - terminal.started_at


def _posting(installation: Installation) -> float:
    with posting_console(installation) as terminal:
        return wait_for_posting(terminal) - terminal.started_at


def _status(address: str) -> float:
    started = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "esgrpc_console", "status", address, "--json"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    if done.returncode != 0:
        msg = f"status failed: {done.stderr.strip()}"
        raise ProgramError(msg)
    return monotonic() - started
