"""Drawing many lines many times, as logs that flow are, without what that costs in Textual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class DrawnLine(Strip):
    """A line that is gone when nobody has it any more.

    Textual's own keeps itself when it is drawn as a whole. Logs that flow would leave so many of them
    to the garbage collector that it would keep keys waiting.
    """

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Returns the parts between places."""
        places = [*cuts]
        return [self] if places == [self.cell_length] else super().divide(places)


class DrawnLines(Widget):
    """A widget that draws each of its lines by ``render_line``.

    Comes after other base classes: Textual takes style sheets from the first one only.
    """

    is_drawing = False
    """Whether lines are asked for to be drawn. Else the mouse asks, and wants to know which text is
    where: telling that costs more than all the rest."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draws some lines."""
        self.is_drawing = True
        try:
            strips = super().render_lines(crop)
        finally:
            self.is_drawing = False
        return [DrawnLine(strip, strip.cell_length) for strip in strips]
