"""Where boxes and arrows are on a drawing: what hangs on a box is beside it, and the box is as high
as all of that, so that every arrow is a straight line of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.cells import cell_len

from esgrpc_console.system_view import words
from esgrpc_console.tui.drawing.branches import Branch, find_roots, split_sides
from esgrpc_console.tui.drawing.model import Arrow, SystemFigure

MAX_NAME = 24
_BOX_FRAME = 4
_SYMBOL = 2
_PARTS_GAP = 4


@dataclass(frozen=True)
class PlacedBox:
    """A box, or a mere name. Sizes are in cells."""

    name: str
    x: int
    y: int
    width: int
    height: int
    is_mention: bool = False


@dataclass(frozen=True)
class PlacedLink:
    """A line between two boxes, with one arrow, or with one at each end."""

    x: int
    y: int
    width: int
    left: str
    right: str
    arrows: tuple[Arrow, ...]
    is_left_mention: bool = False
    is_right_mention: bool = False


@dataclass
class Layout:
    """Boxes and lines, and the room that they take."""

    width: int
    height: int
    boxes: list[PlacedBox] = field(default_factory=list)
    links: list[PlacedLink] = field(default_factory=list)

    def add(self, other: Layout, x: int, y: int) -> None:
        """Puts another layout somewhere on this one."""
        self.boxes += [replace(box, x=box.x + x, y=box.y + y) for box in other.boxes]
        self.links += [replace(link, x=link.x + x, y=link.y + y) for link in other.links]
        self.width = max(self.width, x + other.width)
        self.height = max(self.height, y + other.height)

    def mirrored(self) -> Layout:
        """Returns the layout with left and right exchanged."""
        return Layout(
            self.width,
            self.height,
            [replace(box, x=self.width - box.x - box.width) for box in self.boxes],
            [
                replace(
                    link,
                    x=self.width - link.x - link.width,
                    left=link.right,
                    right=link.left,
                    is_left_mention=link.is_right_mention,
                    is_right_mention=link.is_left_mention,
                )
                for link in self.links
            ],
        )


@dataclass(frozen=True)
class Metrics:
    """How large things are drawn."""

    figure: SystemFigure
    is_low: bool
    """Whether a box has one line inside, and a pair of arrows takes one line, and not two of each."""

    @property
    def gap(self) -> int:
        """The room between two boxes."""
        label = self.figure.label_width
        if not self.is_low or not self._has_pairs():
            return label + 6
        return 2 * label + 10

    @property
    def box_lines(self) -> int:
        """How many lines a box has inside."""
        return 1 if self.is_low else 2

    def box_width(self, name: str) -> int:
        """Returns how wide an application's box is."""
        inside = _SYMBOL + cell_len(shown_name(name))
        if self.is_low:
            return inside + 2 + self.figure.head_width + _BOX_FRAME
        return max(inside, self.figure.head_width) + _BOX_FRAME

    def rows_of(self, arrows: Sequence[Arrow]) -> list[tuple[Arrow, ...]]:
        """Returns which arrows are on each of their lines."""
        return [tuple(arrows)] if self.is_low else [(arrow,) for arrow in arrows]

    def _has_pairs(self) -> bool:
        ends = {(arrow.leader, arrow.follower) for arrow in self.figure.arrows}
        return any((follower, leader) in ends and leader != follower for leader, follower in ends)


def lay_out(figure: SystemFigure, width: int, *, is_low: bool) -> Layout | None:
    """Returns where everything is, or None where the lines are too short for it.

    What does not fit beside a box is begun anew below, and is but mentioned beside the box.
    """
    metrics = Metrics(figure, is_low)
    waiting = find_roots([box.name for box in figure.boxes], figure.arrows)
    whole = Layout(0, 0)
    x, y, next_y = 0, 0, 0
    while waiting:
        placed = _place_root(waiting.pop(0), width, metrics)
        if placed is None:
            return None
        block, cut = placed
        waiting = [*cut, *waiting]
        if x and x + block.width > width:
            x, y = 0, next_y
        whole.add(block, x, y)
        x += block.width + _PARTS_GAP
        next_y = max(next_y, y + block.height + (0 if is_low else 1))
    return whole


