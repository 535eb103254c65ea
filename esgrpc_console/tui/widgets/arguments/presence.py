"""Whether an argument is given: its default, None or a value; and the words for that."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_text import shortened
from esgrpc_console.system_view.json_schema import ArgumentField, Kind
from esgrpc_console.system_view.json_values import ABSENT, quoted

BLOCKS = frozenset({Kind.LIST, Kind.TUPLE, Kind.OBJECT, Kind.MAPPING, Kind.UNION})
"""Kinds of what takes lines of its own."""
_CHOICES = frozenset({Kind.CHOICE, Kind.BOOLEAN, Kind.NONE})


class Presence(Enum):
    """Whether there is a value. The value of the member is the word for it."""

    DEFAULT = "default"
    NONE = "None"
    VALUE = "value"


def presences_of(field: ArgumentField) -> Sequence[Presence]:
    """Returns what can be chosen from. What begins is first."""
    kind = field.type.kind
    if kind in _CHOICES:
        # They have it among their choices.
        return (Presence.VALUE,)
    can_be_none = field.type.is_nullable and not is_none_default(field)
    none = (Presence.NONE,) if can_be_none else ()
    if field.is_required or not (kind is Kind.TEXT or kind in BLOCKS):
        # Where nothing is written on a line, nothing is given.
        return (Presence.VALUE, *none)
    return (Presence.DEFAULT, *none, Presence.VALUE)


def is_none_default(field: ArgumentField) -> bool:
    """Tells whether an argument is None where it isn't given."""
    return not field.is_required and field.default is None


def presence_words(field: ArgumentField, presence: Presence) -> str:
    """Returns the word for a choice."""
    if presence is Presence.DEFAULT and is_none_default(field):
        return Presence.NONE.value
    if presence is Presence.VALUE and field.type.kind is Kind.TEXT:
        return "text"
    return presence.value


def absent_words(field: ArgumentField, presence: Presence) -> str:
    """Returns what an argument is that has no value of its own."""
    if presence is Presence.NONE or is_none_default(field):
        return Presence.NONE.value
    return "not given" if field.default is ABSENT else default_words(field)


def empty_words(field: ArgumentField) -> str:
    """Returns what an argument is as long as nothing is written."""
    if field.default is not ABSENT and len(presences_of(field)) == 1:
        return f"default {default_words(field)}"
    if field.type.kind is Kind.TEXT:
        return "empty text"
    return "required" if field.is_required else "optional"


def default_words(field: ArgumentField) -> str:
    """Returns a default on one line. Text has quotes, where it may be anything."""
    default = field.default
    if default is None or default is ABSENT:
        return Presence.NONE.value
    if isinstance(default, str) and field.type.kind is not Kind.TEXT:
        return words.line(shortened(default))
    return words.line(shortened(quoted(default)))
