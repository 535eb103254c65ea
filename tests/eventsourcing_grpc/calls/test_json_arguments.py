"""Arguments of methods as JSON."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from eventsourcing.application import Application
from pydantic import BaseModel, Field

from eventsourcing_grpc.calls.json_arguments import arguments_from_json, parameters_schema
from eventsourcing_grpc.calls.json_values import to_json_text
from eventsourcing_grpc.errors import ArgumentsError
from eventsourcing_grpc.methods import ExposedMethod, ExposedMethods

if typing.TYPE_CHECKING:
    from unknown_at_run_time import Unknown  # type: ignore[import-not-found]

ID = UUID("7b1c4f0e-0000-4000-8000-0000000091aa")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Line:
    sku: str
    amount: int = 1
    label: bytes = b""


class Address(typing.TypedDict):
    street: str
    number: typing.NotRequired[int]


class Parcel(BaseModel):
    lines: list[Line]
    inside: Parcel | None = None


class Thing:
    """Nothing that JSON could be converted to."""


class Shop(Application[UUID]):
    """Has methods whose parameters are of all kinds."""

    class Size(Enum):
        SMALL = 1

    def take(
        self,
        order_id: UUID,
        price: Decimal,
        at: datetime,
        day: date,
        colour: Colour,
        *,
        size: Size = Size.SMALL,
        note: str | None = None,
        key: bytes = b"\xff",
    ) -> None:
        """Takes simple values."""

    def pack(
        self,
        lines: list[Line],
        address: Address,
        parcel: Parcel,
        prices: dict[str, list[Decimal]],
        addresses: list[Address],
    ) -> None:
        """Takes nested values."""

    def guess(  # type: ignore[no-untyped-def] # (that is what is tested)
        self,
        plain,
        unknown: Unknown,
        thing: Thing,
        things: list[Thing],
        then: Callable[[int], int],
        wrong: "no annotation" = 3,  # type: ignore[valid-type] # noqa: F722 (see above)
        implicit: UUID = None,  # type: ignore[assignment] # noqa: RUF013 (see above)
    ) -> None:
        """Takes what can't be described."""

    def gather(self, first: str, second: int = 2, *rest: int, flag: bool, **more: Line) -> None:
        """Takes any number of arguments."""

    def place(self, first: int = 1, second: int = 2, /) -> None:
        """Takes arguments that have no names."""

    def shadow(
        self, model_config: int, copy: str, schema: typing.Annotated[int, Field(gt=3)]
    ) -> None:
        """Takes arguments whose names mean something to pydantic."""

    def nothing(self) -> None:
        """Takes nothing."""


METHODS = ExposedMethods(Shop)


def method(name: str) -> ExposedMethod:
    return METHODS.get(name)


def schema(name: str) -> dict[str, typing.Any]:
    loaded: dict[str, typing.Any] = json.loads(parameters_schema(method(name)))
    return loaded


def converted(name: str, **arguments: object) -> tuple[list[object], dict[str, object]]:
    return arguments_from_json(method(name), json.dumps(arguments))


def violations(name: str, **arguments: object) -> dict[str, str]:
    with pytest.raises(ArgumentsError) as caught:
        converted(name, **arguments)
    assert str(caught.value).startswith(f"Shop.{name}: ")
    assert "\n" not in str(caught.value)
    return dict(caught.value.violations)


