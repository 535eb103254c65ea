"""Arguments as a person writes them: types by their schemas, text to JSON and back, light checks."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest

from esgrpc_console.system_view.argument_fit import misfit, with_digits, without_secrets
from esgrpc_console.system_view.argument_text import (
    DoesNotFitError,
    problem_with_text,
    text_from_value,
    value_from_text,
)
from esgrpc_console.system_view.json_schema import ArgumentsType, ArgumentType, Kind
from esgrpc_console.system_view.json_values import (
    ABSENT,
    JsonObject,
    JsonProblem,
    read_json,
    write_json,
)
from eventsourcing_grpc.calls.json_arguments import parameters_schema
from eventsourcing_grpc.calls.signatures import shown_signature
from eventsourcing_grpc.methods import ExposedMethods
from tests.esgrpc_console.every_type import EveryType

UUID = {"type": "string", "format": "uuid"}
DATETIME = {"type": "string", "format": "date-time"}
DATE = {"type": "string", "format": "date"}
TIME = {"type": "string", "format": "time"}
DURATION = {"type": "string", "format": "duration"}
BYTES = {"type": "string", "format": "binary"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
DECIMAL: JsonObject = {"anyOf": [{"type": "number"}, {"type": "string"}]}
TEXT = {"type": "string"}
ADDRESS = {"$ref": "#/$defs/Address"}
DEFINITIONS: JsonObject = {
    "Address": {
        "type": "object",
        "title": "Address",
        "properties": {"street": {"type": "string"}, "price": DECIMAL},
        "required": ["street"],
    },
    "Node": {
        "type": "object",
        "title": "Node",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
    },
    "Endless": {"type": "array", "items": {"$ref": "#/$defs/Endless"}},
    "Circle": {"anyOf": [{"$ref": "#/$defs/Circle"}]},
}


def a_type(schema: dict[str, Any], annotation: str = "") -> ArgumentType:
    return ArgumentType(schema, DEFINITIONS, annotation=annotation)


def type_of(method_name: str) -> ArgumentsType:
    method = ExposedMethods(EveryType).get(method_name)
    return ArgumentsType(parameters_schema(method), shown_signature(method.parameters))


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("take_bool", Kind.BOOLEAN),
        ("take_int", Kind.INTEGER),
        ("take_float", Kind.NUMBER),
        ("take_decimal", Kind.DECIMAL),
        ("take_str", Kind.TEXT),
        ("take_bytes", Kind.BYTES),
        ("take_uuid", Kind.UUID),
        ("take_date", Kind.DATE),
        ("take_time", Kind.TIME),
        ("take_datetime", Kind.DATETIME),
        ("take_timedelta", Kind.DURATION),
        ("take_enum", Kind.CHOICE),
        ("take_literal", Kind.CHOICE),
        ("take_optional", Kind.TEXT),
        ("take_list", Kind.LIST),
        ("take_model", Kind.OBJECT),
        ("take_node", Kind.OBJECT),
        ("take_typed_dict", Kind.OBJECT),
        ("take_tuple", Kind.TUPLE),
        ("take_dict", Kind.MAPPING),
        ("take_union", Kind.UNION),
        ("take_any", Kind.ANY),
    ],
)
def test_the_schemas_of_the_server_are_told_apart(method: str, kind: Kind) -> None:
    (field,) = type_of(method).fields
    assert field.type.kind is kind
    assert field.is_required


def test_types_are_told_as_their_author_wrote_them() -> None:
    told = {field.name: field.type.author_words for field in type_of("take_many").fields}
    assert (told["p01"], told["p26"], told["p30"]) == ("int", "Colour | None", "Decimal")


def test_a_union_of_number_and_text_is_no_decimal() -> None:
    assert a_type(DECIMAL).kind is Kind.DECIMAL
    assert a_type(DECIMAL, "float | str").kind is Kind.UNION


@pytest.mark.parametrize(
    "signature", ["", "(", "(x=<object at 0x7f>)", "(" * 900, "x" * 10_000, "(x: \x00)"]
)
def test_a_signature_that_is_no_python_leaves_types_in_words(signature: str) -> None:
    (field,) = ArgumentsType('{"properties": {"x": {"type": "integer"}}}', signature).fields
    assert field.type.author_words == "int"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/$defs/Node"}, "Node"),
        ({"$ref": "#/$defs/Endless"}, "list[list[list[list]]]"),
        ({"$ref": "#/$defs/Circle"}, "any"),
        ({"$ref": "#/$defs/Missing"}, "any"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "any"),
        ({"allOf": [{"type": "integer"}]}, "int"),
        ({"type": ["string", "null"]}, "str | None"),
        ({"enum": ["a", 1, None]}, '"a" | 1 | None'),
        ({"const": "a"}, '"a"'),
        ({"type": "null"}, "None"),
        ({"type": "array", "prefixItems": [INTEGER], "maxItems": 1}, "tuple"),
        ({"type": "object", "properties": {}}, "dict"),
        ({"type": 3, "enum": "x", "anyOf": 5, "properties": []}, "any"),
    ],
)
def test_strange_schemas_are_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert a_type(schema).words == words


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (INTEGER, "12", 12),
        (INTEGER, "-3", -3),
        (INTEGER, "1_000", "1_000"),
        (INTEGER, "9" * 5_000, "9" * 5_000),
        (NUMBER, "1.50", 1.5),
        (NUMBER, "nan", "nan"),
        (NUMBER, "1e999", "1e999"),
        (DECIMAL, "1.10", "1.10"),
        (TEXT, "", ""),
        (TEXT, "12", "12"),
        (UUID, "", ABSENT),
        ({}, "12", 12),
        ({}, '"12"', "12"),
        ({}, "{", "{"),
        ({}, '{"a": [null]}', {"a": [None]}),
    ],
)
def test_text_stands_for_a_value(schema: dict[str, Any], text: str, value: object) -> None:
    assert value_from_text(a_type(schema), text) == value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, 12),
        (NUMBER, 1.5),
        (NUMBER, 3),
        (DECIMAL, "1.10"),
        (TEXT, "a\nb"),
        (UUID, "no UUID"),
        ({}, "12"),
        ({}, "one"),
        ({}, ["one"]),
        ({}, None),
        ({}, True),
    ],
)
def test_a_value_is_the_same_after_it_was_written(schema: dict[str, Any], value: Any) -> None:
    type = a_type(schema)
    assert value_from_text(type, text_from_value(type, value)) == value


@pytest.mark.parametrize(
    ("schema", "value"), [(INTEGER, [1]), (TEXT, 3), (UUID, None), (INTEGER, 1.5), (INTEGER, True)]
)
def test_a_value_of_another_type_has_no_text(schema: dict[str, Any], value: Any) -> None:
    with pytest.raises(DoesNotFitError):
        text_from_value(a_type(schema), value)


@pytest.mark.parametrize(
    ("schema", "good", "wrong"),
    [
        (INTEGER, ["1", " 1 ", "1_000", "12.0", "-0"], ["x", "1.5", "0x1"]),
        ({"type": "integer", "exclusiveMinimum": 3, "maximum": 10}, ["4", "10"], ["3", "11"]),
        (NUMBER, ["1", ".5", "1e5", "NaN", "-inf"], ["x", "1,5"]),
        (DECIMAL, ["1.10", "1E+3"], ["x", "1,10"]),
        (
            UUID,
            ["7b1c4f0e-0000-4000-8000-0000000091aa", "7b1c4f0e00004000800000000091aa00"],
            ["7b"],
        ),
        (DATE, ["2026-11-23"], ["23.11.2026", "2026-13-01"]),
        (TIME, ["14:02", "14:02:09.5", "14:02:09Z"], ["2 pm", "25:00"]),
        (
            DATETIME,
            ["2026-11-23", "2026-11-23 14:02", "2026-11-23T14:02:09Z", "1700000000"],
            ["now"],
        ),
        (DURATION, ["P1D", "PT1H30M", "01:30:00", "3 days", "3d 01:00"], ["P", "soon"]),
        (BYTES, ["aGk="], ["aGk", "?"]),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd"]),
    ],
)
def test_what_a_server_would_refuse_is_found_while_it_is_typed(
    schema: dict[str, Any], good: list[str], wrong: list[str]
) -> None:
    type = a_type(schema)
    assert {text: problem_with_text(type, text) for text in good} == dict.fromkeys(good, "")
    assert all(problem_with_text(type, text) for text in wrong)


@pytest.mark.parametrize(
    "schema", [INTEGER, NUMBER, DECIMAL, UUID, DATE, TIME, DATETIME, DURATION, BYTES]
)
def test_a_long_text_is_looked_at_as_quickly_as_a_short_one(schema: dict[str, Any]) -> None:
    type = a_type(schema)
    started = process_time()
    for text in ("1" * 9_999 + "?", "1_" * 4_999 + "?", "1" * 5_000 + "." + "0" * 4_000 + "?"):
        assert problem_with_text(type, text)
    assert process_time() - started < 1


def test_a_uuid_that_is_being_typed_is_not_called_wrong_yet() -> None:
    assert problem_with_text(a_type(UUID), "7b1c") == "not a whole UUID yet: 4 of 32 digits"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"a": 1\n "b": 2}', (2, 2), "expecting ',' delimiter"),
        ("{} {}", (1, 4), "nothing is expected here"),
        ('{\n"a": NaN}', (2, 6), 'NaN is not JSON: write "NaN" in quotes'),
        ("[" * 100_000, (1, 1), "this is nested too deeply"),
        ("9" * 10_000, (1, 1), "a number has too many digits"),
    ],
)
def test_wrong_json_says_where(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(JsonProblem) as error:
        read_json(text)
    assert (error.value.line, error.value.column) == place
    assert error.value.message == message


def test_what_could_harm_a_terminal_is_escaped_in_json() -> None:
    value: JsonObject = {"a": "\x1b[2J\x07\u202e\x7f\u2028 你好 \U000e0001"}
    text = write_json(value)
    assert text.replace("\n", "").isprintable()
    assert "你好" in text
    assert json.loads(text) == value


def test_decimals_keep_their_digits_in_any_depth() -> None:
    type = a_type({"type": "array", "items": {"anyOf": [ADDRESS, {"type": "null"}]}})
    value = read_json('[{"street": "x", "price": 1.10}, null, {"street": "y", "price": 2}]')
    assert with_digits(type, value) == [
        {"street": "x", "price": "1.10"},
        None,
        {"street": "y", "price": 2},
    ]


def test_secrets_are_left_out_with_what_they_are_in() -> None:
    secret = {"type": "string", "format": "password", "writeOnly": True}
    schema = {
        "properties": {
            "name": TEXT,
            "password": secret,
            "all": {"type": "array", "items": {"anyOf": [secret, {"type": "null"}]}},
        }
    }
    type = ArgumentsType(json.dumps(schema))
    assert without_secrets(type, {"name": "n", "password": "p", "all": ["q"]}) == {"name": "n"}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (TEXT, None, "x: null is no str"),
        (TEXT, "a\x1b", "x: has control characters, which only JSON can show"),
        ({"type": "boolean"}, "yes", 'x: "yes" is no bool'),
        ({"enum": [1, 2]}, True, "x: true is no 1 | 2"),
        ({"type": "array", "items": INTEGER}, [1, "a", []], "x[2]: [] is no int"),
        ({"type": "array", "items": INTEGER}, [1] * 1_000, "x: 1,000 items are more"),
        (ADDRESS, {"street": 3}, "x.street: 3 is no str"),
        (ADDRESS, {"town": "x"}, "x.town: there is no such name"),
        ({"anyOf": [INTEGER, {"type": "array", "items": {}}]}, {}, "x: {} is no int | list[any]"),
    ],
)
def test_what_a_form_cannot_show_is_told(schema: dict[str, Any], value: Any, told: str) -> None:
    assert misfit(a_type(schema), value, place="x").startswith(told)


def test_what_is_nested_deeply_is_any_json() -> None:
    node: Any = {"children": []}
    for _ in range(50):
        node = {"children": [node]}
    assert misfit(a_type({"$ref": "#/$defs/Node"}), node) == ""
