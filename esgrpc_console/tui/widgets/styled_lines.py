"""Lines of text to read, select and search: only those on the screen are drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from esgrpc_console.tui.appearance import theme_colour
from esgrpc_console.tui.json_text import Kind, Line
from esgrpc_console.tui.widgets.drawn_lines import DrawnLines
from esgrpc_console.tui.wrapping import Row, rows_of


class StyledLines(ScrollView, DrawnLines, can_focus=True):
    """Shows lines, wrapped to its width."""

    ALLOW_SELECT = True
    # There are no links in it to look for.
    auto_links = False

    DEFAULT_CSS = """
    StyledLines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        padding: 0 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._rows: list[Row] = []
        self._width = 0
        self._mark = ""
        self._strips: dict[int, Strip] = {}
        self._styles: dict[Kind, Style] = {}

    def show(self, lines: Sequence[Line], *, mark: str = "", keeps_place: bool = False) -> None:
        """Shows lines in place of those that were shown.

        :param mark: is marked wherever it is in them, in any case.
        :param keeps_place: whether it stays scrolled as it is. By default it begins at the first.
        """
        self._lines, self._mark = lines, mark
        self._lay_out()
        if not keeps_place:
            self.scroll_to(y=0, animate=False, immediate=True)

    def on_resize(self) -> None:
        """Breaks lines where they end now."""
        if self.size.width != self._width:
            self._lay_out()

    def notify_style_update(self) -> None:
        """Draws in other colours."""
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Draws one row."""
        row = self.scroll_offset.y + y
        width = self.size.width
        if row >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        selection = self.text_selection
        strip = self._strips.get(row) if selection is None else self._draw(row, width, selection)
        if strip is None:
            strip = self._strips[row] = self._draw(row, width, None)
        return strip if self.is_drawing else strip.apply_offsets(0, row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Returns what is selected: lines are whole again."""
        text = ""
        for y, row in enumerate(self._rows):
            span = selection.get_span(y)
            if span is None:
                continue
            start, end = span
            shown = row.text[start : len(row.text) if end == -1 else end]
            if row.is_continued and start < row.indent:
                shown = shown[row.indent - start :]
            text += shown if not text or row.is_continued else f"\n{shown}"
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draws what is selected."""
        self.refresh()

    def _lay_out(self) -> None:
        self._width = self.size.width
        self._rows = rows_of(self._lines, self._width) if self._width else []
        self._strips.clear()
        self.virtual_size = Size(self._width, len(self._rows))
        self.refresh()

    def _draw(self, y: int, width: int, selection: Selection | None) -> Strip:
        row = self._rows[y]
        if not self._styles:
            self._styles = _styles(self.app.theme_variables)
        text = Text(" " * row.indent, no_wrap=True, end="")
        for piece, kind in row.pieces:
            text.append(piece, self._styles[kind])
        if self._mark:
            for found in re.finditer(re.escape(self._mark), text.plain, re.IGNORECASE):
                text.stylize(_MARK, *found.span())
        span = None if selection is None else selection.get_span(y)
        if span is not None:
            start, end = span
            style = self.screen.get_component_rich_style("screen--selection")
            text.stylize(style, start, len(text) if end == -1 else end)
        segments: list[Segment] = list(text.render(self.app.console))
        strip = Strip(segments).crop_extend(0, width, None)
        return strip.apply_style(self.rich_style)


_MARK = Style(reverse=True, bold=True)
_COLOURS = {
    Kind.TITLE: "accent",
    Kind.KEY: "text-primary",
    Kind.STRING: "text-success",
    Kind.NUMBER: "text-warning",
    Kind.WORD: "text-secondary",
    Kind.ADDED: "text-success",
    Kind.CHANGED: "text-warning",
    Kind.REMOVED: "text-error",
    Kind.ERROR: "text-error",
}
"""Names of colours of the theme. They say nothing that isn't said by symbols too."""
_BOLD = {Kind.TITLE, Kind.WORD, Kind.ADDED, Kind.CHANGED, Kind.REMOVED, Kind.ERROR}
_DIM = {Kind.LABEL, Kind.QUIET}


def _styles(theme_variables: Mapping[str, str]) -> dict[Kind, Style]:
    # Not by component classes: for so many, Textual would match rules each time anything changes.
    return {
        kind: Style(
            color=theme_colour(theme_variables, _COLOURS.get(kind, "")),
            bold=kind in _BOLD or None,
            dim=kind in _DIM or None,
        )
        for kind in Kind
    }
