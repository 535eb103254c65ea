"""Any Python value as JSON text, for people to read. It never fails, and ends for cycles too.

Arguments from JSON are left to ``json_arguments``.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from types import SimpleNamespace
from typing import TypeAlias, Union
from uuid import UUID

from eventsourcing.domain import BaseAggregate

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]

_MAX_DEPTH = 100
_MAX_VALUES = 250_000
# Numbers take little room. Ten megabytes of them are not too many.
_MAX_NUMBERS = 5_000_000
_MAX_REPR_LENGTH = 1_000
# Python refuses to write much greater ones as decimal digits: see sys.set_int_max_str_digits.
_MAX_INTEGER_BITS = 10_000

_TEXT_OF: Mapping[type, Callable[..., str]] = {
    UUID: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    Decimal: str,
}
_SHOWN_AS_TEXT = (
    *_TEXT_OF,
    PurePath,
    Fraction,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
)
# Their instances are shown by something else than fields that their class names.
_SHOWN_OTHERWISE = (
    *_SHOWN_AS_TEXT,
    BaseAggregate,
    Enum,
    Mapping,
    SimpleNamespace,
    bytearray,
    bytes,
    float,
    int,
    memoryview,
    str,
    timedelta,
    type,
)

_encode = json.JSONEncoder(ensure_ascii=False).encode


def to_json_text(value: object) -> str:
    """Returns a value as JSON text.

    Times are in ISO 8601, decimals and NaN are strings, bytes are base64. What has fields
    (dataclasses, named tuples, pydantic's models, aggregates) is an object. Anything else
    is an object that has its "type" and its "repr".
    """
    return _text(_Conversion().convert(value))


def attributes_to_json_text(value: object) -> str:
    """Returns the attributes of a value as the text of a JSON object.

    Other than ``to_json_text`` it looks into an object of any class: domain events and aggregates
    needn't be made in a special way.
    """
    conversion = _Conversion()
    converted = conversion.convert(value)
    cls: object = type(value)
    if dataclass_fields(cls) is None and not isinstance(value, Mapping) and _fields(value) is None:
        attributes = _public(getattr(value, "__dict__", {}))
        converted = conversion.convert(attributes) if attributes else {"value": converted}
    return _text(converted)


@lru_cache(maxsize=1_000)
def dataclass_fields(cls: object) -> Sequence[str] | None:
    """Returns the names of the fields by which a dataclass is shown, and nothing else of it is.

    None: it is no dataclass, or is shown in another way.
    """
    if (
        not isinstance(cls, type)
        or not dataclasses.is_dataclass(cls)
        or issubclass(cls, _SHOWN_OTHERWISE)
        or hasattr(cls, "__pydantic_fields__")
    ):
        return None
    return tuple(field.name for field in dataclasses.fields(cls))


def _text(converted: Json) -> str:
    text = _encode(converted)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half a surrogate pair can't be sent, other than escaped.
            return json.dumps(converted)
    return text


class _Conversion:
    """Converts one value, and remembers where in it the conversion is."""

    def __init__(self) -> None:
        self._parents: set[int] = set()
        self._values = 0
        self._numbers = 0

    def convert(self, value: object) -> Json:
        """Returns what stands for the value in JSON."""
        if value is None or isinstance(value, bool) or type(value) is str:
            return value
        text_of = _TEXT_OF.get(type(value))
        if text_of is not None:
            return text_of(value)
        if self._numbers < _MAX_NUMBERS:
            if type(value) is int:
                self._numbers += 1
                return _integer(value)
            if type(value) is float:
                self._numbers += 1
                return _float(value)
        self._values += 1
        if (
            id(value) in self._parents
            or len(self._parents) >= _MAX_DEPTH
            or self._values > _MAX_VALUES
        ):
            return {"type": _type_name(value), "repr": "…"}
        self._parents.add(id(value))
        try:
            return self._convert_inside(value)
        except Exception:
            # A value's own code may raise anything.
            return _described(value)
        finally:
            self._parents.discard(id(value))

    def _convert_inside(self, value: object) -> Json:
        # Most of what there is: it takes longer to find out about the rest.
        if type(value) is dict:
            return self._object(value)
        if type(value) is list:
            return [self.convert(item) for item in value]
        cls: object = type(value)
        if (names := dataclass_fields(cls)) is not None:
            return {
                name: self.convert(getattr(value, name)) for name in names if hasattr(value, name)
            }
        return self._convert_other(value)

    def _convert_other(self, value: object) -> Json:
        match value:
            case Enum():
                return self.convert(value.value)
            case str():
                return str.__str__(value)
            case int():
                return _integer(int(value))
            case float():
                return _float(float(value))
            case bytes() | bytearray() | memoryview():
                return base64.b64encode(value).decode()
            case timedelta():
                return _duration(value)
            case Mapping():
                return self._object(value)
        if isinstance(value, _SHOWN_AS_TEXT):
            return str(value)
        fields = _pydantic_fields(value)
        if fields is None:
            fields = _fields(value)
        if fields is not None:
            return {str(name): self.convert(item) for name, item in fields.items()}
        if isinstance(value, list | tuple | deque):
            return [self.convert(item) for item in value]
        if isinstance(value, Set):
            return sorted((self.convert(item) for item in value), key=json.dumps)
        return _described(value)

    def _object(self, value: Mapping[object, object]) -> Json:
        return {self._key(key): self.convert(item) for key, item in value.items()}

    def _key(self, key: object) -> str:
        converted = self.convert(key)
        return converted if isinstance(converted, str) else json.dumps(converted)


def _integer(value: int) -> Json:
    return value if value.bit_length() <= _MAX_INTEGER_BITS else hex(value)


def _float(value: float) -> Json:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _duration(value: timedelta) -> Json:
    from pydantic_core import to_jsonable_python

    duration = to_jsonable_python(value)
    return str(duration)


def _pydantic_fields(value: object) -> Mapping[str, object] | None:
    """Returns what a pydantic model says of itself, which is up to its author."""
    if not hasattr(type(value), "__pydantic_fields__"):
        return None
    from pydantic_core import to_jsonable_python

    try:
        dumped = to_jsonable_python(value, inf_nan_mode="strings")
    except Exception:
        # Its fields can be looked at one by one.
        return None
    return dumped if isinstance(dumped, dict) else None


def _fields(value: object) -> Mapping[str, object] | None:
    """Returns the fields of a value of a class that has fields, or None."""
    cls = type(value)
    if isinstance(value, type):
        return None
    if isinstance(value, BaseAggregate):
        return {
            "id": value.id,
            "version": value.version,
            "created_on": value.created_on,
            "modified_on": value.modified_on,
            **_public(vars(value)),
        }
    if isinstance(value, SimpleNamespace):
        return vars(value)
    names: Iterable[str] | None = None
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    elif isinstance(value, tuple):
        names = getattr(cls, "_fields", None)
    elif hasattr(cls, "__pydantic_fields__"):
        names = _public(vars(value))
    elif hasattr(cls, "__attrs_attrs__"):
        names = [attribute.name for attribute in cls.__attrs_attrs__]
    elif hasattr(cls, "__struct_fields__"):
        # A struct of msgspec.
        names = cls.__struct_fields__
    if names is None:
        return None
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _public(attributes: Mapping[str, object]) -> dict[str, object]:
    return {name: item for name, item in attributes.items() if not name.startswith("_")}


def _described(value: object) -> Json:
    try:
        text = repr(value)
    except Exception as error:
        # A value's own code may raise anything.
        text = f"<repr raised {type(error).__name__}>"
    if len(text) > _MAX_REPR_LENGTH:
        text = text[: _MAX_REPR_LENGTH - 1] + "…"
    return {"type": _type_name(value), "repr": text}


def _type_name(value: object) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"
