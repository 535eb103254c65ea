"""Lays out JSON from elsewhere as lines to read: what each part is, and where in the whole it stands.

Works on the text, not on values: numbers stay as they were sent, and only as much of a long text is
looked at as is to be shown.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import Enum

from esgrpc_console.system_view import words

MAX_CHARACTERS = 100_000
"""How much is shown of a text."""
MAX_STRING = 1_000
"""How much of one string is shown."""

_INDENT = "  "
_MAX_DEPTH = 32
"""Beyond it, nothing is indented any further, and no value has a path."""
_TOKEN = re.compile(r'\s*("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}\[\],:]|[^\s{}\[\],:"]+)', re.DOTALL)
"""The next part of JSON, or of what is none. A string may have lost its end."""
_BACKSLASH = "\\"
_NUMBER = re.compile(r"-?\d")


class Kind(Enum):
    """What a piece of text is. The value names the style that it is drawn in."""

    PLAIN = "plain"
    TITLE = "title"
    LABEL = "label"
    KEY = "key"
    STRING = "string"
    NUMBER = "number"
    WORD = "word"
    """``true``, ``false`` and ``null``."""
    QUIET = "quiet"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    ERROR = "error"


Piece = tuple[str, Kind]
Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""


@dataclass
class Line:
    """One line, in pieces."""

    pieces: list[Piece] = field(default_factory=list)
    path: Path | None = None
    """Of the value that begins on this line. None: none does."""

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(text for text, _ in self.pieces)


def plain_lines(text: str, kind: Kind = Kind.PLAIN) -> list[Line]:
    """Returns text from elsewhere, line by line."""
    return [Line([(line, kind)]) for line in words.block(text).split("\n")]


def json_lines(text: str, *, max_characters: int = MAX_CHARACTERS) -> list[Line]:
    """Returns JSON laid out: a line a member.

    What is no JSON is laid out as far as it can be told apart. Where not all is shown, the last
    line says how much is.
    """
    layout = _Layout()
    end = 0
    for match in _TOKEN.finditer(text):
        if layout.characters >= max_characters:
            break
        layout.add(match.group(1))
        end = match.end()
    lines = layout.finished()
    if text[end : end + 1_000].strip():
        note = f"… the first {words.number(end)} of {words.number(len(text))} characters"
        lines.append(Line([(note, Kind.QUIET)]))
    return lines


def laid_out(text: str) -> str:
    """Returns all of JSON laid out, with every string and number as it was written."""
    layout = _Layout(is_exact=True)
    for match in _TOKEN.finditer(text):
        layout.add(match.group(1))
    return "\n".join(line.text for line in layout.finished())


@dataclass
class _Container:
    is_object: bool
    index: int = 0
    key: str = ""
    is_key_next: bool = True


class _Layout:
    """Takes one token after another."""

    def __init__(self, *, is_exact: bool = False) -> None:
        self._is_exact = is_exact
        self.lines: list[Line] = []
        self.characters = 0
        """How many have been laid out."""
        self._line = Line()
        self._open: list[_Container] = []
        self._is_just_opened = False

    def add(self, token: str) -> None:
        match token:
            case "{" | "[":
                self._begin_value()
                self._put(token, Kind.QUIET)
                self._open.append(_Container(is_object=token == "{"))
                self._is_just_opened = True
            case "}" | "]":
                if self._open:
                    self._open.pop()
                if not self._is_just_opened:
                    self._break()
                self._is_just_opened = False
                self._put(token, Kind.QUIET)
            case ",":
                self._put(token, Kind.QUIET)
                if self._open:
                    container = self._open[-1]
                    container.index += 1
                    container.is_key_next = True
                self._break()
            case ":":
                self._put(": ", Kind.QUIET)
                if self._open:
                    self._open[-1].is_key_next = False
            case _:
                self._add_scalar(token)

    def finished(self) -> list[Line]:
        if self._line.pieces:
            self.lines.append(self._line)
        return self.lines

    def _add_scalar(self, token: str) -> None:
        container = self._open[-1] if self._open else None
        if container is not None and container.is_object and container.is_key_next:
            self._break_if_just_opened()
            container.key = _unquoted(token)
            self._put(self._shown(token), Kind.KEY)
            return
        self._begin_value()
        if token.startswith('"'):
            self._put(self._shown(token), Kind.STRING)
        elif token in {"true", "false", "null"}:
            self._put(token, Kind.WORD)
        elif _NUMBER.match(token):
            self._put(self._shown(token), Kind.NUMBER)
        else:
            self._put(self._shown(token), Kind.PLAIN)

    def _shown(self, token: str) -> str:
        return token if self._is_exact else _shown_token(token)

    def _begin_value(self) -> None:
        container = self._open[-1] if self._open else None
        if container is not None and not container.is_object:
            self._break_if_just_opened()
        if len(self._open) <= _MAX_DEPTH:
            self._line.path = tuple(
                container.key if container.is_object else container.index
                for container in self._open
            )

    def _break_if_just_opened(self) -> None:
        if self._is_just_opened:
            self._is_just_opened = False
            self._break()

    def _break(self) -> None:
        if self._line.pieces:
            self.lines.append(self._line)
        self._line = Line()

    def _put(self, text: str, kind: Kind) -> None:
        if not self._line.pieces:
            indent = _INDENT * min(len(self._open), _MAX_DEPTH)
            if indent:
                self._line.pieces.append((indent, Kind.PLAIN))
        self._line.pieces.append((text, kind))
        self.characters += len(text)


def _shown_token(token: str) -> str:
    """Writes a string or number for people: what can be read is not escaped."""
    cut = ""
    if len(token) > MAX_STRING:
        cut = f" … {words.number(len(token) - 2)} characters"
        token = f'{token[: MAX_STRING - 1].rstrip(_BACKSLASH)}"'
    if "\\u" in token:
        token = _readable(token)
    return words.line(token) + cut


def _readable(token: str) -> str:
    try:
        return json.dumps(json.loads(token, strict=False), ensure_ascii=False)
    except ValueError:
        # Cut in the middle of an escape, or no JSON: shown as it is.
        return token


def _unquoted(token: str) -> str:
    try:
        value: object = json.loads(token, strict=False)
    except ValueError:
        # No JSON: its own text leads to it.
        return token
    return value if isinstance(value, str) else token
