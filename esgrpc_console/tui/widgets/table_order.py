"""Which items a table shows, and in which order. What they look like is left to the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

Key = TypeVar("Key")
SortValue: TypeAlias = float | str | None
"""What rows are ordered by. All of one column are of one type. None comes last."""


@dataclass(frozen=True)
class Order:
    """What rows are sorted by."""

    column: str
    is_descending: bool = False

    def by(self, column: str, *, is_number: bool) -> Order:
        """Returns the order that is wanted when a column is chosen: the greatest number first, the
        other way round when the column is chosen again."""
        if column == self.column:
            return Order(column, not self.is_descending)
        return Order(column, is_number)


def in_order(valued: Iterable[tuple[SortValue, Key]], order: Order) -> list[Key]:
    """Returns keys by their values. Those with the same value stay as they are."""
    pairs = list(valued)
    texts = [(value, key) for value, key in pairs if isinstance(value, str)]
    numbers = [(value, key) for value, key in pairs if isinstance(value, float | int)]
    texts.sort(key=lambda pair: pair[0].casefold(), reverse=order.is_descending)
    numbers.sort(key=lambda pair: pair[0], reverse=order.is_descending)
    return [
        *(key for _, key in texts),
        *(key for _, key in numbers),
        *(key for value, key in pairs if value is None),
    ]


def matcher(wanted: str) -> Callable[[str], bool]:
    """Returns what tells whether a text is let through by a filter: ``pay`` lets through what has
    it, in any case, ``!pay`` what doesn't."""
    is_refused = wanted.startswith("!")
    part = wanted.removeprefix("!").lower()

    def matches(text: str) -> bool:
        return not part or (part in text.lower()) is not is_refused

    return matches
