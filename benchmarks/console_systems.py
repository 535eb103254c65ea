"""What the console costs while it shows a system at rest: a small one, and one of many applications."""

from __future__ import annotations

from time import monotonic, sleep

from benchmarks.console_starts import other_console
from benchmarks.consoles import (
    SERVING,
    console,
    posting_console,
    wait_for_example,
    wait_for_posting,
)
from benchmarks.measuring import OURS, POSTING, Bench, Figure, Target, compare
from benchmarks.orders import APPLICATIONS
from benchmarks.processes import Programs, address_env, free_addresses
from benchmarks.terminal import Terminal

SETTLING_SECONDS = 2.0
APPLICATIONS_OF_CROWD = 50
FOLLOWS_OF_EACH = 4
_MEBIBYTE = 1024 * 1024


def measure_idle(bench: Bench) -> list[Figure]:
    """CPU and memory of the console on the example system at rest, and of the other program."""
    seconds = bench.amounts.console_seconds
    with Programs() as programs:
        env = address_env(*APPLICATIONS)
        programs.start("system", bench.library).ask("start", runner="GrpcRunner", env=env)
        with console("attach", next(iter(env.values()))) as terminal:
            wait_for_example(terminal)
            cpu = {OURS: cpu_percent(terminal, seconds)}
            memory = {OURS: terminal.memory_bytes() / _MEBIBYTE}
    other = other_console()
    if other is not None:
        with posting_console(other) as terminal:
            wait_for_posting(terminal)
            cpu[POSTING] = cpu_percent(terminal, seconds)
            memory[POSTING] = terminal.memory_bytes() / _MEBIBYTE
    limit = Target(1.0, is_limit=True)
    return [
        # Nothing is compared: two numbers near 0 have no steady ratio.
        Figure("console: CPU, idle", "%", cpu[OURS], target=limit, others=cpu),
        compare("console: memory, idle", "MiB", [memory], reference=POSTING),
    ]


def measure_crowd(bench: Bench) -> list[Figure]:
    """CPU of the console on 50 applications with 200 followings, at rest."""
    [address] = free_addresses(1)
    with Programs() as programs:
        programs.start("crowd", bench.library).ask(
            "serve", applications=APPLICATIONS_OF_CROWD, follows=FOLLOWS_OF_EACH, address=address
        )
        with console("attach", address) as terminal:
            terminal.wait_for(SERVING, f"{APPLICATIONS_OF_CROWD} applications")
            cpu = cpu_percent(terminal, bench.amounts.console_seconds)
    what = f"console: CPU, {APPLICATIONS_OF_CROWD * FOLLOWS_OF_EACH} followings at rest"
    return [Figure(what, "%", cpu, target=Target(10.0, is_limit=True))]


def cpu_percent(terminal: Terminal, seconds: float) -> float:
    """Returns how much of one core a program uses once it has settled.

    :param seconds: for how long it is looked at.
    """
    sleep(SETTLING_SECONDS)
    started, before = monotonic(), terminal.cpu_seconds()
    sleep(seconds)
    return 100 * (terminal.cpu_seconds() - before) / (monotonic() - started)
