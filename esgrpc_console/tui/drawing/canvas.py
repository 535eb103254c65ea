"""Draws a layout with the characters of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from rich.cells import cell_len

from esgrpc_console.tui.appearance import Tone
from esgrpc_console.tui.drawing.layout import Layout, PlacedBox, PlacedLink, shown_name
from esgrpc_console.tui.drawing.model import (
    Arrow,
    Box,
    Drawing,
    Span,
    SystemFigure,
    Target,
)

_SICK = {Tone.BAD, Tone.WAITING}
_Cell: TypeAlias = tuple[str, tuple[Tone, bool, bool] | None]
"""A character and its style. None: nothing is there."""


def draw(figure: SystemFigure, layout: Layout, *, is_low: bool) -> Drawing:
    """Returns the drawing of a layout."""
    canvas = _Canvas(layout.width, layout.height)
    boxes = {box.name: box for box in figure.boxes}
    for placed in layout.boxes:
        box = boxes[placed.name]
        if placed.is_mention:
            span = Span(f" {shown_name(box.name)}", Tone.PLAIN, is_dim=True)
            canvas.write(placed.x, placed.y, span)
        else:
            _draw_box(canvas, placed, box, is_low)
    for link in layout.links:
        _draw_link(canvas, link)
    return Drawing(
        tuple(canvas.lines()),
        layout.width,
        (*_link_targets(layout.links), *map(_box_target, layout.boxes)),
    )


class _Canvas:
    """Cells, each with one character and its style. The second cell of a wide one has none."""

    def __init__(self, width: int, height: int) -> None:
        blank: _Cell = (" ", None)
        self._rows = [[blank] * width for _ in range(height)]

    def write(self, x: int, y: int, *spans: Span) -> None:
        """Writes pieces of text, one behind the other."""
        row = self._rows[y]
        for span in spans:
            style = span.tone, span.is_dim, span.is_bold
            for character in span.text:
                width = cell_len(character)
                if width == 0:
                    row[x - 1] = (f"{row[x - 1][0]}{character}", row[x - 1][1])
                    continue
                row[x] = (character, style)
                for covered in range(x + 1, x + width):
                    row[covered] = ("", style)
                x += width

    def lines(self) -> Iterator[tuple[Span, ...]]:
        """Returns the lines, in as few pieces as their styles allow."""
        for row in self._rows:
            yield tuple(
                Span("".join(text for text, _ in cells), *(style or ()))
                for style, cells in groupby(row, key=itemgetter(1))
            )


def _draw_box(canvas: _Canvas, placed: PlacedBox, box: Box, is_low: bool) -> None:
    x, y, inside = placed.x, placed.y, placed.width - 2
    is_sick = box.tone in _SICK
    frame = Span("", box.tone if is_sick else Tone.PLAIN, is_dim=not is_sick, is_bold=is_sick)
    canvas.write(x, y, replace(frame, text=f"┌{'─' * inside}┐"))
    for row in range(y + 1, y + placed.height - 1):
        canvas.write(x, row, replace(frame, text="│"))
        canvas.write(x + placed.width - 1, row, replace(frame, text="│"))
    canvas.write(x, y + placed.height - 1, replace(frame, text=f"└{'─' * inside}┘"))
    canvas.write(
        x + 2,
        y + 1,
        Span(f"{box.symbol} ", box.tone),
        Span(
            shown_name(box.name),
            box.tone if is_sick else Tone.PLAIN,
            is_dim=box.is_stale,
            is_bold=True,
        ),
    )
    head_at = x + placed.width - 2 - len(box.head)
    head = Span(box.head, Tone.PLAIN, is_dim=box.is_stale)
    canvas.write(head_at, y + (1 if is_low else 2), head)


def _draw_link(canvas: _Canvas, link: PlacedLink) -> None:
    to_right, to_left = _directions(link)
    left = _arrow_spans(to_left, ("◀─ ", " ")) if to_left else ()
    right = _arrow_spans(to_right, (" ", " ─▶")) if to_right else ()
    left_end, right_start = link.x + _length(left), link.x + link.width - _length(right)
    # Between two arrows the line is of neither.
    arrow = None if to_left and to_right else to_left or to_right
    line = _line(arrow) if arrow else Span("", is_dim=True)
    canvas.write(link.x, link.y, *left)
    canvas.write(left_end, link.y, replace(line, text="─" * (right_start - left_end)))
    canvas.write(right_start, link.y, *right)
    if arrow is to_right and not link.is_left_mention:
        canvas.write(link.x - 1, link.y, replace(line, text="├"))
    if arrow is to_left and not link.is_right_mention:
        canvas.write(link.x + link.width, link.y, replace(line, text="┤"))


def _directions(link: PlacedLink) -> tuple[Arrow | None, Arrow | None]:
    """Returns the arrow that points to the right, and the one that points to the left."""
    to_right = [arrow for arrow in link.arrows if arrow.follower == link.right]
    to_left = [arrow for arrow in link.arrows if arrow.follower != link.right]
    return to_right[0] if to_right else None, to_left[0] if to_left else None


def _line(arrow: Arrow) -> Span:
    is_sick = arrow.tone in _SICK
    return Span("", arrow.tone if is_sick else Tone.PLAIN, is_dim=not is_sick or arrow.is_stale)


def _arrow_spans(arrow: Arrow, around: tuple[str, str]) -> tuple[Span, ...]:
    before, behind = around
    line = _line(arrow)
    label = Span(arrow.label, arrow.tone, is_dim=arrow.is_stale, is_bold=arrow.tone in _SICK)
    return replace(line, text=before), label, replace(line, text=behind)


def _length(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def _box_target(box: PlacedBox) -> Target:
    return Target(box.x, box.y, box.width, box.height, box.name)


def _link_targets(links: Iterable[PlacedLink]) -> Iterator[Target]:
    """Each arrow has its line; two on one line have a half each."""
    for link in links:
        to_right, to_left = _directions(link)
        half = link.width // 2 if to_right and to_left else 0
        if to_right:
            width = link.width - half
            yield Target(link.x + half, link.y, width, 1, to_right.follower, to_right.leader)
        if to_left:
            width = half or link.width
            yield Target(link.x, link.y, width, 1, to_left.follower, to_left.leader)
