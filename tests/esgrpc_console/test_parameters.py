import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from esgrpc_console.system_view import Parameter, argument_from_text
from esgrpc_console.system_view.parameters import parameters_from_schema


def _parameter(schema: dict[str, Any], *, is_required: bool = True) -> Parameter:
    text = json.dumps(
        {
            "type": "object",
            "properties": {"x": schema},
            "required": ["x"] if is_required else [],
            "$defs": {"Colour": {"enum": ["red", "green"], "type": "string"}},
        }
    )
    (parameter,) = parameters_from_schema(text)
    return parameter


UUID_SCHEMA = {"type": "string", "format": "uuid"}
DECIMAL_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+$"}]}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (UUID_SCHEMA, "UUID"),
        ({"type": "integer"}, "int"),
        ({"type": "array", "items": {"type": "integer"}}, "list[int]"),
        ({"type": "array", "items": {"$ref": "#/$defs/Colour"}}, 'list["red" | "green"]'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "str | None"),
        ({"$ref": "#/$defs/Colour"}, '"red" | "green"'),
        ({"type": "object"}, "dict"),
        ({}, "any"),
    ],
)
def test_types_are_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert _parameter(schema).type_words == words


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (UUID_SCHEMA, "7b1c", "7b1c"),
        ({"type": "string"}, "12", "12"),
        ({"type": "integer"}, "12", 12),
        ({"type": "integer"}, "twelve", "twelve"),
        ({"type": "boolean"}, "true", True),
        ({"type": "array"}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": null}', {"a": None}),
        (DECIMAL_SCHEMA, "1.10", "1.10"),
        ({}, "1", 1),
        ({}, "one", "one"),
    ],
)
def test_what_is_typed_becomes_an_argument(
    schema: dict[str, Any], text: str, expected: object
) -> None:
    assert argument_from_text(_parameter(schema), text) == (True, expected)


@pytest.mark.parametrize("schema", [UUID_SCHEMA, {"type": "integer"}, {}])
def test_nothing_typed_is_no_argument(schema: dict[str, Any]) -> None:
    assert argument_from_text(_parameter(schema), "") == (False, None)


def test_nothing_typed_is_the_empty_text_where_any_text_is_wanted() -> None:
    assert argument_from_text(_parameter({"type": "string"}), "") == (True, "")
    optional = _parameter({"type": "string", "default": "x"}, is_required=False)
    assert argument_from_text(optional, "") == (False, None)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"properties": 1}', '{"properties": {"x": 1}}']
)
def test_a_schema_that_is_none_raises_nothing(text: str) -> None:
    assert len(parameters_from_schema(text)) <= 1


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {
        "properties": {"node": {"$ref": "#/$defs/Node"}},
        "$defs": {"Node": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
    }
    assert parameters_from_schema(json.dumps(schema))[0].name == "node"


def test_a_schema_that_chooses_among_itself_again_and_again_ends() -> None:
    itself = {"$ref": "#/$defs/Many"}
    schema = {"properties": {"value": itself}, "$defs": {"Many": {"anyOf": [itself] * 30}}}
    (parameter,) = parameters_from_schema(json.dumps(schema))
    assert parameter.type_words == "any"


def test_schemas_of_the_server_are_understood() -> None:
    from eventsourcing_grpc.calls.json_arguments import parameters_schema
    from eventsourcing_grpc.methods import ExposedMethods
    from tests.esgrpc_console.shop import Shop

    method = ExposedMethods(Shop).get("add_item")
    name, price, amount, note, tags = parameters_from_schema(parameters_schema(method))
    assert (name.type_words, price.type_words, amount.type_words) == ("UUID", "Decimal", "int")
    assert [p.is_required for p in (name, price, amount, note, tags)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert note.type_words == "str | None"
    assert tags.type_words == "list[str]"
    assert argument_from_text(price, str(Decimal("1.10"))) == (True, "1.10")
    assert argument_from_text(name, str(UUID(int=1)))[0]
