"""Arguments as a person writes them on one line: to JSON and back, with light checks as they type.

The checks find what a server would surely refuse, and no more: the server's word is the last.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from uuid import UUID

from esgrpc_console.system_view.json_schema import ArgumentType, Kind
from esgrpc_console.system_view.json_values import (
    ABSENT,
    JsonProblem,
    JsonValue,
    MaybeJson,
    WrittenFloat,
    quoted,
    read_json,
)

ONE_LINE = frozenset(
    {
        Kind.TEXT,
        Kind.INTEGER,
        Kind.NUMBER,
        Kind.DECIMAL,
        Kind.UUID,
        Kind.DATE,
        Kind.TIME,
        Kind.DATETIME,
        Kind.DURATION,
        Kind.BYTES,
        Kind.ANY,
    }
)
"""Kinds that are written on one line."""

FORMS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.DATE: "YYYY-MM-DD",
        Kind.TIME: "HH:MM:SS",
        Kind.DATETIME: "YYYY-MM-DDTHH:MM:SS+00:00",
        Kind.DURATION: "HH:MM:SS or P1DT2H",
        Kind.BYTES: "base64",
        Kind.ANY: "text, or JSON",
    }
)
"""How values of a kind are written, where that isn't plain."""

_INTEGER = re.compile(r"[+-]?\d+(?:_\d+)*(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,999})", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,999})(?:\.\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_MAX_CHECKED = 10_000
_DURATION = re.compile(
    r"[+-]?P(?!$)(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?"
    r"|[+-]?(?:\d+ ?d(?:ays?)?,? ?)?\d+:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?"
    r"|[+-]?\d+ ?d(?:ays?)?",
    re.IGNORECASE | re.ASCII,
)


class DoesNotFitError(Exception):
    """Raised when a value can't be written where it should be. The text says why."""


def value_from_text(type: ArgumentType, text: str) -> MaybeJson:
    """Returns the value that a text stands for: text as it is wherever it isn't a number.

    What is no number where one is wanted is text too, for the server to say what is wrong with it.
    An empty text is a value of a type that takes any text only.
    """
    if not text and type.kind is not Kind.TEXT:
        return ABSENT
    match type.kind:
        case Kind.INTEGER if _PLAIN_INTEGER.fullmatch(text.strip()):
            return int(text)
        case Kind.NUMBER if _PLAIN_NUMBER.fullmatch(text.strip()):
            return _number(text.strip())
        case Kind.ANY:
            try:
                return read_json(text)
            except JsonProblem:
                return text
        case _:
            return text


def text_from_value(type: ArgumentType, value: JsonValue) -> str:
    """Returns the text that stands for a value.

    :raises DoesNotFitError: when no text does.
    """
    if type.kind is Kind.ANY:
        is_text = isinstance(value, str) and value_from_text(type, value) == value
        return value if isinstance(value, str) and is_text else quoted(value)
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool | list | dict) or value is None:
        raise DoesNotFitError(f"{shortened(quoted(value))} is no {type.kind.value}")
    elif isinstance(value, WrittenFloat):
        text = value.text
    else:
        text = repr(value)
    if not isinstance(value, str) and type.kind not in _NUMERIC:
        raise DoesNotFitError(f"{shortened(text)} is no {type.kind.value}")
    if type.kind is not Kind.DECIMAL and value_from_text(type, text) != value:
        raise DoesNotFitError(f"{shortened(quoted(value))} is no {type.kind.value}")
    return text


def problem_with_text(type: ArgumentType, text: str) -> str:
    """Returns in a few words what is wrong with what was typed so far. Empty: nothing is known."""
    if not text and type.kind is not Kind.TEXT:
        return ""
    if len(text) > _MAX_CHECKED:
        # It is checked at each key: the server will look at it in any case.
        return ""
    check = _CHECKS.get(type.kind)
    wrong = check(text.strip()) if check else ""
    return wrong or _problem_with_limits(type, text)


