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
    strip = Strip([Segment(text, piece_style) for text, piece_style in pieces])
    return strip.crop_extend(0, width, style).apply_style(style)
