"""A system in few lines: each leader with its followers, and how far those are behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.cells import cell_len

from esgrpc_console.tui.appearance import Tone
from esgrpc_console.tui.drawing.layout import shown_name
from esgrpc_console.tui.drawing.model import Arrow, Box, Drawing, Span, SystemFigure, Target

_INDENT = 2


def list_compactly(figure: SystemFigure, width: int) -> Drawing:
    """Returns a line for each application that is followed, and more where one is too short.

    :param width: of the lines. Names are never broken, nor are numbers.
    """
    lines: list[tuple[Span, ...]] = []
    targets: list[Target] = []
    for box in figure.boxes:
        followers = [arrow for arrow in figure.arrows if arrow.leader == box.name]
        if not followers:
            continue
        line: list[Span] = [*_leader(box)]
        targets.append(Target(0, len(lines), _length(line), 1, box.name))
        for arrow, spans in _followers(followers):
            if _length(line) + 1 + _length(spans) > width and len(line) > 1:
                lines.append(tuple(line))
                line = [Span(" " * _INDENT)]
            line.append(Span(" "))
            place = Target(
                _length(line), len(lines), _length(spans), 1, arrow.follower, arrow.leader
            )
            targets.append(place)
            line += spans
        lines.append(tuple(line))
    return Drawing(tuple(lines), max(map(_length, lines), default=0), tuple(targets))


def _leader(box: Box) -> Iterator[Span]:
    is_sick = box.tone in {Tone.BAD, Tone.WAITING}
    if is_sick:
        yield Span(f"{box.symbol} ", box.tone)
    yield Span(shown_name(box.name), box.tone if is_sick else Tone.PLAIN, is_bold=True)
    yield Span(" →", is_dim=True)


def _followers(arrows: list[Arrow]) -> Iterator[tuple[Arrow, list[Span]]]:
    for arrow in arrows:
        name = Span(shown_name(arrow.follower), Tone.PLAIN, is_dim=arrow.is_stale)
        label = Span(f" {arrow.label}", arrow.tone, is_dim=arrow.is_stale)
        spans = [name, label]
        if arrow is not arrows[-1]:
            spans.append(replace(label, text=",", tone=Tone.PLAIN))
        yield arrow, spans


def _length(spans: list[Span] | tuple[Span, ...]) -> int:
    return sum(cell_len(span.text) for span in spans)
