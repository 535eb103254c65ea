"""What is told of an aggregate's state, and of what has changed."""

from __future__ import annotations

import json

from esgrpc_console.system_view import AggregateView
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.tui.json_text import Kind, Line
from esgrpc_console.tui.state_lines import state_lines


def _order(version: int, **attributes: JsonValue) -> AggregateView:
    state = {"version": version, "modified_on": f"at {version}", **attributes}
    return AggregateView("shop:Order", "7b1c", version, json.dumps(state))


def _texts(lines: list[Line]) -> list[str]:
    return [line.text.rstrip() for line in lines]


def test_what_has_changed_is_told_first_and_marked_in_the_state() -> None:
    before = _order(1, is_reserved=False, note="x", paid_by=None)
    lines = state_lines(_order(2, is_reserved=True, paid_by=None, lines=[1]), before)
    assert _texts(lines) == [
        "changed from version 1",
        "~ is_reserved  false → true",
        "+ lines  [1]",
        '- note  "x"',
        "",
        "state at version 2",
        "  {",
        '~   "version": 2,',
        '~   "modified_on": "at 2",',
        '~   "is_reserved": true,',
        '    "paid_by": null,',
        '+   "lines": [',
        "      1",
        "    ]",
        "  }",
    ]
    assert lines[2].pieces[0] == ("+ ", Kind.ADDED)


def test_of_the_first_version_nothing_has_changed() -> None:
    assert _texts(state_lines(_order(1), None))[0] == "state at version 1"


def test_that_nothing_but_the_version_has_changed_is_told() -> None:
    assert _texts(state_lines(_order(2, a=1), _order(1, a=1)))[0] == (
        "changed from version 1: nothing"
    )


def test_states_that_are_no_json_are_shown_without_changes() -> None:
    odd = AggregateView("shop:Order", "7b1c", 2, "NaN?")
    texts = _texts(state_lines(odd, _order(1)))
    assert texts[0] == "changed from version 1: can't be told, one of the states is no JSON"
    assert texts[-1].strip() == "NaN?"


def test_long_values_are_shortened_where_changes_are_listed() -> None:
    lines = state_lines(_order(2, a="y" * 1_000_000), _order(1, a="x" * 1_000_000))
    assert len(lines[1].text) < 200
    assert "…" in lines[1].text


def test_no_more_changes_are_listed_than_can_be_read() -> None:
    before = _order(1, a={str(n): n for n in range(1_000)})
    lines = state_lines(_order(2, a={str(n): -n - 1 for n in range(1_000)}), before)
    assert "… and 800 more" in _texts(lines)
