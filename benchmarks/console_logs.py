"""How the console copes with a log of a million events, and with one that grows quickly."""

from __future__ import annotations

from statistics import median
from time import sleep

from benchmarks.console_systems import cpu_percent
from benchmarks.consoles import SERVING, console, has_row
from benchmarks.measuring import Bench, Figure, Target, percentile
from benchmarks.processes import Programs, address_env
from benchmarks.terminal import Terminal

_TOPIC = "eventsourcing_grpc.example:Orders"
_JUMP_SECONDS = 0.15
_EVENTS_PER_SECOND = 5_000
_MEBIBYTE = 1024 * 1024
_PAUSED, _FOLLOWING = "‖ paused", "following the newest"


def measure_long_log(bench: Bench) -> list[Figure]:
    """Seconds from a key to the event on the screen, and memory beside a console on an empty log."""
    events = bench.amounts.console_events
    with Programs() as programs:
        env = address_env("Orders") | programs.sqlite_env("Orders")
        programs.start("large_log", bench.library).ask("make", events=events, env=env)
        programs.start("server", bench.library).ask("serve", topic=_TOPIC, env=env)
        with console("attach", env["ORDERS_GRPC_SERVER_ADDRESS"]) as terminal:
            terminal.wait_for(SERVING)
            seconds = {
                "open": [_until(terminal, "l", events)],
                "end": [],
                "start": [],
                "middle": [],
            }
            for _ in range(bench.amounts.console_jumps):
                seconds["start"].append(_until(terminal, "g", 1))
                terminal.press(":")
                terminal.wait_for("Go to")
                terminal.press(str(events // 2))
                terminal.wait_for(str(events // 2))
                seconds["middle"].append(_until(terminal, "\r", events // 2))
                seconds["end"].append(_until(terminal, "G", events))
            on_long_log = terminal.memory_bytes()
        empty_env = address_env("Orders") | programs.sqlite_env("Orders")
        programs.start("server", bench.library).ask("serve", topic=_TOPIC, env=empty_env)
        with console("attach", empty_env["ORDERS_GRPC_SERVER_ADDRESS"]) as terminal:
            terminal.wait_for(SERVING)
            terminal.press("l")
            terminal.wait_for("nothing has been recorded yet")
            sleep(1.0)
            on_empty_log = terminal.memory_bytes()
    limit = Target(_JUMP_SECONDS, is_limit=True)
    return [
        *(
            Figure(f"console: log of {events:,}, {where}", "s", median(measured), target=limit)
            for where, measured in seconds.items()
        ),
        Figure(
            f"console: memory on {events:,} events, more than on none",
            "MiB",
            (on_long_log - on_empty_log) / _MEBIBYTE,
            target=Target(15.0, is_limit=True),
        ),
    ]


def measure_flow(bench: Bench) -> list[Figure]:
    """CPU of the console and its answer to keys while 5,000 events are recorded each second."""
    seconds = bench.amounts.console_seconds
    with Programs() as programs:
        env = address_env("Flow")
        server = programs.start("flow", bench.library)
        server.ask("serve", env=env)
        with console("attach", env["FLOW_GRPC_SERVER_ADDRESS"]) as terminal:
            terminal.wait_for(SERVING)
            terminal.press("l")
            terminal.wait_until(lambda text: bool(has_row(50).search(text)), "the log")
            keys_seconds = bench.amounts.console_keys
            server.tell(
                "flow", per_second=_EVENTS_PER_SECOND, seconds=2 * seconds + keys_seconds + 10
            )
            following = cpu_percent(terminal, seconds)
            answers = [
                _answer(terminal, *key)
                for _ in range(bench.amounts.console_keys // 2)
                for key in (("k", _PAUSED), ("f", _FOLLOWING))
            ]
            terminal.press("k")
            terminal.wait_for(_PAUSED)
            paused = cpu_percent(terminal, seconds)
            rate = server.answer()[0]
    flow = f"{_EVENTS_PER_SECOND:,} events/s"
    return [
        Figure(f"console: events/s recorded meanwhile, of {flow}", "1/s", rate),
        Figure(
            f"console: CPU, following {flow}", "%", following, target=Target(20.0, is_limit=True)
        ),
        Figure(
            f"console: CPU, log paused at {flow}", "%", paused, target=Target(2.0, is_limit=True)
        ),
        Figure(
            f"console: key to screen at {flow}, p99",
            "s",
            percentile(answers, 0.99),
            target=Target(0.05, is_limit=True),
            others={"p50": percentile(answers, 0.5)},
        ),
    ]


def _until(terminal: Terminal, key: str, notification_id: int) -> float:
    row = has_row(notification_id)
    pressed_at = terminal.press(key)
    return (
        terminal.wait_until(lambda text: bool(row.search(text)), f"#{notification_id:,}")
        - pressed_at
    )


def _answer(terminal: Terminal, key: str, words: str) -> float:
    pressed_at = terminal.press(key)
    seconds = terminal.wait_for(words) - pressed_at
    # People don't type in step with what is drawn.
    sleep(0.05 + seconds % 0.1)
    return seconds
