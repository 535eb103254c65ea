"""A method's parameters as JSON Schema tells them, and arguments from what a person has typed.

Validation is left to the server: it alone knows the types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

_FORMAT_WORDS = {
    "uuid": "UUID",
    "date-time": "datetime",
    "date": "date",
    "time": "time",
    "duration": "timedelta",
    "binary": "bytes",
}
_TYPE_WORDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_MAX_REFERENCES = 20


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
    try:
        schema = json.loads(schema_text) if schema_text else {}
    except ValueError:
        return ()
    if not isinstance(schema, dict):
        return ()
    properties = schema.get("properties")
    required = schema.get("required")
    definitions = schema.get("$defs")
    return tuple(
        _parameter(
            name,
            property_schema if isinstance(property_schema, dict) else {},
            is_required=isinstance(required, list) and name in required,
            definitions=definitions if isinstance(definitions, dict) else {},
        )
        for name, property_schema in (properties.items() if isinstance(properties, dict) else ())
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


def _parameter(
    name: str, schema: JsonObject, *, is_required: bool, definitions: JsonObject
) -> Parameter:
    alternatives = tuple(_alternatives(schema, definitions))
    types = {kind for alternative in alternatives for kind in _types(alternative)}
    is_any = any(not _types(alternative) for alternative in alternatives)
    words = dict.fromkeys(_words(alternative, definitions) for alternative in alternatives)
    return Parameter(
        name=name,
        is_required=is_required,
        default=json.dumps(schema["default"]) if "default" in schema else "",
        type_words=" | ".join(words) or "any",
        types=frozenset() if is_any else frozenset(types),
        is_plain_text=any(_is_plain_text(alternative) for alternative in alternatives),
    )


def _alternatives(
    schema: JsonObject, definitions: JsonObject, depth: int = 0
) -> Iterator[JsonObject]:
    reference = schema.get("$ref")
    if isinstance(reference, str) and depth < _MAX_REFERENCES:
        referred = definitions.get(reference.rpartition("/")[2])
        if isinstance(referred, dict):
            yield from _alternatives(referred, definitions, depth + 1)
            return
    for keyword in ("anyOf", "oneOf", "allOf"):
        options = schema.get(keyword)
        if isinstance(options, list) and depth < _MAX_REFERENCES:
            for option in options:
                if isinstance(option, dict):
                    yield from _alternatives(option, definitions, depth + 1)
            return
    yield schema


def _types(schema: JsonObject) -> list[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return [kind]
    if isinstance(kind, list):
        return [one for one in kind if isinstance(one, str)]
    return []


def _words(schema: JsonObject, definitions: JsonObject) -> str:
    options = schema.get("enum")
    if isinstance(options, list) and options:
        return " | ".join(json.dumps(option) for option in options)
    if "const" in schema:
        return json.dumps(schema["const"])
    kind_format = schema.get("format")
    if isinstance(kind_format, str) and kind_format in _FORMAT_WORDS:
        return _FORMAT_WORDS[kind_format]
    return " | ".join(_type_words(kind, schema, definitions) for kind in _types(schema)) or "any"


def _type_words(kind: str, schema: JsonObject, definitions: JsonObject) -> str:
    if kind == "array":
        items = schema.get("items")
        if isinstance(items, dict):
            inner = dict.fromkeys(
                _words(item, definitions) for item in _alternatives(items, definitions, 1)
            )
            return f"list[{' | '.join(inner)}]"
        return "list"
    if kind == "object":
        title = schema.get("title")
        is_model = isinstance(schema.get("properties"), Mapping)
        return title if is_model and isinstance(title, str) else "dict"
    return _TYPE_WORDS.get(kind, kind)


def _is_plain_text(schema: JsonObject) -> bool:
    restricting = ("format", "pattern", "enum", "const", "minLength")
    return _types(schema) == ["string"] and not any(key in schema for key in restricting)
