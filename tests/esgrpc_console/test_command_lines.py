"""Command lines that do again what a screen shows: they are run as they are written."""

from __future__ import annotations

import shlex

import pytest

from esgrpc_console.command_lines import (
    ControlAction,
    Target,
    aggregate_command,
    argument_from_word,
    call_command,
    control_command,
    log_command,
    status_command,
    trace_command,
)
from esgrpc_console.system_view.json_values import JsonObject, JsonValue
from esgrpc_console.system_view.parameters import Parameter

PRODUCTION = Target(("@production",))
FORWARDED = Target(("localhost:9001", "--address", "Payments=localhost:9002"))
TEXT = Parameter("note", type_words="str", types=frozenset({"string"}), is_plain_text=True)
NUMBER = Parameter("amount", type_words="int", types=frozenset({"integer"}))


def test_they_name_the_system_and_say_how_to_connect() -> None:
    assert status_command(PRODUCTION) == "esgrpc-console status @production"
    assert (
        log_command(FORWARDED, "Orders", 8013)
        == "esgrpc-console log localhost:9001 Orders --after 8012 --limit 1"
        " --address Payments=localhost:9002"
    )
    assert aggregate_command(PRODUCTION, "Orders", "7b1c") == (
        "esgrpc-console aggregate @production Orders 7b1c"
    )
    assert aggregate_command(PRODUCTION, "Orders", "7b1c", 2).endswith(" 7b1c --version 2")
    assert (
        control_command(PRODUCTION, ControlAction.PAUSE, "Payments", "Orders", reason="it's late")
        == "esgrpc-console pause @production Payments Orders --reason 'it'\"'\"'s late'"
    )
    assert (
        control_command(
            PRODUCTION, ControlAction.SKIP, "Payments", "Orders", reason="x", notification_id=8013
        )
        == "esgrpc-console skip @production Payments Orders 8013 --reason x"
    )


@pytest.mark.parametrize("text", ["order 4711", "$(reboot)", "a'b", "-x", "--json", "ü;&|"])
def test_what_a_shell_would_take_for_something_else_is_quoted(text: str) -> None:
    words = shlex.split(trace_command(FORWARDED, text))
    assert words[-1] == text if text.startswith("-") else text in words
    assert ("--" in words) == text.startswith("-")
    assert "--address" in words[: words.index("--") if "--" in words else None]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, ""),
        ({"note": "a b", "amount": 3}, " 'note=a b' amount=3"),
        ({"note": ""}, " note="),
        ({"note": "null"}, " note=null"),
        ({"note": None}, """ --json-args '{"note": null}'"""),
        ({"amount": "3"}, """ --json-args '{"amount": "3"}'"""),
        ({"note": "a\nb"}, r""" --json-args '{"note": "a\nb"}'"""),
        ({"note": "\u202e"}, r""" --json-args '{"note": "\u202e"}'"""),
        ({"other": 1, "amount": 3}, """ --json-args '{"other": 1, "amount": 3}'"""),
    ],
)
def test_arguments_are_written_so_that_they_come_out_the_same(
    arguments: JsonObject, told: str
) -> None:
    line = call_command(PRODUCTION, "Shop", "add", arguments, (TEXT, NUMBER))
    assert line == f"esgrpc-console call @production Shop.add{told}"


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (TEXT, "1.10", "1.10"),
        (TEXT, "", ""),
        (NUMBER, "3", 3),
        (NUMBER, "", ""),
        (NUMBER, "x", "x"),
        (NUMBER, "[" * 100_000, "[" * 100_000),
    ],
)
def test_an_argument_is_what_its_parameter_wants(
    parameter: Parameter, text: str, value: JsonValue
) -> None:
    assert argument_from_word(parameter, text) == value
