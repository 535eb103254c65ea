"""Draws two series of numbers over time, on one scale, with the dots of Braille characters.

One is drawn as a line, the other dashed, so that they are told apart without colours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from esgrpc_console.system_view import PositionSample

_BLANK = 0x2800
_DOTS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
"""The dots of a character, from the lowest upwards; each time the left and the right one."""
_DOTS_UP = len(_DOTS)
_DOTS_ACROSS = 2
_DASH = 4
"""How many dots wide dashes and the gaps between them are."""


class Mark(Enum):
    """What is drawn in a character."""

    NOTHING = 0
    HEAD = 1
    POSITION = 2
    """Also where both are."""


@dataclass(frozen=True)
class Plot:
    """What is drawn, row by row from the highest downwards."""

    rows: Sequence[str]
    marks: Sequence[Sequence[Mark]]
    least: int
    """The number at the lower edge."""
    greatest: int
    """The number at the upper edge."""
    position_row: int
    """The row in which the newest position is."""
    head_row: int
    """The row in which the newest head is."""


def plot(samples: Sequence[PositionSample], width: int, height: int) -> Plot:
    """Draws positions and heads. What is known at one moment is taken to hold until the next.

    :param samples: one or more, the oldest first.
    :param width: in characters.
    :param height: in characters.
    """
    numbers = [number for sample in samples for number in (sample.position, sample.head)]
    canvas = _Canvas(width, height, min(numbers), max(numbers))
    columns = _columns(samples, canvas.dots_across)
    # What is drawn later is what a character is told to be.
    canvas.draw([sample.head for sample in columns], Mark.HEAD, is_dashed=True)
    canvas.draw([sample.position for sample in columns], Mark.POSITION, is_dashed=False)
    return canvas.plot(samples[-1])


class _Canvas:
    def __init__(self, width: int, height: int, least: int, greatest: int) -> None:
        self._least = least
        self._greatest = greatest
        self._height = height
        self._cells = [[0] * width for _ in range(height)]
        self._marks = [[Mark.NOTHING] * width for _ in range(height)]
        self.dots_across = width * _DOTS_ACROSS
        self._dots_up = height * _DOTS_UP

    def draw(self, values: Sequence[int], mark: Mark, *, is_dashed: bool) -> None:
        before = self._dot(values[0])
        last = len(values) - 1
        for x, value in enumerate(values):
            dot = self._dot(value)
            # Its newest end is always there.
            if not is_dashed or (last - x) // _DASH % 2 == 0:
                for y in range(min(before, dot), max(before, dot) + 1):
                    self._set(x, y, mark)
            before = dot

    def plot(self, newest: PositionSample) -> Plot:
        return Plot(
            rows=["".join(chr(_BLANK + cell) for cell in row) for row in self._cells],
            marks=self._marks,
            least=self._least,
            greatest=self._greatest,
            position_row=self._row(self._dot(newest.position)),
            head_row=self._row(self._dot(newest.head)),
        )

    def _set(self, x: int, y: int, mark: Mark) -> None:
        row, column = self._row(y), x // _DOTS_ACROSS
        self._cells[row][column] |= _DOTS[y % _DOTS_UP][x % _DOTS_ACROSS]
        self._marks[row][column] = mark

    def _row(self, dot: int) -> int:
        return self._height - 1 - dot // _DOTS_UP

    def _dot(self, value: int) -> int:
        """Returns how many dots above the lowest a number is."""
        if self._greatest == self._least:
            return self._dots_up // 2
        return round((value - self._least) / (self._greatest - self._least) * (self._dots_up - 1))


def _columns(samples: Sequence[PositionSample], count: int) -> list[PositionSample]:
    """Returns what was known at as many moments, at equal distances, the last one the newest."""
    times = [sample.time for sample in samples]
    first, last = times[0], times[-1]
    columns = []
    for x in range(count):
        time = first + (last - first) * x / max(1, count - 1)
        columns.append(samples[max(0, bisect_right(times, time) - 1)])
    return columns
