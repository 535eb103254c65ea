"""The drawing of the system, on the screen. What it looks like is left to ``tui.drawing``."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.drawing.choice import best_drawing
from esgrpc_console.tui.drawing.compact import list_compactly
from esgrpc_console.tui.drawing.figures import figure_of
from esgrpc_console.tui.drawing.model import Drawing, Span, SystemFigure
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace, Open

_INDENT = 1
_NO_LIMIT = 10_000


class SystemDrawing(ScrollView, can_focus=True):
    """Shows the system as boxes and arrows, or as lines of text, or says that there is no room."""

    ALLOW_SELECT = False
    # There are no links in it to look for.
    auto_links = False

    DEFAULT_CSS = """
    SystemDrawing {
        height: 1fr;
        background: $background;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self._figure = SystemFigure((), ())
        self._room = (0, 0)
        self._drawing: Drawing | None = None
        self._note = ""
        self._lines: list[list[Segment]] = []

    def take_figure(self, state: SystemState) -> None:
        """Takes what is to be drawn, before there is room for it."""
        figure = figure_of(state, self._figure)
        if figure != self._figure:
            self._figure = figure
            self._room = (0, 0)

    def fit(self, width: int, height: int) -> int:
        """Draws as well as it can be done in a room of so many columns and lines.

        :returns: how many lines it takes. 0: there is no room for any drawing, or nothing to draw.
        """
        if (width, height) != self._room:
            self._room = width, height
            self._drawing = best_drawing(self._figure, width - _INDENT, height)
        return self._drawing.height if self._drawing else 0

    def fit_alone(self, width: int) -> None:
        """Draws as well as it can be done where what does not fit can be scrolled to."""
        if not self.fit(width, _NO_LIMIT):
            compact = list_compactly(self._figure, width - _INDENT)
            self._drawing = compact if compact.lines else None

    def show(self, appearance: Appearance, note: str) -> None:
        """Shows what has been drawn.

        :param note: what is said where there is no room for a drawing.
        """
        if self._drawing is not None:
            lines = [[_segment(span, appearance) for span in line] for line in self._drawing.lines]
            width = self._drawing.width + _INDENT
        else:
            lines, width = [[Segment(note, Style(dim=True))]], len(note) + _INDENT
        if lines == self._lines:
            return
        self._lines = lines
        self.virtual_size = Size(width, len(lines))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Opens the application of a box, or the following of an arrow."""
        offset = self.scroll_offset
        if self._drawing is None:
            return
        x, y = event.x + offset.x - _INDENT, event.y + offset.y
        target = self._drawing.target_at(x, y)
        if target is None:
            return
        if target.leader:
            self.post_message(Open(FollowingPlace(target.application, target.leader)))
        else:
            self.post_message(Open(ApplicationPlace(target.application)))

    def render_line(self, y: int) -> Strip:
        """Draws one line."""
        x, top = self.scroll_offset
        width, style = self.size.width, self.rich_style
        if top + y >= len(self._lines):
            return Strip.blank(width, style)
        line = Strip([Segment(" " * _INDENT), *self._lines[top + y]])
        return line.crop_extend(x, x + width, style).apply_style(style)


def _segment(span: Span, appearance: Appearance) -> Segment:
    style = appearance.style(span.tone, is_dim=span.is_dim)
    return Segment(span.text, style + Style(bold=True) if span.is_bold else style)
