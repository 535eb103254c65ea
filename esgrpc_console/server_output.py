"""What servers' processes write to standard error, the newest lines of each. Showing it is left to others."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import merge
from itertools import takewhile

MAX_LINES = 5_000
"""How many lines of each server are kept."""
MAX_CHARACTERS = 4_000_000
"""How long they may be together."""
MAX_LINE = 20_000
"""How long one may be. What is longer is cut, and says so."""

# A log record says its level near its beginning, behind the time at most.
_LEVEL = re.compile(r"^[^a-z]{0,40}?\b(DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


class Level(IntEnum):
    """How important a line is."""

    NONE = 0
    """It is no log record."""
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4


_LEVELS = {
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "WARN": Level.WARNING,
    "WARNING": Level.WARNING,
    "ERROR": Level.ERROR,
    "CRITICAL": Level.ERROR,
    "FATAL": Level.ERROR,
}


@dataclass(frozen=True)
class OutputLine:
    """One line that a server's process, or this one's logging, has written."""

    number: int
    """Counts the lines of all of them, from 1."""
    application: str
    """Empty: it is this process's."""
    text: str
    level: Level = Level.NONE
    """That of the log record that it is a part of: a traceback belongs to the record before it."""


def level_of(text: str) -> tuple[Level, int, int]:
    """Returns the level that a line says it has, and between which characters it says that."""
    match = _LEVEL.match(text)
    if match is None:
        return Level.NONE, 0, 0
    return _LEVELS[match.group(1)], *match.span(1)


class ServerOutput:
    """Keeps the newest lines of each server. May be used by many threads at once."""

    def __init__(self, *, max_lines: int = MAX_LINES, max_characters: int = MAX_CHARACTERS) -> None:
        """
        :param max_lines: how many are kept of each server.
        :param max_characters: how long they may be together.
        """
        self._max_lines = max_lines
        self._max_characters = max_characters
        self._lines: dict[str, deque[OutputLine]] = {}
        self._characters: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._count = 0
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many lines there have been: the number of the newest."""
        return self._count

    def keep(self, application: str, text: str) -> None:
        """Keeps a line, and lets the oldest of its server go where there is no room."""
        text = _COLOURS.sub("", text)
        if len(text) > MAX_LINE:
            text = f"{text[:MAX_LINE]} … ({len(text) - MAX_LINE:,} more characters)"
        level, _, _ = level_of(text)
        with self._lock:
            lines = self._lines.setdefault(application, deque())
            if level is Level.NONE and lines and text:
                level = lines[-1].level
            self._count += 1
            self._counts[application] = self._counts.get(application, 0) + 1
            lines.append(OutputLine(self._count, application, text, level))
            characters = self._characters.get(application, 0) + len(text)
            while len(lines) > self._max_lines or (
                characters > self._max_characters and len(lines) > 1
            ):
                characters -= len(lines.popleft().text)
            self._characters[application] = characters

    def after(self, number: int) -> Sequence[OutputLine]:
        """Returns the lines that are kept of those behind a number, the oldest first."""
        with self._lock:
            newer = [
                list(takewhile(lambda line: line.number > number, reversed(lines)))
                for lines in self._lines.values()
            ]
        return list(merge(*(lines[::-1] for lines in newer), key=lambda line: line.number))

    def dropped(self, application: str | None = None) -> int:
        """Returns how many lines are not kept any more: of one server, or of all."""
        with self._lock:
            names = self._counts if application is None else (application,)
            return sum(self._counts.get(name, 0) - len(self._lines.get(name, ())) for name in names)
