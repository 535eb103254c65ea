import json

import pytest

from esgrpc_console.system_view.mentions import find_mention

ORDER = "7b1c4f0e-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    ("state", "text", "mention"),
    [
        ({"originator_id": ORDER, "order_id": ORDER}, ORDER, f"order_id {ORDER}"),
        ({"originator_id": ORDER}, ORDER, ""),
        ({"order_id": ORDER}, ORDER.replace("-", "").upper(), f"order_id {ORDER}"),
        ({"lines": [{"sku": "a"}, {"sku": "B-12"}]}, "b-1", "lines[1].sku B-12"),
        ({"amount": 12}, "12", "amount 12"),
        ({"Amount": 12}, "amount", "Amount 12"),
        ({"note": None}, "null", "note null"),
        ({"note": "x"}, "y", ""),
        ([1], "1", ""),
    ],
)
def test_the_first_attribute_that_mentions_a_text_is_told(
    state: object, text: str, mention: str
) -> None:
    assert find_mention(json.dumps(state), text) == mention


def test_a_long_value_is_told_around_what_was_found() -> None:
    mention = find_mention(json.dumps({"note": "a" * 500 + "needle" + "b" * 500}), "NEEDLE")
    assert mention.startswith("note …aaa")
    assert "needlebbb" in mention
    assert mention.endswith("b…")
    assert len(mention) < 80


@pytest.mark.parametrize(
    "state", ["", "{", "null", "[" * 100_000, '{"a": "needle"' + " " * 200_000]
)
def test_what_cannot_be_looked_through_has_no_mention(state: str) -> None:
    assert find_mention(state, "needle") == ""


def test_nothing_to_look_for_is_mentioned_nowhere() -> None:
    assert find_mention('{"a": "b"}', "") == ""
