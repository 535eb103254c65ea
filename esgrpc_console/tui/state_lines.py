"""Lays out an aggregate's state at one version, with what has changed from the one before marked."""

from __future__ import annotations

import json
from collections.abc import Sequence

from esgrpc_console.system_view import AggregateView, words
from esgrpc_console.system_view.differences import MISSING, Difference, Side, differences
from esgrpc_console.system_view.json_values import quoted
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.tui.json_text import Kind, Line, Path, Piece, json_lines

MAX_CHANGES = 200
"""How many changes are listed."""
_EVERY_VERSION = ("version", "modified_on")
"""What is another at each version, and need not be told each time."""
_MAX_LENGTH = 60
_MAX_PATH_LENGTH = 40
_ADDED, _CHANGED, _REMOVED, _SAME = "+", "~", "-", " "
_KINDS = {_ADDED: Kind.ADDED, _CHANGED: Kind.CHANGED, _REMOVED: Kind.REMOVED, _SAME: Kind.PLAIN}


def state_lines(aggregate: AggregateView, before: AggregateView | None) -> list[Line]:
    """Returns what has changed, and then the whole state.

    :param before: the same aggregate at the version before. None: there is none.
    """
    changes = _changes(before.state, aggregate.state) if before is not None else ()
    lines: list[Line] = []
    if before is not None:
        title = f"changed from version {words.number(before.version)}"
        told = [change for change in changes or () if change.path not in _EVERY_VERSION]
        if changes is None:
            title += ": can't be told, one of the states is no JSON"
        elif not told:
            title += ": nothing"
        lines.append(_title(title))
        lines += [_change(change) for change in told[:MAX_CHANGES]]
        if len(told) > MAX_CHANGES:
            more = words.number(len(told) - MAX_CHANGES)
            lines.append(Line([(f"… and {more} more", Kind.QUIET)]))
        lines.append(Line())
    lines.append(_title(f"state at version {words.number(aggregate.version)}"))
    marks = {change.path: _mark(change) for change in changes or ()}
    for line in json_lines(aggregate.state):
        mark = marks.get(path_words(line.path), _SAME) if line.path is not None else _SAME
        lines.append(Line([(f"{mark} ", _KINDS[mark]), *line.pieces], line.path))
    return lines


def path_words(path: Path) -> str:
    """Writes keys and indexes as ``lines[2].price``, as differences are named."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _changes(before: str, after: str) -> Sequence[Difference] | None:
    try:
        earlier: JsonValue = json.loads(before)
        later: JsonValue = json.loads(after)
    except (ValueError, RecursionError):
        # Both are shown as they are, and that they can't be compared is said.
        return None
    return differences(earlier, later)


def _title(text: str) -> Line:
    return Line([(text, Kind.LABEL)])


def _change(change: Difference) -> Line:
    mark = _mark(change)
    path = words.line(change.path) or "(all of it)"
    if len(path) > _MAX_PATH_LENGTH:
        path = f"…{path[-_MAX_PATH_LENGTH + 1 :]}"
    pieces: list[Piece] = [(f"{mark} ", _KINDS[mark]), (f"{path}  ", Kind.KEY)]
    if change.before is not MISSING:
        pieces.append((_value(change.before), Kind.REMOVED if mark == _REMOVED else Kind.PLAIN))
    if mark == _CHANGED:
        pieces.append((" → ", Kind.CHANGED))
    if change.after is not MISSING:
        pieces.append((_value(change.after), _KINDS[mark]))
    return Line(pieces)


def _mark(change: Difference) -> str:
    if change.before is MISSING:
        return _ADDED
    return _REMOVED if change.after is MISSING else _CHANGED


def _value(side: Side) -> str:
    if side is MISSING:
        return ""
    text = quoted(side)
    text = words.line(text[: _MAX_LENGTH + 1])
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
