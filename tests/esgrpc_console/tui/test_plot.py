"""Tests of the plot of positions: what is drawn where, and what is written beside it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from esgrpc_console.system_view import PositionSample
from esgrpc_console.tui.appearance import Tone
from esgrpc_console.tui.plot import Mark, plot
from esgrpc_console.tui.widgets.positions_plot import PositionsPlot
from tests.esgrpc_console.screen_reading import screen_text

BLANK = "\u2800"


def _samples(*points: tuple[int, int], seconds: float = 4.0) -> list[PositionSample]:
    return [
        PositionSample(seconds * index, position, head)
        for index, (position, head) in enumerate(points)
    ]


def _marks(samples: Sequence[PositionSample], width: int, height: int) -> list[str]:
    drawing = plot(samples, width, height)
    assert [len(row) for row in drawing.rows] == [width] * height
    letters = {Mark.NOTHING: " ", Mark.HEAD: "h", Mark.POSITION: "p"}
    return ["".join(letters[mark] for mark in row) for row in drawing.marks]


def test_a_position_that_stands_still_is_left_behind_by_the_head() -> None:
    samples = _samples(*((min(step, 4), step) for step in range(9)))
    drawing = plot(samples, 20, 4)
    assert (drawing.least, drawing.greatest) == (0, 8)
    assert (drawing.position_row, drawing.head_row) == (1, 0)
    assert _marks(samples, 20, 4) == [
        "                  hh",
        "          pppppppppp",
        "     pppppp         ",
        "pppppp              ",
    ]


def test_what_is_known_at_one_moment_holds_until_the_next() -> None:
    samples = [PositionSample(0, 0, 10), PositionSample(90, 10, 10), PositionSample(100, 10, 10)]
    assert _marks(samples, 10, 2) == ["hh  hh  hp", "pppppppppp"]


def test_the_head_is_dashed_and_the_position_is_not() -> None:
    drawing = plot(_samples(*[(0, 10)] * 9), 12, 3)
    assert drawing.rows[0] == BLANK * 2 + "⠉⠉" + BLANK * 2 + "⠉⠉" + BLANK * 2 + "⠉⠉"
    assert drawing.rows[1] == BLANK * 12
    assert drawing.rows[2] == "⣀" * 12


@pytest.mark.parametrize("count", [1, 2, 225])
def test_where_nothing_happens_the_line_is_in_the_middle(count: int) -> None:
    assert _marks(_samples(*[(12, 12)] * count), 8, 3) == [" " * 8, "p" * 8, " " * 8]


def test_a_log_that_has_become_shorter_is_drawn_so() -> None:
    drawing = plot(_samples((8000, 8000), (8000, 8000), (8000, 3)), 12, 4)
    assert (drawing.least, drawing.greatest) == (3, 8000)
    assert (drawing.position_row, drawing.head_row) == (0, 3)


def test_the_greatest_ids_can_be_drawn() -> None:
    drawing = plot(_samples((0, 2**64 - 1), (2**64 - 1, 2**64 - 1)), 10, 3)
    assert drawing.greatest == 2**64 - 1


class _PlotApp(App[None]):
    CSS = "PositionsPlot { height: 7; }"

    def compose(self) -> ComposeResult:
        yield PositionsPlot()


async def _shown(
    samples: Sequence[PositionSample], *, width: int = 80, now: float | None = None
) -> list[str]:
    app = _PlotApp()
    async with app.run_test(size=(width, 8)) as pilot:
        at = samples[-1].time if samples and now is None else now or 0.0
        app.query_one(PositionsPlot).show(samples, Tone.GOOD, at)
        await pilot.pause()
        return [line.replace(BLANK, " ").rstrip() for line in screen_text(app).splitlines()]  # type: ignore[arg-type]


async def test_numbers_and_the_time_are_written_beside_the_lines() -> None:
    shown = await _shown(_samples(*((min(step, 700), step * 10) for step in range(225))))
    assert shown[0].startswith(" 2,240│")
    assert shown[0].endswith(" head 2,240")
    assert shown[5].endswith(" position 224")
    assert shown[5].startswith("     0└")
    assert shown[6].split("  ")[0] == ""
    assert "the last 14m 56s" in shown[6]
    assert "── position   ╌╌ head" in shown[6]
    assert shown[6].endswith(" now")


async def test_labels_that_would_be_in_one_row_are_in_two() -> None:
    shown = await _shown(_samples(*((step, step) for step in range(225))))
    assert shown[0].endswith(" head 224")
    assert shown[1].endswith(" position 224")


async def test_old_samples_are_not_said_to_be_of_now() -> None:
    shown = await _shown(_samples((1, 1), (1, 2)), now=140.0)
    assert shown[6].endswith(" 2m 16s ago")
    assert "the last 4s" in shown[6]


@pytest.mark.parametrize("width", [1, 10, 16, 20, 30, 40])
async def test_there_is_no_room_too_small(width: int) -> None:
    shown = await _shown(_samples(*((step, 1_000_000) for step in range(9))), width=width)
    assert all(len(line) <= width for line in shown)


async def test_it_is_said_that_nothing_is_known_yet() -> None:
    assert (await _shown([]))[0] == " positions are not known yet"
