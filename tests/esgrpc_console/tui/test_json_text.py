"""JSON as lines, and lines as rows."""

from __future__ import annotations

import json
import time

import pytest

from esgrpc_console.tui.json_text import Kind, Line, json_lines, laid_out
from esgrpc_console.tui.state_lines import path_words
from esgrpc_console.tui.wrapping import rows_of


def _text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


def test_json_is_laid_out_a_line_a_member() -> None:
    value = {"a": 1, "b": {"c": [1, 2.5, {"x": None}], "d": {}, "e": []}, "s": "x", "t": True}
    assert _text(json_lines(json.dumps(value))) == json.dumps(value, indent=2)


def test_each_value_has_the_path_that_leads_to_it() -> None:
    lines = json_lines('{"lines": [{"price": 1}, {"price": 2}]}')
    paths = {path_words(line.path): line.text.strip() for line in lines if line.path is not None}
    assert paths["lines[1].price"] == '"price": 2'
    assert paths["lines"] == '"lines": ['
    assert paths[""] == "{"


def test_what_each_part_is_is_told() -> None:
    (line,) = json_lines('{"a": ["b", 1, true]}')[1:2]
    assert line.pieces[1] == ('"a"', Kind.KEY)
    kinds = {text: kind for line in json_lines('["b", -1.5e3, null]') for text, kind in line.pieces}
    assert kinds['"b"'] is Kind.STRING
    assert kinds["-1.5e3"] is Kind.NUMBER
    assert kinds["null"] is Kind.WORD


def test_digits_stay_as_they_were_written() -> None:
    text = '{"price": 1.10, "id": 123456789012345678901234567890}'
    assert "1.10" in _text(json_lines(text))
    assert laid_out(text) == '{\n  "price": 1.10,\n  "id": 123456789012345678901234567890\n}'


def test_what_is_escaped_can_be_read_and_does_no_harm() -> None:
    shown = _text(json_lines(json.dumps({"a": "你好 [/red]\x1b[2J\u202e"})))
    assert "你好 [/red]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_long_string_is_shown_in_part_and_what_follows_it_too() -> None:
    shown = _text(json_lines(json.dumps({"a": "x" * 1_000_000, "b": 1})))
    assert "1,000,000 characters" in shown
    assert '"b": 1' in shown
    assert len(shown) < 5_000


def test_of_a_long_text_the_beginning_is_shown_and_that_it_is_not_all() -> None:
    text = json.dumps([{"k": n} for n in range(100_000)])
    started = time.perf_counter()
    lines = json_lines(text)
    assert time.perf_counter() - started < 2
    assert lines[-1].text.startswith("… the first ")
    assert lines[-1].text.endswith(f"of {len(text):,} characters")


@pytest.mark.parametrize(
    "text",
    ["", "no", '{"a', '"\\', "}]", "[" * 50_000, '{"a":' * 50_000, "[1 2", ":::", '{1: "a"}'],
)
def test_what_is_no_json_is_shown_all_the_same(text: str) -> None:
    shown = _text(json_lines(text))
    assert text.strip()[:1] in shown
    assert laid_out(text).replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_lines_are_broken_where_the_screen_ends() -> None:
    line = Line([("    ", Kind.PLAIN), ('"a": ', Kind.KEY), ("x" * 50, Kind.STRING)])
    rows = rows_of([line], 30)
    assert [len(row.text) for row in rows] == [30, 30, 11]
    assert [row.is_continued for row in rows] == [False, True, True]
    assert "".join(row.text.strip() for row in rows) == line.text.strip()


def test_wide_characters_take_two_cells() -> None:
    rows = rows_of([Line([("你" * 10, Kind.STRING)])], 8)
    assert [row.text.strip() for row in rows] == ["你你你你", *["你你你你"], "你你"]


@pytest.mark.parametrize("width", [1, 2, 3, 17])
def test_lines_fit_however_narrow_it_is(width: int) -> None:
    lines = json_lines('{"abc": {"def": "some text 你好", "n": [1, 2, 3]}}')
    rows = rows_of(lines, width)
    together = "".join(row.text.replace(" ", "") for row in rows)
    assert together == _text(lines).replace(" ", "").replace("\n", "")
