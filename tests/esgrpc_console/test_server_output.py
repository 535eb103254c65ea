"""Tests of what is kept of servers' output: the newest lines, with their levels and numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from esgrpc_console.server_output import MAX_LINE, Level, ServerOutput, level_of


def _texts(output: ServerOutput, after: int = 0) -> list[str]:
    return [line.text for line in output.after(after)]


def test_lines_of_all_servers_are_told_in_the_order_in_which_they_were_written() -> None:
    output = ServerOutput()
    for application, text in (("Orders", "a"), ("Payments", "b"), ("Orders", "c")):
        output.keep(application, text)
    lines = output.after(0)
    assert [(line.number, line.application, line.text) for line in lines] == [
        (1, "Orders", "a"),
        (2, "Payments", "b"),
        (3, "Orders", "c"),
    ]
    assert output.count == 3
    assert _texts(output, after=2) == ["c"]
    assert _texts(output, after=3) == []


def test_a_server_that_writes_much_does_not_push_out_what_others_wrote() -> None:
    output = ServerOutput(max_lines=3)
    output.keep("Payments", "why it died")
    for number in range(10):
        output.keep("Orders", str(number))
    assert _texts(output) == ["why it died", "7", "8", "9"]
    assert output.count == 11
    assert output.dropped("Orders") == output.dropped() == 7
    assert output.dropped("Payments") == output.dropped("Nobody") == 0


def test_long_lines_are_cut_and_few_of_them_are_kept() -> None:
    output = ServerOutput(max_characters=50_000)
    for _ in range(5):
        output.keep("Orders", "x" * 1_000_000)
    lines = output.after(0)
    assert len(lines) == 2
    assert output.dropped() == 3
    assert lines[-1].text.startswith("x" * MAX_LINE)
    assert lines[-1].text.endswith(" … (980,000 more characters)")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-11-25 01:22:48,362 INFO eventsourcing_grpc.server: serving", Level.INFO),
        ("2026-11-25 01:22:48,362 WARNING shop: low on paper", Level.WARNING),
        ("2026-11-25 01:22:48,362 ERROR shop: out of paper", Level.ERROR),
        ("2026-11-25 01:22:48,362 CRITICAL shop: on fire", Level.ERROR),
        ("2026-11-25 01:22:48,362 DEBUG shop: one sheet", Level.DEBUG),
        ("ERROR:root:out of paper", Level.ERROR),
        ("[01:22:48] WARN low on paper", Level.WARNING),
        ("there was an ERROR", Level.NONE),
        ("INFORMATION", Level.NONE),
        ("", Level.NONE),
        ("[/red] \x1b[2J", Level.NONE),
    ],
)
def test_levels_are_told_by_log_records(text: str, level: Level) -> None:
    assert level_of(text)[0] is level


def test_a_traceback_belongs_to_the_record_before_it() -> None:
    output = ServerOutput()
    output.keep("Orders", "12:00:00 ERROR shop: it failed")
    output.keep("Payments", "12:00:00 INFO shop: all is well")
    output.keep("Orders", "Traceback (most recent call last):")
    output.keep("Payments", "yes")
    output.keep("Orders", "12:00:01 INFO shop: it goes on")
    assert [line.level for line in output.after(0)] == [
        Level.ERROR,
        Level.INFO,
        Level.ERROR,
        Level.INFO,
        Level.INFO,
    ]


def test_colours_are_left_out() -> None:
    output = ServerOutput()
    output.keep("Orders", "\x1b[1;31mERROR\x1b[0m: no")
    (line,) = output.after(0)
    assert (line.text, line.level) == ("ERROR: no", Level.ERROR)


def test_many_threads_may_write_while_others_read() -> None:
    output = ServerOutput(max_lines=100)

    def write(name: str) -> None:
        for number in range(500):
            output.keep(name, str(number))
            output.after(output.count - 10)

    with ThreadPoolExecutor(4) as pool:
        for writer in [pool.submit(write, name) for name in "abcd"]:
            writer.result()
    lines = output.after(0)
    assert output.count == 2000
    assert [line.number for line in lines] == sorted({line.number for line in lines})
    assert len(lines) == 400
