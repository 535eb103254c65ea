"""What a drawing of a system is made of, and what it is when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from esgrpc_console.tui.appearance import Tone


@dataclass(frozen=True)
class Box:
    """One application."""

    name: str
    """As it is known: what is in it may not be shown as it is."""
    symbol: str
    head: str
    """The greatest ID of its log, in words."""
    tone: Tone = Tone.GOOD
    is_stale: bool = False


@dataclass(frozen=True)
class Arrow:
    """One following, in the direction in which events go."""

    leader: str
    follower: str
    label: str
    """The lag, in words."""
    tone: Tone = Tone.PLAIN
    is_stale: bool = False


@dataclass(frozen=True)
class SystemFigure:
    """All that is to be drawn."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    head_width: int = 5
    """How wide heads are drawn at least, so that nothing moves when they grow."""
    label_width: int = 5


@dataclass(frozen=True)
class Span:
    """A piece of a line in one style."""

    text: str
    tone: Tone = Tone.PLAIN
    is_dim: bool = False
    is_bold: bool = False


@dataclass(frozen=True)
class Target:
    """A place on the drawing that stands for something. Its size is in cells."""

    x: int
    y: int
    width: int
    height: int
    application: str
    """The application, or the follower where a following is meant."""
    leader: str = ""

    def has(self, x: int, y: int) -> bool:
        """Tells whether a cell belongs to it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True)
class Drawing:
    """Lines that are ready to be shown, and what is where on them."""

    lines: tuple[tuple[Span, ...], ...]
    width: int
    targets: tuple[Target, ...] = ()

    @property
    def height(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    @property
    def text(self) -> str:
        """The lines without their styles."""
        return "\n".join("".join(span.text for span in line).rstrip() for line in self.lines)

    def target_at(self, x: int, y: int) -> Target | None:
        """Returns what a cell stands for."""
        return next((target for target in self.targets if target.has(x, y)), None)
