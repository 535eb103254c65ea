"""Where in an event's state something is mentioned, in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterator

from esgrpc_console.system_view.parameters import JsonValue
from eventsourcing_grpc.reading.search_text import SearchText

_MAX_LENGTH = 60
_MAX_PATH_LENGTH = 40
_MAX_STATE_LENGTH = 200_000
# What every event has, and its list shows in columns of their own.
_EVERY_EVENT = ("originator_id", "originator_version", "timestamp")


def find_mention(state: str, text: str) -> str:
    """Returns the first attribute that mentions a text, and its value: ``order_id 7b1c4f0e-…``.

    Empty: nothing does but what every event has, or the state is too long to be looked through.
    Both may have been written by anybody.

    :param state: a JSON object.
    """
    if not state or not text or len(state) > _MAX_STATE_LENGTH:
        return ""
    try:
        value: JsonValue = json.loads(state)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    wanted = SearchText.of(text)
    for name, inner in value.items():
        if name in _EVERY_EVENT:
            continue
        for path, found in _leaves(name, inner):
            if wanted.is_in_text(found):
                return f"{_shorten(path, _MAX_PATH_LENGTH)} {_around(found, wanted)}"
            if wanted.is_in_text(path):
                return f"{_shorten(path, _MAX_PATH_LENGTH)} {_shorten(found, _MAX_LENGTH)}"
    return ""


def _leaves(path: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, JsonValue]] = [(path, value)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((f"{path}.{key}", inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            inners = list(enumerate(value))
            pending.extend((f"{path}[{index}]", inner) for index, inner in reversed(inners))
        else:
            yield path, value if isinstance(value, str) else json.dumps(value)


def _around(text: str, wanted: SearchText) -> str:
    """Returns a text, or as much of it as there is room for with what is wanted in the middle."""
    if len(text) <= _MAX_LENGTH:
        return text
    folded = text.casefold()
    at = min(position for form in wanted.forms if (position := folded.find(form)) >= 0)
    start = max(0, min(at - _MAX_LENGTH // 3, len(text) - _MAX_LENGTH))
    end = start + _MAX_LENGTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
