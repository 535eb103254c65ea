"""Calls a second: the shortest method of an application, beside a bare ``grpcio`` echo.

All contenders have a server process with 16 threads for calls, and are called in the same way:
one call after the other from each caller. Eight callers are two client processes with four threads
each, since the interpreter lock of a single one would be what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.installations import Installation
from benchmarks.measuring import OLDER, OURS, Bench, Figure, Target, compare, interleave
from benchmarks.processes import Program, Programs, free_addresses

BARE = "bare grpcio echo"
ECHO = "benchmarks.applications:Echo"
_PLAIN_ECHO = "benchmarks.plain_applications:PlainEcho"
_BARE_PATH = "/benchmarks.Echo/Echo"
_WORKERS = 16
_WARM_UP_SECONDS = 0.3

Callers = Sequence[Program]


def measure_calls(bench: Bench) -> list[Figure]:
    """Calls/s, with 1 caller and with 8."""
    with Programs() as programs:
        contenders = {
            BARE: _start_bare(programs, bench.library),
            OURS: start_echo(programs, bench.library, ECHO),
        }
        if bench.older:
            contenders[OLDER] = start_echo(programs, bench.older, _PLAIN_ECHO)
        figures = []
        for count, threads, target in ((1, 1, 0.90), (2, 4, 0.75)):
            rounds = interleave(
                {
                    name: partial(call, callers[:count], threads, bench.amounts.call_seconds)
                    for name, callers in contenders.items()
                },
                bench.amounts.call_rounds,
            )
            title = "calls/s, 1 caller" if count == 1 else f"calls/s, {count * threads} callers"
            figures.append(compare(title, "1/s", rounds, reference=BARE, target=Target(target)))
        return figures


def measure_idle_subscriptions(bench: Bench) -> list[Figure]:
    """Calls/s, 8 callers, of a server with idle subscriptions beside a server with none.

    Each ten subscriptions share a connection.
    """
    subscriptions = bench.amounts.subscriptions
    with Programs() as programs:
        without = start_echo(programs, bench.library, ECHO)
        [address] = free_addresses(1)
        subscribed = start_echo(programs, bench.library, ECHO, address)
        programs.start("subscribers", bench.library).ask(
            "subscribe", topic=ECHO, address=address, connections=subscriptions // 10, each=10
        )
        rounds = interleave(
            {
                "no subscriptions": partial(call, without, 4, bench.amounts.call_seconds),
                OURS: partial(call, subscribed, 4, bench.amounts.call_seconds),
            },
            bench.amounts.call_rounds,
        )
    what = f"calls/s, 8 callers, {subscriptions} idle subscriptions"
    return [compare(what, "1/s", rounds, reference="no subscriptions", target=Target(0.85))]


def start_echo(
    programs: Programs, installation: Installation, topic: str, address: str = ""
) -> Callers:
    """Starts a server of an echo, and two client processes for it."""
    address = address or free_addresses(1)[0]
    server = programs.start("server", installation)
    name = topic.rpartition(":")[2]
    server.ask("serve", topic=topic, env={f"{name.upper()}_GRPC_SERVER_ADDRESS": address})
    return _start_callers(
        programs, installation, lambda caller: caller.tell("connect", topic=topic, address=address)
    )


def call(callers: Callers, threads: int, seconds: float) -> float:
    """Returns calls/s of all client processes together.

    :param threads: in each of them.
    """
    for caller in callers:
        caller.tell("call", threads=threads, seconds=seconds)
    return sum(sum(caller.answer()) for caller in callers)


def _start_bare(programs: Programs, installation: Installation) -> Callers:
    [address] = free_addresses(1)
    programs.start("echo_server", installation).ask("serve", address=address, workers=_WORKERS)
    return _start_callers(
        programs,
        installation,
        lambda caller: caller.tell("connect_bare", address=address, path=_BARE_PATH),
    )


def _start_callers(
    programs: Programs, installation: Installation, tell_to_connect: Callable[[Program], None]
) -> Callers:
    callers = [programs.start("caller", installation) for _ in range(2)]
    for caller in callers:
        tell_to_connect(caller)
    for caller in callers:
        caller.answer()
    call(callers, 4, _WARM_UP_SECONDS)
    return callers
