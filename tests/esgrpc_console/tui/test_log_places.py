"""Places of a log, as people write them."""

from __future__ import annotations

import pytest

from esgrpc_console.tui.log_places import place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12,398", 12_398),
        ("#12398", 12_398),
        (" # 12 398 ", 12_398),
        ("1_000", 1_000),
        ("50%", 500),
        ("99.9 %", 999),
        ("0%", 1),
        ("250%", 1_000),
        ("999999999999999999999", 999_999_999_999_999_999_999),
    ],
)
def test_an_id_or_a_part_of_the_log_is_a_place(text: str, place: int) -> None:
    assert place_of(text, 1_000) == place


@pytest.mark.parametrize("text", ["", "abc", "12x", "-5", "%", "1.5", "½", "١٢"])
def test_other_words_are_none(text: str) -> None:
    assert place_of(text, 1_000) is None
