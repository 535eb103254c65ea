"""What is different between two JSON values, such as an aggregate's states at two versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from esgrpc_console.system_view.parameters import JsonValue


class Missing(Enum):
    """Stands where one of the two values has nothing."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
Side: TypeAlias = "JsonValue | Missing"


@dataclass(frozen=True)
class Difference:
    """One place that is different."""

    path: str
    """``lines[2].price``. Empty: the values as wholes. Names may have been written by anybody."""
    before: Side
    after: Side
    """MISSING: there is nothing there. Never so on both sides."""


def differences(before: JsonValue, after: JsonValue) -> tuple[Difference, ...]:
    """Returns the innermost places that are different, in the order of the later value.

    Elements that were added to a list or removed from it are told as such: those behind them are
    not different for having moved.
    """
    return tuple(_differences("", before, after))


def _differences(path: str, before: Side, after: Side) -> Iterator[Difference]:
    # Not by recursion: what comes from elsewhere may be deeper than Python's stack.
    pending: list[tuple[str, Side, Side]] = [(path, before, after)]
    while pending:
        path, before, after = pending.pop()
        inner: list[tuple[str, Side, Side]]
        if isinstance(before, dict) and isinstance(after, dict):
            inner = list(_members(path, before, after))
        elif isinstance(before, list) and isinstance(after, list):
            inner = list(_elements(path, before, after))
        else:
            if not _is_same(before, after):
                yield Difference(path, before, after)
            continue
        pending.extend(reversed(inner))


def _members(
    path: str, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> Iterator[tuple[str, Side, Side]]:
    for name in dict.fromkeys((*after, *before)):
        inner = f"{path}.{name}" if path else name
        yield inner, before.get(name, MISSING), after.get(name, MISSING)


def _elements(
    path: str, before: Sequence[JsonValue], after: Sequence[JsonValue]
) -> Iterator[tuple[str, Side, Side]]:
    """Pairs elements: what both lists begin and end with is the same, what is between is paired by place."""
    first = _common(before, after)
    rest = min(len(before), len(after)) - first
    last = min(rest, _common(before[::-1], after[::-1]))
    removed, added = before[first : len(before) - last], after[first : len(after) - last]
    for index in range(max(len(removed), len(added))):
        yield (
            f"{path}[{first + index}]",
            removed[index] if index < len(removed) else MISSING,
            added[index] if index < len(added) else MISSING,
        )


def _common(one: Sequence[JsonValue], other: Sequence[JsonValue]) -> int:
    """Returns with how many equal elements two lists begin."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if not _is_same(left, right):
            break
        count += 1
    return count


def _is_same(before: Side, after: Side) -> bool:
    if isinstance(before, Missing) or isinstance(after, Missing):
        return before is after
    if before != after:
        return False
    # In Python, but not in JSON, 1, 1.0 and true are equal.
    if isinstance(before, (str, type(None))):
        return True
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
