"""The console's own themes. All of Textual's are there besides."""

from __future__ import annotations

from textual.theme import Theme

DEFAULT_THEME = "textual-dark"

# Colours of M. Okabe and K. Ito, "Color Universal Design" (2008), which all people can tell apart.
_ORANGE, _SKY_BLUE, _YELLOW = "#E69F00", "#56B4E9", "#F0E442"
_BLUE, _VERMILION, _PURPLE = "#0072B2", "#D55E00", "#CC79A7"

COLOUR_BLIND_SAFE = (
    Theme(
        name="colour-blind-safe",
        primary=_BLUE,
        secondary=_PURPLE,
        accent=_SKY_BLUE,
        success=_SKY_BLUE,
        warning=_YELLOW,
        error=_VERMILION,
        foreground="#E8E8E8",
        background="#121212",
        surface="#1C1C1C",
        panel="#262626",
        dark=True,
    ),
    Theme(
        name="colour-blind-safe-light",
        primary=_BLUE,
        secondary=_PURPLE,
        accent=_BLUE,
        success=_BLUE,
        warning=_ORANGE,
        error=_VERMILION,
        foreground="#1A1A1A",
        background="#FFFFFF",
        surface="#F4F4F4",
        panel="#E6E6E6",
        dark=False,
    ),
)
"""One on dark and one on light terminals: red and green are nowhere told apart by them."""
