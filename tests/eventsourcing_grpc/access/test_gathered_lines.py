"""Tests for lines of a log that are written together."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from eventsourcing_grpc.access.gathered_lines import GatheredLines
from tests.waiting import DEADLINE, wait_until

PROGRAM = """
import logging, sys
from eventsourcing_grpc.access.gathered_lines import GatheredLines
logger = logging.getLogger("x")
logger.addHandler(GatheredLines(sys.stderr))
for number in range(1000):
    logger.error("line %d", number)
"""


class Stream(io.StringIO):
    """Counts how often it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        self.writes += 1
        if self.error is not None:
            raise self.error
        return super().write(text)


def logger_to(stream: io.StringIO) -> Callable[..., None]:
    handler = GatheredLines(stream)

    def log(message: str, *arguments: object) -> None:
        handler.handle(logging.LogRecord("test", logging.INFO, "", 0, message, arguments, None))

    return log


def test_lines_are_written_without_being_asked_for() -> None:
    stream = io.StringIO()
    log = logger_to(stream)
    log("line %d", 1)
    wait_until(lambda: stream.getvalue() == "line 1\n")
    log("line %d", 2)
    wait_until(lambda: stream.getvalue() == "line 1\nline 2\n")


def test_lines_of_many_threads_are_written_each_once_and_in_order() -> None:
    stream = Stream()
    log = logger_to(stream)

    def log_many(name: str) -> None:
        for number in range(2_000):
            log("%s %d", name, number)

    threads = [threading.Thread(target=log_many, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: stream.getvalue().count("\n") == 8_000)
    lines = stream.getvalue().splitlines()
    for name in "abcd":
        assert [line for line in lines if line[0] == name] == [f"{name} {n}" for n in range(2_000)]
    assert stream.writes < 1_000


def test_too_many_lines_do_not_wait_for_the_next_time() -> None:
    stream = io.StringIO()
    handler = GatheredLines(stream)
    record = logging.LogRecord("test", logging.INFO, "", 0, "line", (), None)
    for _ in range(10_000):
        handler.emit(record)
    assert stream.getvalue().startswith("line\n")


def test_end_of_a_program_writes_what_is_left() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ended.stderr.splitlines() == [f"line {number}" for number in range(1_000)]
    assert ended.returncode == 0


def test_stream_that_can_not_be_written_to_loses_only_what_comes_meanwhile() -> None:
    stream = Stream()
    stream.error = OSError("no space left on device")
    log = logger_to(stream)
    log("lost")
    wait_until(lambda: stream.writes == 1)
    stream.error = None
    log("kept")
    wait_until(lambda: stream.getvalue() == "kept\n")


def test_line_that_can_not_be_made_leaves_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = logger_to(stream)
    log("line %d", "one")
    log("line %d", 2)
    wait_until(lambda: stream.getvalue() == "line 2\n")
    assert "%d format" in capsys.readouterr().err
