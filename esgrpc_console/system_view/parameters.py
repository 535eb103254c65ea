"""A method's parameters in words, and arguments from what a person has typed on a command line.

Validation is left to the server: it alone knows the types.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.system_view.json_values import ABSENT, JsonObject, JsonValue

__all__ = [
    "JsonObject",
    "JsonValue",
    "Parameter",
    "argument_from_text",
    "parameters_from_schema",
]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method."""

    name: str
    is_required: bool = True
    default: str = ""
    """As JSON. Empty: there is none."""
    type_words: str = "any"
    """The type as a person says it: ``UUID``, ``list[int]``, ``str | None``."""
    types: frozenset[str] = field(default_factory=frozenset)
    """JSON types it may have. Empty: any."""
    is_plain_text: bool = False
    """Whether any text at all will do, the empty one included."""


def parameters_from_schema(schema_text: str) -> tuple[Parameter, ...]:
    """Returns the parameters that a JSON Schema of an object tells of.

    A schema that isn't one tells of none: the server says what is wrong with a call.
    """
    return tuple(
        Parameter(
            name=parameter.name,
            is_required=parameter.is_required,
            default="" if parameter.default is ABSENT else json.dumps(parameter.default),
            type_words=parameter.type.words,
            types=parameter.type.json_types,
            is_plain_text=parameter.type.takes_any_text,
        )
        for parameter in ArgumentsType(schema_text).fields
    )


def argument_from_text(parameter: Parameter, text: str) -> tuple[bool, JsonValue]:
    """Returns whether an argument is to be sent for what was typed, and the argument.

    Text stays text wherever the parameter takes text, so that ``1.10`` for a Decimal keeps its
    last digit; otherwise it is read as JSON, and what is no JSON is sent as text for the server
    to say what is wrong with it.
    """
    if not text and not (parameter.is_plain_text and parameter.is_required):
        return False, None
    if "string" in parameter.types:
        return True, text
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return True, text
    return True, value
