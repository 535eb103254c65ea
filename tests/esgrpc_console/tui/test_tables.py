"""What tables show of their items, in which order and in which columns."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from esgrpc_console.tui.sparkline import sparkline
from esgrpc_console.tui.widgets.table_columns import Column, ColumnWidths, shortened
from esgrpc_console.tui.widgets.table_order import Order, in_order, matcher

COLUMNS = (
    Column("name", "NAME", 9, max_width=10),
    Column("note", "NOTE", 1),
    Column("head", "HEAD", 5, is_number=True),
    Column("error", "ERROR", 7, is_elastic=True),
)


def keys(widths: ColumnWidths, available: int) -> list[str]:
    """Returns the columns that there is room for."""
    return [placed.column.key for placed in widths.place(available)]


def test_the_least_important_columns_go_first() -> None:
    widths = ColumnWidths(COLUMNS)
    assert keys(widths, 80) == ["name", "note", "head", "error"]
    assert keys(widths, 25) == ["name", "head", "error"]
    assert keys(widths, 17) == ["name", "note", "head"]
    assert keys(widths, 12) == ["name", "head"]
    assert keys(widths, 5) == ["name"]


def test_columns_only_grow() -> None:
    widths = ColumnWidths(COLUMNS)
    widths.see(("a" * 8, "", "12,345", ""))
    grown = widths.place(80)
    widths.see(("a", "", "1", ""))
    assert widths.place(80) == grown


def test_numbers_are_never_cut_and_texts_are() -> None:
    widths = ColumnWidths(COLUMNS)
    number = "18,446,744,073,709,551,615"
    widths.see(("a" * 50, "", number, ""))
    name, _, head, _ = widths.place(80)
    assert head.place_text(number) == (head.x, number)
    assert name.place_text("a" * 50) == (name.x, "a" * 9 + "…")


def test_numbers_are_at_the_right() -> None:
    widths = ColumnWidths(COLUMNS)
    head = widths.place(80)[2]
    assert head.place_text("7") == (head.x + 3, "7")


def test_the_elastic_column_takes_what_is_left() -> None:
    *_, error = ColumnWidths(COLUMNS).place(80)
    assert error.x + error.width == 80


@pytest.mark.parametrize("text", ["plain text", "你好你好", "e\u0301" * 10])
@pytest.mark.parametrize("width", [1, 2, 5, 40])
def test_shortened_texts_fit(text: str, width: int) -> None:
    assert cell_len(shortened(text, width)) <= width


def test_the_greatest_number_comes_first_and_unknown_ones_last() -> None:
    order = Order("name").by("lag", is_number=True)
    assert order.is_descending
    assert in_order([(3, "a"), (None, "b"), (7, "c"), (3, "d")], order) == ["c", "a", "d", "b"]
    turned = order.by("lag", is_number=True)
    assert in_order([(3, "a"), (None, "b"), (7, "c"), (3, "d")], turned) == ["a", "d", "c", "b"]


def test_texts_are_sorted_in_any_case() -> None:
    order = Order("lag").by("name", is_number=False)
    assert in_order([("b", 1), ("A", 2), ("c", 3)], order) == [2, 1, 3]


@pytest.mark.parametrize(
    ("wanted", "text", "is_shown"),
    [
        ("", "Payments", True),
        ("pay", "Payments", True),
        ("AYM", "Payments", True),
        ("orders", "Payments", False),
        ("!orders", "Payments", True),
        ("!pay", "Payments", False),
        ("!", "Payments", True),
        ("[/red]", "x [/red] x", True),
    ],
)
def test_filters_let_through_what_has_a_text_or_has_it_not(
    wanted: str, text: str, is_shown: bool
) -> None:
    assert matcher(wanted)(text) is is_shown


def test_bars_show_the_newest_numbers_the_greatest_highest() -> None:
    assert sparkline([9, 0, 1, 2, 4, 8], 5) == "▁▂▃▅█"
    assert sparkline([5, 5], 4) == "  ██"
    assert sparkline([0, 0, 0], 3) == "▁▁▁"
    assert sparkline([], 3) == "   "
    assert sparkline([0.001, 1000], 2) == "▂█"
