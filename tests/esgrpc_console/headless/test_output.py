"""Tables and lines for people, and names that people mistype."""

from __future__ import annotations

import io

import pytest

from esgrpc_console.headless.names import find_name
from esgrpc_console.headless.output import Cell, Column, Output, Style
from esgrpc_console.outcome import CommandFailed


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        """Says that it is one."""
        return True


@pytest.fixture(autouse=True)
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.delenv("NO_COLOR", raising=False)


COLUMNS = (Column("NAME"), Column("N", is_number=True), Column("LAST ERROR"))
ROWS = [
    [Cell("a", Style.GOOD), Cell("1"), Cell("x" * 30)],
    [Cell("你好"), Cell("1,000"), Cell("")],
]


def test_columns_are_aligned_also_with_wide_characters() -> None:
    stream = io.StringIO()
    Output(is_json=False, stdout=stream).write_table(COLUMNS, ROWS)
    assert stream.getvalue().splitlines() == [
        "NAME      N  LAST ERROR",
        f"a         1  {'x' * 30}",
        "你好  1,000",
    ]


def test_a_terminal_has_colours_and_an_edge() -> None:
    stream = _Terminal()
    Output(is_json=False, stdout=stream).write_table(COLUMNS, ROWS)
    heading, first, _ = stream.getvalue().splitlines()
    assert heading.startswith("\x1b[1mNAME\x1b[0m")
    assert first == "\x1b[32ma\x1b[0m         1  xxxxxx…"


def test_what_is_not_for_a_terminal_is_never_cut() -> None:
    stream = io.StringIO()
    Output(is_json=False, stdout=stream).write_line("你" * 2_000_000)
    assert stream.getvalue() == "你" * 2_000_000 + "\n"


def test_without_colour_wanted_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    output = Output(is_json=False, stdout=stream)
    output.write_table(COLUMNS, ROWS)
    output.write_line("你好" * 20, Style.BAD)
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().splitlines()[-1] == f"{'你好你好你好你好你'}…"


def test_progress_is_shown_on_terminals_only() -> None:
    quiet, terminal = io.StringIO(), _Terminal()
    for stream in (quiet, terminal):
        output = Output(is_json=True, stdout=io.StringIO(), stderr=stream)
        output.show_progress("half\x1b[31m")
        output.show_progress("")
    assert quiet.getvalue() == ""
    assert terminal.getvalue() == "\r\x1b[Khalf␛[31m\r\x1b[K"


def test_a_name_is_found_in_any_case_if_only_one_is_meant() -> None:
    names = ["Orders", "orders", "Payments"]
    assert find_name("orders", names, "application", "this system") == "orders"
    assert find_name("PAYMENTS", names, "application", "this system") == "Payments"
    with pytest.raises(CommandFailed, match="did you mean Orders or orders"):
        find_name("ORDERS", names, "application", "this system")


def test_a_name_that_there_is_not_is_answered_with_those_there_are() -> None:
    many = [f"Application{number}" for number in range(40)]
    with pytest.raises(CommandFailed) as caught:
        find_name("Applicatoin7", many, "application", "this system")
    text = str(caught.value)
    assert text.startswith("'Applicatoin7' is not an application of this system: did you mean ")
    assert text.endswith(" and 10 more")
    with pytest.raises(CommandFailed, match="Shop has no method 'x': it has none at all"):
        find_name("x", [], "method", "Shop")
