"""Who is drawn beside whom: a system as trees, in which each application has its box once.

A following that is not between neighbours in a tree becomes an arrow to a mere name, so that no two
lines ever cross, whatever the system looks like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from esgrpc_console.tui.drawing.model import Arrow


@dataclass(eq=False)
class Branch:
    """An application, or the mere name of one that has its box elsewhere, and what hangs on it."""

    name: str
    arrows: tuple[Arrow, ...] = ()
    """Between it and what it hangs on."""
    is_mention: bool = False
    children: list[Branch] = field(default_factory=list)


def find_roots(names: Sequence[str], arrows: Iterable[Arrow]) -> list[Branch]:
    """Returns a tree for each part of the system that hangs together, the greatest first.

    The root of a tree is the application with the most neighbours.
    """
    links = _Links(names, arrows)
    left = list(names)
    roots = []
    while left:
        root = max(left, key=links.weight)
        tree, members = _grow(root, links)
        roots.append((len(members), tree))
        left = [name for name in left if name not in members]
    roots.sort(key=lambda pair: -pair[0])
    return [tree for _, tree in roots]


def split_sides(branch: Branch) -> tuple[list[Branch], list[Branch]]:
    """Returns those at the left and at the right of a root: who only leads it, and the others."""
    left: list[Branch] = []
    right: list[Branch] = []
    for child in branch.children:
        is_leader = all(
            arrow.leader == child.name and arrow.follower == branch.name for arrow in child.arrows
        )
        (left if is_leader and child.name != branch.name else right).append(child)
    return left, right


class _Links:
    """Who has to do with whom."""

    def __init__(self, names: Sequence[str], arrows: Iterable[Arrow]) -> None:
        self._order = {name: index for index, name in enumerate(names)}
        self._arrows: dict[frozenset[str], list[Arrow]] = {}
        self._neighbours: dict[str, list[str]] = {name: [] for name in names}
        self._followed: dict[str, int] = dict.fromkeys(names, 0)
        for arrow in arrows:
            leader, follower = arrow.leader, arrow.follower
            self._followed[follower] += 1
            ends = frozenset({leader, follower})
            if ends not in self._arrows:
                self._neighbours[leader].append(follower)
                if leader != follower:
                    self._neighbours[follower].append(leader)
            self._arrows.setdefault(ends, []).append(arrow)
        for neighbours in self._neighbours.values():
            neighbours.sort(key=self._order.__getitem__)

    def neighbours(self, name: str) -> Sequence[str]:
        """Returns an application's leaders and followers, in order."""
        return self._neighbours[name]

    def between(self, name: str, other: str) -> tuple[Arrow, ...]:
        """Returns the arrows between two applications: from the first, then to it."""
        arrows = self._arrows[frozenset({name, other})]
        return tuple(sorted(arrows, key=lambda arrow: arrow.leader != name))

    def weight(self, name: str) -> tuple[int, int, int]:
        """Returns how much an application is the middle of things. Sources come before others."""
        return len(self._neighbours[name]), -self._followed[name], -self._order[name]


def _grow(root: str, links: _Links) -> tuple[Branch, set[str]]:
    tree = Branch(root)
    branches = {root: tree}
    drawn: set[frozenset[str]] = set()
    waiting = deque([root])
    while waiting:
        name = waiting.popleft()
        for other in links.neighbours(name):
            ends = frozenset({name, other})
            if ends in drawn:
                continue
            drawn.add(ends)
            child = Branch(other, links.between(name, other), is_mention=other in branches)
            branches[name].children.append(child)
            if not child.is_mention:
                branches[other] = child
                waiting.append(other)
    for branch in branches.values():
        # Names alone take less room than boxes: they stand together at the end.
        branch.children.sort(key=lambda child: child.is_mention)
    return tree, set(branches)