_NUMERIC = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.DECIMAL})


def _number(text: str) -> JsonValue:
    if text.lstrip("-").isdigit():
        return int(text)
    return WrittenFloat(text) if math.isfinite(float(text)) else text


def _problem_with_integer(text: str) -> str:
    return "" if _INTEGER.fullmatch(text) else "not a whole number"


def _problem_with_number(text: str) -> str:
    return "" if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text) else "not a number"


def _problem_with_decimal(text: str) -> str:
    try:
        Decimal(text)
    except InvalidOperation:
        return "not a decimal number"
    return ""


def _problem_with_uuid(text: str) -> str:
    try:
        UUID(text)
    except ValueError:
        digits = sum(character in "0123456789abcdefABCDEF" for character in text)
        if digits < 32 and re.fullmatch(r"[0-9a-fA-F-]*", text):
            return f"not a whole UUID yet: {digits} of 32 digits"
        return "not a UUID"
    return ""


def _problem_with_date(text: str) -> str:
    return _problem_with_point(text, datetime.fromisoformat, "a date", Kind.DATE)


def _problem_with_time(text: str) -> str:
    return _problem_with_point(text, time.fromisoformat, "a time", Kind.TIME)


def _problem_with_datetime(text: str) -> str:
    return _problem_with_point(text, datetime.fromisoformat, "a date and time", Kind.DATETIME)


def _problem_with_point(text: str, read: Callable[[str], object], what: str, kind: Kind) -> str:
    if _NUMBER.fullmatch(text):
        # Seconds since 1970, or since midnight.
        return ""
    try:
        # What separates date and time may be any of these.
        read(text.replace("_", "T").replace(" ", "T", 1) if kind is Kind.DATETIME else text)
    except ValueError:
        return f"not {what}: {FORMS[kind]}"
    return ""


def _problem_with_duration(text: str) -> str:
    return "" if _DURATION.fullmatch(text) else f"not a duration: {FORMS[Kind.DURATION]}"


def _problem_with_bytes(text: str) -> str:
    try:
        base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return "not base64"
    return ""


_CHECKS: Mapping[Kind, Callable[[str], str]] = MappingProxyType(
    {
        Kind.INTEGER: _problem_with_integer,
        Kind.NUMBER: _problem_with_number,
        Kind.DECIMAL: _problem_with_decimal,
        Kind.UUID: _problem_with_uuid,
        Kind.DATE: _problem_with_date,
        Kind.TIME: _problem_with_time,
        Kind.DATETIME: _problem_with_datetime,
        Kind.DURATION: _problem_with_duration,
        Kind.BYTES: _problem_with_bytes,
    }
)


def _problem_with_limits(type: ArgumentType, text: str) -> str:
    schema = type.schema
    if type.kind is Kind.TEXT:
        shortest, longest = schema.get("minLength"), schema.get("maxLength")
        if isinstance(shortest, int) and len(text) < shortest:
            return f"shorter than {shortest:,} characters"
        if isinstance(longest, int) and len(text) > longest:
            return f"longer than {longest:,} characters"
        return ""
    if type.kind not in {Kind.INTEGER, Kind.NUMBER}:
        return ""
    value = value_from_text(type, text)
    if isinstance(value, str) or not isinstance(value, int | float):
        return ""
    for key, is_within, told in _LIMITS:
        limit = schema.get(key)
        if isinstance(limit, int | float) and not is_within(value, limit):
            return f"{told} {limit:,}"
    return ""


_LIMITS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", lambda value, limit: value >= limit, "less than"),
    ("exclusiveMinimum", lambda value, limit: value > limit, "not greater than"),
    ("maximum", lambda value, limit: value <= limit, "greater than"),
    ("exclusiveMaximum", lambda value, limit: value < limit, "not less than"),
)


def shortened(text: str) -> str:
    """Returns the beginning of a text, to name it in a line."""
    return text if len(text) <= 40 else f"{text[:39]}…"
