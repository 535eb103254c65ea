"""Lines that are drawn many times leave nothing behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from esgrpc_console.tui.row_drawing import strip_of
from esgrpc_console.tui.widgets.drawn_lines import DrawnLine

PIECES = [("▸", Style(bold=True)), ("", Style()), ("你好, world", Style(dim=True))]
BASE = Style(color="red")


@pytest.fixture
def _without_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_without_garbage_collector")
def test_a_line_that_was_drawn_is_gone_when_nobody_has_it() -> None:
    line = DrawnLine([Segment("abc")], 3)
    assert [part.text for part in line.divide([3])] == ["abc"]
    assert [part.text for part in line.divide([1, 3])] == ["a", "bc"]
    is_there = weakref.ref(line)
    del line
    assert is_there() is None


@pytest.mark.parametrize("width", [0, 1, 2, 4, 12, 13, 40])
def test_a_line_is_as_wide_as_it_is_to_be(width: int) -> None:
    strip = strip_of(PIECES, width, BASE)
    expected = Strip([Segment(text, style) for text, style in PIECES])
    expected = expected.crop_extend(0, width, BASE).apply_style(BASE)
    assert strip.cell_length == width
    assert strip.text == expected.text
    for shown, wanted in zip(_cells(strip), _cells(expected), strict=True):
        assert shown == wanted


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(character, style) for text, style, _ in strip for character in text]
