"""One log record of a server, with all its lines, wrapped to the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from esgrpc_console.server_output import OutputLine
from esgrpc_console.system_view import words
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.json_text import Line, plain_lines
from esgrpc_console.tui.widgets.output_view import CONSOLE
from esgrpc_console.tui.widgets.styled_lines import StyledLines


class RecordScreen(ModalScreen[None]):
    """Shows all of a record."""

    CSS_PATH = "record_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy"),
        Binding("escape,q,enter", "dismiss", "close"),
    ]

    def __init__(self, record: Sequence[OutputLine], mark: str) -> None:
        """
        :param record: its lines.
        :param mark: is marked wherever it is.
        """
        super().__init__()
        self._record = record
        self._mark = mark
        self._lines = StyledLines()

    def compose(self) -> ComposeResult:
        """The record."""
        with Vertical(id="record") as box:
            name = self._record[0].application or CONSOLE
            count = words.count(len(self._record), "line")
            box.border_title = Content(words.line(f"{name}, {count}"))
            box.border_subtitle = "y copy  esc close"
            yield self._lines

    def on_mount(self) -> None:
        """Shows the record."""
        lines: list[Line] = []
        for line in self._record:
            lines += plain_lines(line.text)
        self._lines.show(lines, mark=self._mark)
        self._lines.focus()

    def action_copy(self) -> None:
        """Copies the record."""
        copy(self.app, "\n".join(line.text for line in self._record), "the record")
