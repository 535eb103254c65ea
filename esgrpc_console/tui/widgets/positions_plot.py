"""Where a follower and its leader were in the last minutes, as a plot of two lines on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import PositionSample, words
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.plot import Mark, Plot, plot

_MIN_WIDTH = 16
_CURRENT = 10.0
"""Up to which age, in seconds, the newest sample is called "now"."""


@dataclass(frozen=True)
class _Drawn:
    samples: Sequence[PositionSample] = ()
    tone: Tone = Tone.PLAIN
    age: str = "now"


class PositionsPlot(Widget):
    """Draws what it is given, and nothing by itself."""

    DEFAULT_CSS = """
    PositionsPlot {
        height: 8;
        padding: 0 1;
    }
    """

    drawn: reactive[_Drawn] = reactive(_Drawn)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label_width = 0

    def show(self, samples: Sequence[PositionSample], tone: Tone, now: float) -> None:
        """Shows samples.

        :param samples: the oldest first.
        :param tone: the one in which the follower's state is told.
        :param now: the reading of the clock that the samples' times are of.
        """
        age = now - samples[-1].time if samples else 0.0
        told = "now" if age < _CURRENT else f"{words.duration(age)} ago"
        self.drawn = _Drawn(samples, tone, told)

    def render(self) -> Text:
        """Draws the plot, numbers beside it, and the time below it."""
        drawn = self.drawn
        width, height = self.size.width, self.size.height
        if not drawn.samples or width < _MIN_WIDTH or height < 2:
            return Text("positions are not known yet" if not drawn.samples else "", "dim", end="")
        newest = drawn.samples[-1]
        numbers = [number for sample in drawn.samples for number in (sample.position, sample.head)]
        axis_width = max(len(words.number(number)) for number in (min(numbers), max(numbers)))
        # Columns only grow: what breathes can't be read.
        self._label_width = max(self._label_width, len(f"position {words.number(newest.position)}"))
        plot_width = width - axis_width - self._label_width - 3
        has_labels = plot_width >= _MIN_WIDTH
        if not has_labels:
            plot_width = width - axis_width - 1
        drawing = plot(drawn.samples, plot_width, height - 1)
        styles = self._styles(drawn.tone)
        labels = _labels(drawing, newest) if has_labels else {}
        text = Text(no_wrap=True, end="")
        for row in range(height - 1):
            text.append(_axis(drawing, row, height - 2, axis_width), styles[Mark.NOTHING])
            text.append("│" if row != height - 2 else "└", styles[Mark.NOTHING])
            at = 0
            for mark, cells in groupby(drawing.marks[row]):
                end = at + sum(1 for _ in cells)
                text.append(drawing.rows[row][at:end], styles[mark])
                at = end
            if row in labels:
                label, mark = labels[row]
                text.append(f" {label}", styles[mark])
            text.append("\n")
        text.append_text(_caption(drawn, axis_width + 1, plot_width))
        return text

    def _styles(self, tone: Tone) -> dict[Mark, Style]:
        appearance = Appearance(self.app.theme_variables)
        return {
            Mark.NOTHING: Style(dim=True),
            Mark.HEAD: appearance.style(Tone.ACCENT),
            Mark.POSITION: appearance.style(tone),
        }


def _axis(drawing: Plot, row: int, last_row: int, width: int) -> str:
    if row == 0:
        return f"{words.number(drawing.greatest):>{width}}"
    if row == last_row and drawing.least != drawing.greatest:
        return f"{words.number(drawing.least):>{width}}"
    return " " * width


def _labels(drawing: Plot, newest: PositionSample) -> dict[int, tuple[str, Mark]]:
    """Returns what is written behind the lines' ends, by row."""
    head = f"head {words.number(newest.head)}"
    position = f"position {words.number(newest.position)}"
    head_row, position_row = drawing.head_row, drawing.position_row
    if head_row == position_row:
        # The lines can't be told apart there: one is above the other.
        if head_row == 0:
            position_row = 1
        else:
            head_row = position_row - 1
    return {head_row: (head, Mark.HEAD), position_row: (position, Mark.POSITION)}


def _caption(drawn: _Drawn, indent: int, width: int) -> Text:
    span = drawn.samples[-1].time - drawn.samples[0].time
    begin = f"the last {words.duration(span)}" if span >= 1 else ""
    legend = "── position   ╌╌ head"
    room = width - len(begin) - len(drawn.age)
    middle = legend.center(room) if room >= len(legend) + 2 else " " * max(1, room)
    return Text(f"{' ' * indent}{begin}{middle}{drawn.age}", "dim", no_wrap=True, end="")
