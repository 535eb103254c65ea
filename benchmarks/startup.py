"""How long a system takes to start."""

from __future__ import annotations

from functools import partial

from benchmarks.measuring import OLDER, OURS, Bench, Figure, Target, compare, interleave
from benchmarks.orders import APPLICATIONS
from benchmarks.processes import Program, Programs, address_env

MAX_SECONDS = 1.5


def measure_startup(bench: Bench) -> list[Figure]:
    """Seconds from ``GrpcRunner.start(with_subprocesses=True)`` to an answer from each of the three
    applications. Packages are imported already, except by the servers.
    """
    with Programs() as programs:
        contenders = {OURS: partial(_start, programs.start("system", bench.library))}
        if bench.older:
            contenders[OLDER] = partial(_start, programs.start("system", bench.older))
        for start in contenders.values():
            start()
        rounds = interleave(contenders, bench.amounts.starts)
    target = Target(MAX_SECONDS, is_limit=True)
    return [compare("start of three servers", "s", rounds, reference="", target=target)]


def _start(program: Program) -> float:
    seconds = program.ask_number("start", runner="GrpcRunner", env=address_env(*APPLICATIONS))
    program.ask("stop")
    return seconds