def shown_name(name: str) -> str:
    """Returns a name as it is shown: control characters are visible, and it is not too long."""
    line = words.line(name)
    if sum(map(cell_len, line)) != cell_len(line):
        # Characters that terminals put together, each in its own way, can't be drawn in a box.
        line = "".join(c if c.isascii() or c.isalnum() else "�" for c in line)
    while cell_len(line) > MAX_NAME:
        line = f"{line.removesuffix('…')[:-1]}…"
    return line


_Placed = tuple[Layout, list[Branch]]
"""A part, and the branches that there was no room for in it: they are only mentioned there."""


def _place_root(branch: Branch, width: int, metrics: Metrics) -> _Placed | None:
    own = metrics.box_width(branch.name)
    at_left, at_right = split_sides(branch)
    left_room = (width - own) // 2 if at_right else width - own
    left = _place_beside(branch.name, at_left, left_room, metrics)
    if left is None:
        return None
    right = _place_beside(branch.name, at_right, width - own - left[0].width, metrics)
    if right is None or own > width:
        return None
    height = max(left[0].height, right[0].height, metrics.box_lines + 2)
    whole = Layout(own, height)
    whole.add(left[0].mirrored(), 0, 0)
    whole.boxes.append(PlacedBox(branch.name, left[0].width, 0, own, height))
    whole.add(right[0], left[0].width + own, 0)
    return whole, left[1] + right[1]


def _place(branch: Branch, own: int, width: int, metrics: Metrics) -> _Placed | None:
    """Returns a box and what is at its right, or a mere name.

    :param own: the width of the box, which may be that of a wider one above or below it.
    """
    if branch.is_mention:
        own = 1 + cell_len(shown_name(branch.name))
        height = len(metrics.rows_of(branch.arrows))
        mention = PlacedBox(branch.name, 0, 0, own, height, is_mention=True)
        return (Layout(own, height, [mention]), []) if own <= width else None
    beside = _place_beside(branch.name, branch.children, width - own, metrics)
    if beside is None or own > width:
        return None
    block, cut = beside
    height = max(block.height, metrics.box_lines + 2)
    whole = Layout(own, height, [PlacedBox(branch.name, 0, 0, own, height)])
    whole.add(block, own, 0)
    return whole, cut


def _place_beside(
    name: str, children: Sequence[Branch], width: int, metrics: Metrics
) -> _Placed | None:
    """Returns what is at the right of a box, with the lines to it."""
    block, cut = Layout(0, 0), []
    own = max(
        (metrics.box_width(child.name) for child in children if not child.is_mention), default=0
    )
    y = 0
    for child in children:
        placed = _place(child, own, width - metrics.gap, metrics)
        if placed is None and not child.is_mention:
            cut.append(Branch(child.name, children=child.children))
            mention = Branch(child.name, child.arrows, is_mention=True)
            placed = _place(mention, 0, width - metrics.gap, metrics)
        if placed is None:
            return None
        part, cut_there = placed
        is_mention = part.boxes[0].is_mention
        if is_mention and y == 0:
            # Beside the frame of the box there is no place for a line.
            y = 1
        block.add(part, metrics.gap, y)
        block.links += _links(name, child, y, metrics, is_mention=is_mention)
        cut += cut_there
        y += part.height
        block.height = y + is_mention
    return block, cut


def _links(
    name: str, child: Branch, y: int, metrics: Metrics, *, is_mention: bool
) -> Iterator[PlacedLink]:
    for row, arrows in enumerate(metrics.rows_of(child.arrows)):
        yield PlacedLink(
            0,
            y + row + (0 if is_mention else 1),
            metrics.gap,
            name,
            child.name,
            arrows,
            is_right_mention=is_mention,
        )
