import json

import pytest

from esgrpc_console.system_view import MISSING, Difference, differences
from esgrpc_console.system_view.parameters import JsonValue


def test_equal_values_have_no_differences() -> None:
    value: JsonValue = {"a": [1, {"b": None}], "c": "x"}
    assert differences(value, json.loads(json.dumps(value))) == ()


def test_attributes_that_changed_came_or_went_are_told_in_the_later_order() -> None:
    before: JsonValue = {"id": "7b1c", "is_reserved": False, "reservation_id": None, "old": 1}
    after: JsonValue = {"id": "7b1c", "new": 2, "is_reserved": True, "reservation_id": "1f0a"}
    assert differences(before, after) == (
        Difference("new", MISSING, 2),
        Difference("is_reserved", False, True),
        Difference("reservation_id", None, "1f0a"),
        Difference("old", 1, MISSING),
    )


def test_only_the_innermost_place_is_told() -> None:
    before: JsonValue = {"lines": [{"price": "1.10", "amount": 1}, {"price": "2", "amount": 1}]}
    after: JsonValue = {"lines": [{"price": "1.10", "amount": 1}, {"price": "3", "amount": 1}]}
    assert differences(before, after) == (Difference("lines[1].price", "2", "3"),)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1, 2], [1, 2, 3], [("[2]", MISSING, 3)]),
        ([1, 2, 3], [1, 3], [("[1]", 2, MISSING)]),
        ([1, 2], [0, 1, 2], [("[0]", MISSING, 0)]),
        ([1, 1], [1, 1, 1], [("[2]", MISSING, 1)]),
        ([], [1], [("[0]", MISSING, 1)]),
        ([1, 2, 3], [1, 9, 3], [("[1]", 2, 9)]),
    ],
)
def test_elements_that_only_moved_are_not_different(
    before: JsonValue, after: JsonValue, expected: list[tuple[str, JsonValue, JsonValue]]
) -> None:
    assert [(d.path, d.before, d.after) for d in differences(before, after)] == expected


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (0, False), (1, 1.0), ([], {}), ("", None)]
)
def test_what_json_tells_apart_is_different(before: JsonValue, after: JsonValue) -> None:
    assert differences(before, after) == (Difference("", before, after),)
    assert [d.path for d in differences([before], [after])] == ["[0]"]
    assert len(differences({"a": {"b": before}}, {"a": {"b": after}})) == 1


def test_a_value_deeper_than_the_stack_is_no_error() -> None:
    before: JsonValue = 1
    after: JsonValue = 2
    for _ in range(900):
        before, after = {"a": before}, {"a": after}
    (difference,) = differences(before, after)
    assert difference.path == ".".join(["a"] * 900)


def test_large_states_are_compared_quickly() -> None:
    before: JsonValue = {"items": list(range(100_000)), "text": "x" * 1_000_000}
    after: JsonValue = {"items": [*range(100_000), 1], "text": "x" * 1_000_000 + "y"}
    assert [d.path for d in differences(before, after)] == ["items[100000]", "text"]
