"""What is shown until the system can be watched, which can be cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Middle, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from esgrpc_console.system_view import words

_SHOWN_LINES = 8


class StartingScreen(Screen[None]):
    """Says what is being waited for, for how long, and what the servers say in the meantime."""

    CSS_PATH = "starting_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.quit", "cancel")]

    def __init__(self, title: str, progress: Callable[[], tuple[str, Sequence[str]]]) -> None:
        """
        :param title: what is being started.
        :param progress: returns what is being waited for, and what servers have said.
        """
        super().__init__()
        self._title = title
        self._progress = progress
        self._began_at = time.monotonic()
        self._doing = Static(id="starting-progress", markup=False)
        self._output = Static(id="starting-output", markup=False)

    def compose(self) -> ComposeResult:
        """Three paragraphs in the middle of the screen."""
        with Middle(), Vertical(id="starting"):
            yield Static(Content(words.line(self._title)), id="starting-title")
            yield self._doing
            yield self._output
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Looks again a few times a second."""
        self.set_interval(0.25, self._show)
        self._show()

    def _show(self) -> None:
        doing, output = self._progress()
        age = int(time.monotonic() - self._began_at)
        waited = f"  {words.duration(age)}" if age else ""
        self._doing.update(Content(f"{words.line(doing)}{waited}"))
        lines = "\n".join(words.line(line) for line in output[-_SHOWN_LINES:])
        self._output.update(Content(lines))
