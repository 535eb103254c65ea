"""A list of which one is chosen. What it is about is left to the screens that ask."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class Choices(OptionList):
    """Shows what can be chosen, a line each, and is moved in by the keys of all lists here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "down", show=False),
        Binding("k", "cursor_up", "up", show=False),
    ]

    DEFAULT_CSS = """
    Choices, Choices:focus {
        height: auto;
        max-height: 24;
        padding: 0;
        border: none;
        background: $surface;
        text-wrap: nowrap;
        text-overflow: ellipsis;

        & > .option-list--option-highlighted {
            background: $accent 30%;
            color: $foreground;
            text-style: none;
        }
    }
    """

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves out pages where there is no room for a line: Textual would look for the first."""
        return action not in {"page_up", "page_down"} or bool(self.scrollable_content_region)
