"""What each key does."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = (
    (
        "Everywhere",
        (
            ("tab, shift+tab", "go to the next, previous part of the screen"),
            ("a", "go to the applications"),
            ("l", "go to the log of the selected application"),
            ("m", "go to the methods of the selected application"),
            ("?", "this help"),
            ("q, ctrl+c", "quit, and stop the servers that were started"),
        ),
    ),
    (
        "Tables",
        (
            ("up, down", "select an application"),
            ("enter", "go to its log"),
        ),
    ),
    (
        "Log",
        (
            ("up, down, j, k", "move, reading more of the log at the edges"),
            ("f, end, G", "go to the newest event and follow"),
            ("g, home", "go to the first event"),
            ("enter", "show the event"),
        ),
    ),
    (
        "Methods",
        (
            ("enter", "open the form; in the form, call"),
            ("escape", "go back to the list"),
        ),
    ),
)


class HelpScreen(ModalScreen[None]):
    """Lists keys by place."""

    CSS_PATH = "help_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", "close")
    ]

    def compose(self) -> ComposeResult:
        """All keys, in a box that scrolls where it must."""
        width = max(len(key) for _, keys in KEYS for key, _ in keys)
        parts: list[Content | str | tuple[str, str]] = []
        for place, keys in KEYS:
            parts.append((f"{place}\n", "bold $accent"))
            parts.extend(
                part
                for key, meaning in keys
                for part in ((f"  {key:<{width}}", "bold"), f"   {meaning}\n")
            )
            parts.append("\n")
        with VerticalScroll(id="help") as box:
            box.border_subtitle = "esc close"
            yield Static(Content.assemble(*parts).rstrip())
