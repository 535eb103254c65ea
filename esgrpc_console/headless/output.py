"""What commands write: data on standard output, words about it on standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_values import JsonValue, write_json

_PROGRAM = "esgrpc-console"
_GAP = "  "
_RESET = "\x1b[0m"


class Style(Enum):
    """How something looks on a terminal that has colours. It is always told by words as well."""

    PLAIN = ""
    GOOD = "\x1b[32m"
    NOTICE = "\x1b[33m"
    BAD = "\x1b[31m"
    QUIET = "\x1b[2m"
    HEADING = "\x1b[1m"


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    heading: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """A text in a table."""

    text: str
    style: Style = Style.PLAIN


class Output:
    """Writes for a person, or JSON for a program."""

    def __init__(
        self, *, is_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.is_json = is_json
        self.stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self.is_terminal = self.stdout.isatty()
        self._progress = ""
        self._has_colours = self.is_terminal and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int:
        """How many characters a line may have: any number where there is no terminal."""
        return shutil.get_terminal_size().columns if self.is_terminal else sys.maxsize

    def write_json(self, value: JsonValue) -> None:
        """Writes a value as JSON, in ASCII and on one line."""
        self._write(json.dumps(value))

    def write_line(self, text: str, style: Style = Style.PLAIN) -> None:
        """Writes text from anywhere on a line of its own, no longer than the terminal is wide."""
        self._write(self._styled(_shortened(words.line(text), self.width), style))

    def write_value(self, value: JsonValue) -> None:
        """Writes a value as JSON for a person, on as many lines as it takes."""
        self._write(write_json(value))

    def write_table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
        """Writes a table whose columns are as wide as what is in them. The last one is shortened."""
        heading = [Cell(column.heading, Style.HEADING) for column in columns]
        table = [
            heading,
            *([Cell(words.line(cell.text), cell.style) for cell in row] for row in rows),
        ]
        widths = [max(_width(row[index].text) for row in table) for index in range(len(columns))]
        for row in table:
            self._write(self._table_line(columns, widths, row))

    def begin_anew(self) -> None:
        """Clears the terminal; elsewhere leaves an empty line between what is written for people."""
        if not self.is_json:
            self._write("\x1b[H\x1b[2J" if self.is_terminal else "")

    def flush(self) -> None:
        """Lets the reader have what was written."""
        self.stdout.flush()

    def complain(self, text: str) -> None:
        """Writes text from anywhere to standard error."""
        self._stderr.write(f"{_PROGRAM}: {words.line(text)}\n")

    def complain_plainly(self, text: str) -> None:
        """Writes text from anywhere to standard error, and nothing before it."""
        self._stderr.write(f"{words.line(text)}\n")

    def complain_in_json(self, value: JsonValue) -> None:
        """Writes a value to standard error, for a program."""
        self._stderr.write(f"{json.dumps(value)}\n")

    def show_progress(self, text: str) -> None:
        """Shows on standard error how far a command is, where that is a terminal. Empty: clears it."""
        if text != self._progress and self._stderr.isatty():
            self._progress = text
            width = shutil.get_terminal_size().columns - 1
            self._stderr.write(f"\r\x1b[K{_shortened(words.line(text), width)}")
            self._stderr.flush()

    def _write(self, text: str) -> None:
        self.stdout.write(f"{text}\n")

    def _table_line(
        self, columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell]
    ) -> str:
        left = self.width
        parts = []
        for index, (column, width, cell) in enumerate(zip(columns, widths, row, strict=True)):
            is_last = index == len(columns) - 1
            text = _shortened(cell.text, max(left, 1)) if is_last else cell.text
            blank = " " * max(0, width - _width(text))
            styled = self._styled(text, cell.style)
            if column.is_number:
                styled = blank + styled
            elif not is_last:
                styled += blank
            parts.append(styled)
            left -= width + len(_GAP)
        return _GAP.join(parts).rstrip()

    def _styled(self, text: str, style: Style) -> str:
        if not self._has_colours or style is Style.PLAIN or not text:
            return text
        return f"{style.value}{text}{_RESET}"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def _shortened(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept = text[:width]
    while kept and _width(kept) >= width:
        kept = kept[:-1]
    return f"{kept}…"
