"""Consoles to measure: this library's in a real terminal, and beside it another program like it."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installations import Installation
from benchmarks.terminal import Terminal

IS_LIVE = "● live"
SERVING = "● serving"
_FOLLOWINGS = 4
_PROGRAM = [sys.executable, "-m", "esgrpc_console"]
_POSTING_SCREEN = "Collection is empty"


@contextmanager
def _own_directories() -> Iterator[dict[str, str]]:
    """Directories of a person who has neither configuration nor history."""
    with tempfile.TemporaryDirectory() as directory:
        variables = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
        yield dict.fromkeys(variables, directory)


@contextmanager
def console(*arguments: str) -> Iterator[Terminal]:
    """Opens this library's console."""
    with _own_directories() as env, Terminal([*_PROGRAM, *arguments], env=env) as terminal:
        yield terminal


@contextmanager
def posting_console(installation: Installation) -> Iterator[Terminal]:
    """Opens the other program on an empty collection."""
    with _own_directories() as env:
        command: list[str | Path] = [
            installation.python.with_name("posting"),
            "--collection",
            Path(env["HOME"]),
        ]
        with Terminal(command, env=env, directory=Path(env["HOME"])) as terminal:
            yield terminal


def wait_for_example(terminal: Terminal) -> float:
    """Waits until the example system is seen to be live, and returns when that was drawn."""
    return terminal.wait_until(
        lambda text: text.count(IS_LIVE) == _FOLLOWINGS, "a live example system"
    )


def wait_for_posting(terminal: Terminal) -> float:
    """Waits for the other program's first complete screen, and returns when that was drawn."""
    return terminal.wait_for(_POSTING_SCREEN)


def has_row(notification_id: int) -> re.Pattern[str]:
    """Returns the pattern of an event's line in a log: its ID, then a time."""
    return re.compile(rf"^\W*{notification_id:,}\s+(?:\d+-\d+-\d+ )?\d\d:\d\d:\d\d", re.MULTILINE)
