"""Whether JSON fits a type, from the outside: what forms can show, and how digits are kept."""

from __future__ import annotations

from collections.abc import Iterable

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_text import (
    ONE_LINE,
    DoesNotFitError,
    shortened,
    text_from_value,
)
from esgrpc_console.system_view.json_schema import ArgumentField, ArgumentsType, ArgumentType, Kind
from esgrpc_console.system_view.json_values import (
    JsonObject,
    JsonValue,
    WrittenFloat,
    quoted,
)

MAX_DEPTH = 3
"""Beyond it, what is nested is written as JSON."""
MAX_ITEMS = 50
"""Lists of more are written as JSON."""
_MAX_LOOKED_AT = 10
"""How deep it is looked for what doesn't fit."""


def misfit(type: ArgumentType, value: JsonValue, *, depth: int = 0, place: str = "") -> str:
    """Returns why a form can't show a value of a type, in a few words. Empty: it can.

    :param depth: how deep in the arguments the value is.
    :param place: what the value is called.
    """
    if value is None:
        is_fit = type.is_nullable or type.kind is Kind.ANY
        return "" if is_fit else f"{place}: null is no {type.words}"
    if depth >= MAX_DEPTH and type.kind not in ONE_LINE | {Kind.CHOICE, Kind.BOOLEAN}:
        return ""
    if type.kind in ONE_LINE:
        return _misfit_of_text(type, value, place)
    match type.kind:
        case Kind.CHOICE:
            is_fit = any(is_same(choice, value) for choice in type.choices)
        case Kind.BOOLEAN:
            is_fit = isinstance(value, bool)
        case Kind.MAPPING:
            is_fit = isinstance(value, dict)
        case Kind.UNION:
            return _misfit_of_union(type, value, depth, place)
        case Kind.LIST if isinstance(value, list):
            if len(value) > MAX_ITEMS:
                return f"{place}: {words.count(len(value), 'item')} are more than the form shows"
            return _first(
                misfit(type.items, item, depth=depth + 1, place=f"{place}[{i}]")
                for i, item in enumerate(value)
            )
        case Kind.TUPLE if isinstance(value, list) and len(value) == len(type.fields):
            return _first(
                misfit(field.type, item, depth=depth + 1, place=f"{place}[{i}]")
                for i, (field, item) in enumerate(zip(type.fields, value, strict=True))
            )
        case Kind.OBJECT if isinstance(value, dict):
            return misfit_of_members(type, value, depth=depth + 1, place=place)
        case _:
            is_fit = False
    return "" if is_fit else f"{place}: {shortened(quoted(value))} is no {type.words}"


def misfit_of_members(
    type: ArgumentType, value: JsonObject, *, depth: int = 0, place: str = ""
) -> str:
    """Returns why a form can't show the members of an object. Empty: it can.

    :param depth: how deep in the arguments the members are.
    """
    fields = {field.name: field for field in type.fields}
    dot = f"{place}." if place else ""
    extra = type.extra if isinstance(type, ArgumentsType) else None
    for name, member in value.items():
        field = fields.get(name)
        if field is not None:
            wrong = _misfit_of_field(field, member, depth, f"{dot}{name}")
        else:
            wrong = "" if extra else f"{dot}{name}: there is no such name"
        if wrong:
            return wrong
    return ""


def fits(type: ArgumentType, value: JsonValue) -> bool:
    """Tells whether a value looks like one of a type."""
    return not misfit(type, value)


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Tells whether two values are the same in JSON: true is not 1."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def without_secrets(type: ArgumentType, arguments: JsonObject) -> JsonObject:
    """Returns arguments less those that have something secret in them."""
    secret = {field.name for field in type.fields if _has_secret(field.type)}
    return {name: value for name, value in arguments.items() if name not in secret}


def with_digits(type: ArgumentType, value: JsonValue, depth: int = 0) -> JsonValue:
    """Returns a value in which decimals are the text that was written."""
    if depth > _MAX_LOOKED_AT:
        return value
    match value:
        case WrittenFloat() if type.kind is Kind.DECIMAL:
            return value.text
        case list() if type.kind is Kind.LIST:
            return [with_digits(type.items, item, depth + 1) for item in value]
        case list() if type.kind is Kind.TUPLE and len(value) == len(type.fields):
            pairs = zip(type.fields, value, strict=True)
            return [with_digits(field.type, item, depth + 1) for field, item in pairs]
        case dict() if type.kind is Kind.OBJECT:
            types = {field.name: field.type for field in type.fields}
            return {
                name: with_digits(types[name], item, depth + 1) if name in types else item
                for name, item in value.items()
            }
        case _ if type.kind is Kind.UNION:
            variant = next((one for one in type.variants if fits(one, value)), None)
            return with_digits(variant, value, depth + 1) if variant else value
        case _:
            return value


def _has_secret(type: ArgumentType, depth: int = 0) -> bool:
    if depth > MAX_DEPTH:
        return False
    match type.kind:
        case Kind.LIST:
            return _has_secret(type.items, depth + 1)
        case Kind.UNION:
            return any(_has_secret(variant, depth + 1) for variant in type.variants)
        case Kind.OBJECT | Kind.TUPLE:
            return any(_has_secret(field.type, depth + 1) for field in type.fields)
        case _:
            return type.is_secret


def _misfit_of_field(field: ArgumentField, value: JsonValue, depth: int, place: str) -> str:
    if value is None and field.default is None and not field.is_required:
        return ""
    return misfit(field.type, value, depth=depth, place=place)


def _misfit_of_text(type: ArgumentType, value: JsonValue, place: str) -> str:
    try:
        text = text_from_value(type, value)
    except DoesNotFitError as e:
        return f"{place}: {e}"
    if words.block(text) != text:
        return f"{place}: has control characters, which only JSON can show"
    return ""


def _misfit_of_union(type: ArgumentType, value: JsonValue, depth: int, place: str) -> str:
    if any(not misfit(variant, value, depth=depth + 1) for variant in type.variants):
        return ""
    return f"{place}: {shortened(quoted(value))} is no {type.words}"


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")
