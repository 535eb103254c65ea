"""Draws rows of text without what Textual and Rich do for more than that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from esgrpc_console.tui.appearance import theme_colour


def named_styles(theme_variables: Mapping[str, str]) -> dict[str, Style]:
    """Returns the styles that cells name, in the colours of a theme."""
    # Not by component classes: Textual would match rules for each, each time anything changes.
    return {
        "": Style(),
        "quiet": Style(dim=True),
        "error": Style(color=theme_colour(theme_variables, "text-error")),
        "warning": Style(color=theme_colour(theme_variables, "text-warning")),
        "accent": Style(color=theme_colour(theme_variables, "text-accent")),
    }


def strip_of(pieces: Sequence[tuple[str, Style]], width: int, style: Style) -> Strip:
    """Returns pieces of text as a line of a width, on top of a style."""
    # In one go: each of Textual's strips brings its caches along, and leaves them to the garbage
    # collector.
    segments = [Segment(text, style + piece_style) for text, piece_style in pieces if text]
    length = sum(segment.cell_length for segment in segments)
    if length < width:
        segments.append(Segment(" " * (width - length), style))
    strip = Strip(segments, max(length, width))
    return strip if length <= width else strip.crop(0, width)
