"""Any Python value as JSON text."""

from __future__ import annotations

import dataclasses
import json
from collections import UserDict, deque, namedtuple
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import pytest
from eventsourcing.domain import Aggregate, event
from pydantic import BaseModel, SecretStr

from eventsourcing_grpc.calls.json_values import attributes_to_json_text, to_json_text
from eventsourcing_grpc.example import Order

ID = UUID("7b1c4f0e-0000-4000-8000-0000000091aa")


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


Pair = namedtuple("Pair", ["a", "b"])


class Point(NamedTuple):
    x: int
    y: Decimal


@dataclasses.dataclass
class Line:
    sku: str
    price: Decimal


@dataclasses.dataclass
class Nothing:
    """Has no fields."""


class Parcel(BaseModel):
    lines: list[Line]
    key: bytes = b"\xff"
    code: SecretStr = SecretStr("1234")
    inside: Parcel | None = None


class Angry:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError


class AngryMapping(UserDict[str, int]):
    """Can't be looked into."""

    def items(self) -> Iterator[object]:  # type: ignore[override]
        raise RuntimeError


class Cat(Aggregate):
    name: str


class Dog(Aggregate):
    def __init__(self, name: str) -> None:
        self.name = name
        self._nickname = "?"

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        """Nothing is remembered."""


class PlainEvent:
    """An event class that is made in no special way."""

    def __init__(self) -> None:
        self.originator_id = ID
        self.originator_version = 1
        self._secret = 1


def converted(value: object) -> object:
    return json.loads(to_json_text(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("é", "é"),
        (1.5, 1.5),
        (2**70, 2**70),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (ID, str(ID)),
        (Decimal("1.20"), "1.20"),
        (datetime(2026, 11, 23, 14, 2, 9, 118, UTC), "2026-11-23T14:02:09.000118+00:00"),
        (date(2026, 11, 23), "2026-11-23"),
        (time(14, 2), "14:02:00"),
        (timedelta(seconds=90), "PT1M30S"),
        (PurePosixPath("/x"), "/x"),
        (b"\xff\xfb", "//s="),
        (bytearray(b"ab"), "YWI="),
        (Colour.RED, "red"),
        (Size.SMALL, 1),
        ({"a", "b"}, ["a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        ((1, (2,)), [1, [2]]),
        (deque([1]), [1]),
        ({1: "a", None: "b", ID: "c", Colour.RED: "d", (1, 2): "e"},
         {"1": "a", "null": "b", str(ID): "c", "red": "d", "[1, 2]": "e"}),
        (Point(1, Decimal(2)), {"x": 1, "y": "2"}),
        (Pair(1, 2), {"a": 1, "b": 2}),
        (Line("x", Decimal("1.0")), {"sku": "x", "price": "1.0"}),
        (Nothing(), {}),
        (SimpleNamespace(a=1), {"a": 1}),
    ],
)  # fmt: skip
def test_value_is_converted(value: object, expected: object) -> None:
    assert converted(value) == expected


def test_text_is_not_escaped_without_need() -> None:
    assert to_json_text("žluťoučký ☃") == '"žluťoučký ☃"'


def test_half_a_surrogate_pair_can_be_sent() -> None:
    assert to_json_text("\ud800é").encode() == b'"\\ud800\\u00e9"'


def test_huge_integer_does_not_fail() -> None:
    assert converted(2**50_000) == hex(2**50_000)


def test_aggregate_has_its_public_attributes() -> None:
    order = Order()
    order.set_is_reserved(ID)
    assert converted(order) == {
        "id": str(order.id),
        "version": 2,
        "created_on": order.created_on.isoformat(),
        "modified_on": order.modified_on.isoformat(),
        "is_reserved": True,
        "is_paid": False,
        "reservation_id": str(ID),
        "payment_id": None,
    }


def test_aggregate_keeps_its_private_attributes() -> None:
    dog = Dog(name="Fido")
    assert converted(dog) == {
        "id": str(dog.id),
        "version": 1,
        "created_on": dog.created_on.isoformat(),
        "modified_on": dog.modified_on.isoformat(),
        "name": "Fido",
    }


def test_aggregate_that_is_a_dataclass_has_its_id_and_version_too() -> None:
    cat = Cat(name="Tom")  # type: ignore[call-arg]
    assert dataclasses.is_dataclass(cat)
    shown = converted(cat)
    assert isinstance(shown, dict)
    assert list(shown) == ["id", "version", "created_on", "modified_on", "name"]


def test_model_of_pydantic_is_an_object_and_keeps_its_secrets() -> None:
    parcel = converted(Parcel(lines=[Line("x", Decimal(1))]))
    assert isinstance(parcel, dict)
    assert parcel["lines"] == [{"sku": "x", "price": "1"}]
    assert "1234" not in str(parcel)


def test_anything_else_is_described() -> None:
    described = converted(len)
    assert described == {
        "type": "builtins:builtin_function_or_method",
        "repr": "<built-in function len>",
    }


def test_long_description_is_shortened() -> None:
    described = converted(RuntimeError("x" * 5_000))
    assert isinstance(described, dict)
    assert len(described["repr"]) == 1_000


def test_generator_is_not_consumed() -> None:
    numbers = iter([1, 2])
    to_json_text(numbers)
    assert list(numbers) == [1, 2]


@pytest.mark.parametrize("value", [Angry(), [Angry()], AngryMapping(a=1), {"a": AngryMapping()}])
def test_value_whose_code_raises_is_described(value: object) -> None:
    assert "Angry" in to_json_text(value)


def test_cycles_end() -> None:
    values: list[object] = [1]
    values.append(values)
    mapping: dict[str, object] = {}
    mapping["self"] = mapping
    line = Line("x", Decimal(1))
    line.sku = line  # type: ignore[assignment]
    parcel = Parcel(lines=[])
    parcel.inside = parcel
    assert converted(values) == [1, {"type": "builtins:list", "repr": "…"}]
    assert converted(mapping) == {"self": {"type": "builtins:dict", "repr": "…"}}
    for value in (line, parcel):
        assert "…" in to_json_text(value)


def test_what_is_met_twice_is_not_a_cycle() -> None:
    inner = [1]
    assert converted([inner, inner]) == [[1], [1]]


def test_deep_structure_ends() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert "…" in to_json_text(deep)


def test_structure_that_would_explode_ends() -> None:
    value: list[object] = [1]
    for _ in range(60):
        value = [value, value]
    assert len(to_json_text(value)) < 100_000_000


def test_many_numbers_are_all_there() -> None:
    numbers = [*range(300_000), *[0.5] * 10]
    assert converted(numbers) == numbers


def test_domain_event_has_all_its_attributes() -> None:
    order = Order()
    order.set_is_paid(ID)
    paid = order.collect_events()[1]
    assert json.loads(attributes_to_json_text(paid)) == {
        "originator_id": str(order.id),
        "originator_version": 2,
        "timestamp": order.modified_on.isoformat(),
        "payment_id": str(ID),
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PlainEvent(), {"originator_id": str(ID), "originator_version": 1}),
        ({"a": 1}, {"a": 1}),
        (3, {"value": 3}),
        ([3], {"value": [3]}),
    ],
)
def test_attributes_are_always_an_object(value: object, expected: object) -> None:
    assert json.loads(attributes_to_json_text(value)) == expected
