"""The best drawing that there is room for."""

from __future__ import annotations

from esgrpc_console.tui.drawing.canvas import draw
from esgrpc_console.tui.drawing.compact import list_compactly
from esgrpc_console.tui.drawing.layout import lay_out
from esgrpc_console.tui.drawing.model import Drawing, SystemFigure

MAX_BOXES = 16
"""More boxes than that say less than lines of text do."""


def best_drawing(figure: SystemFigure, width: int, height: int) -> Drawing | None:
    """Returns boxes with two lines inside, boxes with one, or lines of text, the first of these that
    fits. None: there is no room for any, or nothing to draw."""
    if not figure.boxes:
        return None
    if len(figure.boxes) <= MAX_BOXES:
        for is_low in (False, True):
            layout = lay_out(figure, width, is_low=is_low)
            if layout is not None and layout.height <= height:
                return draw(figure, layout, is_low=is_low)
    compact = list_compactly(figure, width)
    is_fitting = 0 < compact.height <= height and compact.width <= width
    return compact if is_fitting else None