def test_schema_has_a_property_for_each_parameter() -> None:
    take = schema("take")
    assert take["type"] == "object"
    assert take["title"] == "take"
    assert take["additionalProperties"] is False
    assert take["required"] == ["order_id", "price", "at", "day", "colour"]
    properties = take["properties"]
    assert properties["order_id"] == {"type": "string", "format": "uuid", "title": "Order id"}
    assert properties["at"] == {"type": "string", "format": "date-time", "title": "At"}
    assert properties["day"] == {"type": "string", "format": "date", "title": "Day"}
    assert properties["note"]["default"] is None
    assert properties["key"]["default"] == "/w=="
    assert take["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert properties["size"] == {"$ref": "#/$defs/Size", "default": 1}


def test_schema_of_nested_types_has_their_definitions() -> None:
    pack = schema("pack")
    assert pack["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    assert pack["$defs"]["Address"]["required"] == ["street"]
    assert set(pack["$defs"]) == {"Line", "Address", "Parcel"}


def test_schema_of_a_method_without_parameters_is_an_empty_object() -> None:
    assert schema("nothing") == {
        "title": "nothing",
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_what_can_not_be_described_may_be_any_json() -> None:
    guess = schema("guess")
    for name in ("plain", "unknown", "thing", "things", "then"):
        assert guess["properties"][name] == {"title": name.capitalize()}
    assert guess["properties"]["wrong"] == {"title": "Wrong", "default": 3}
    anything = {"plain": [1], "unknown": {"a": 1}, "thing": "x", "things": 5, "then": None}
    assert converted("guess", **anything) == ([], anything)


def test_simple_values_are_converted_by_their_annotations() -> None:
    args, kwargs = converted(
        "take",
        order_id=str(ID),
        price="0.10",
        at="2026-11-23T14:02:09Z",
        day="2026-11-23",
        colour="red",
        size=1,
        note=None,
        key="/w==",
    )
    assert args == []
    assert kwargs == {
        "order_id": ID,
        "price": Decimal("0.10"),
        "at": datetime(2026, 11, 23, 14, 2, 9, tzinfo=UTC),
        "day": date(2026, 11, 23),
        "colour": Colour.RED,
        "size": Shop.Size.SMALL,
        "note": None,
        "key": b"\xff",
    }


def test_nested_values_are_converted_by_their_annotations() -> None:
    line = {"sku": "pear", "amount": 2, "label": "//s="}
    _, kwargs = converted(
        "pack",
        lines=[line],
        address={"street": "High Street"},
        parcel={"lines": [{"sku": "plum"}], "inside": {"lines": []}},
        prices={"pear": ["1.0", "2"]},
        addresses=[{"street": "Low Street", "number": 1}],
    )
    assert kwargs == {
        "lines": [Line("pear", 2, b"\xff\xfb")],
        "address": {"street": "High Street"},
        "parcel": Parcel(lines=[Line("plum")], inside=Parcel(lines=[])),
        "prices": {"pear": [Decimal("1.0"), Decimal(2)]},
        "addresses": [{"street": "Low Street", "number": 1}],
    }


@pytest.mark.parametrize(
    "value", [ID, Decimal("1.20"), date(2026, 11, 23), Colour.BLUE, b"\xff\xfb"]
)
def test_what_values_are_shown_as_is_taken_back(value: object) -> None:
    class Echo(Application[UUID]):
        """Returns what it is given."""

        def echo(self, value: object) -> object:
            return value

    Echo.echo.__annotations__["value"] = type(value)
    text = f'{{"value": {to_json_text(value)}}}'
    assert arguments_from_json(ExposedMethods(Echo).get("echo"), text) == ([], {"value": value})


def test_number_is_taken_as_a_decimal_without_rounding() -> None:
    text = """{"order_id": "7b1c4f0e-0000-4000-8000-0000000091aa", "price": 0.1,
               "at": "2026-11-23T14:02:09Z", "day": "2026-11-23", "colour": "red"}"""
    assert arguments_from_json(method("take"), text)[1]["price"] == Decimal("0.1")


def test_arguments_that_are_left_out_are_left_to_the_method() -> None:
    assert converted("gather", first="a", flag=True) == ([], {"first": "a", "flag": True})
    assert converted("place") == ([], {})


def test_arguments_without_names_are_given_by_position() -> None:
    assert converted("place", first=5) == ([5], {})
    assert converted("place", second=5) == ([1, 5], {})


def test_variable_arguments_are_an_array_and_other_members() -> None:
    args, kwargs = converted("gather", first="a", rest=[3, "4"], flag=True, pear={"sku": "pear"})
    assert args == ["a", 2, 3, 4]
    assert kwargs == {"flag": True, "pear": Line("pear")}
    gather = schema("gather")
    assert gather["properties"]["rest"]["items"] == {"type": "integer"}
    assert gather["additionalProperties"]["title"] == "Line"


def test_none_is_taken_where_it_is_the_default() -> None:
    arguments = dict.fromkeys(("plain", "unknown", "thing", "things", "then"), 1)
    _, kwargs = converted("guess", **arguments, implicit=None)
    assert kwargs["implicit"] is None
    assert "UUID" in violations("guess", **arguments, implicit="x")["implicit"]


def test_names_that_mean_something_to_pydantic_are_no_problem() -> None:
    arguments = {"model_config": 1, "copy": "x", "schema": 4}
    assert converted("shadow", **arguments) == ([], arguments)


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_empty_text_stands_for_no_arguments(text: str) -> None:
    assert arguments_from_json(method("nothing"), text) == ([], {})


def test_each_wrong_argument_is_told_by_name() -> None:
    told = violations("take", order_id="x", price="y", colour="green", size=1, tip=1)
    assert told["order_id"].startswith("Input should be a valid UUID")
    assert told["price"] == "Input should be a valid decimal"
    assert told["colour"] == "Input should be 'red' or 'blue'"
    assert told["at"] == told["day"] == "Field required"
    assert told["tip"] == "There is no such parameter"
    assert set(told) == {"order_id", "price", "colour", "at", "day", "tip"}


def test_wrong_part_of_an_argument_is_told_by_its_place() -> None:
    told = violations(
        "pack",
        lines=[{"sku": "pear"}, {"sku": 1}],
        address={"number": 1},
        parcel={"lines": [], "inside": {"lines": [{}]}},
        prices={"pear": ["x"]},
        addresses=[],
    )
    assert told == {
        "lines": "[1].sku: Input should be a valid string",
        "address": "street: Field required",
        "parcel": "inside.lines[0].sku: Field required",
        "prices": "pear[0]: Input should be a valid decimal",
    }


def test_wrong_extra_arguments_are_told_by_name() -> None:
    assert violations("gather", first="a", flag=True, pear={"sku": 1}, plum={}) == {
        "pear": "sku: Input should be a valid string",
        "plum": "sku: Field required",
    }


def test_many_wrong_arguments_make_a_short_error() -> None:
    told = violations("nothing", **{f"argument_{i}": i for i in range(10_000)})
    assert len(told) == 20
    lines = violations("pack", lines=[{}] * 10_000)["lines"]
    assert len(lines) <= 300


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the arguments are not JSON: EOF while parsing an object at line 1 column 1"),
        ("order_id=1", "the arguments are not JSON: expected value at line 1 column 1"),
        ("{} {}", "the arguments are not JSON: trailing characters at line 1 column 4"),
        ("[" * 10_000, "the arguments are not JSON: recursion limit exceeded"),
        ("[1]", "the arguments must be a JSON object"),
        ("null", "the arguments must be a JSON object"),
        ('"x"', "the arguments must be a JSON object"),
    ],
)
def test_what_is_no_json_object_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        arguments_from_json(method("nothing"), text)
    assert str(caught.value).startswith(f"Shop.nothing: {told}")
    assert caught.value.violations == {}
