"""Asks for one line: an ID to go to, a text to search for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from esgrpc_console.system_view import words


def _accept(_: str) -> str:
    return ""


class AskScreen(ModalScreen[str | None]):
    """Its result is what was typed, or None when it was cancelled."""

    CSS_PATH = "ask_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(
        self,
        question: str,
        *,
        value: str = "",
        placeholder: str = "",
        check: Callable[[str], str] = _accept,
    ) -> None:
        """
        :param check: returns what is wrong with what was typed, or an empty string.
        """
        super().__init__()
        self._question = question
        self._check = check
        self._input = Input(value, placeholder=placeholder, compact=True)
        self._error = Static("", id="ask-error", markup=False)

    def compose(self) -> ComposeResult:
        """The question, the line, what is wrong with it."""
        with Vertical(id="ask") as box:
            box.border_title = Content(words.line(self._question))
            box.border_subtitle = "enter go  esc cancel"
            yield self._input
            yield self._error

    def action_cancel(self) -> None:
        """Asks no more."""
        self.dismiss(None)

    @on(Input.Changed)
    def forget_error(self) -> None:
        """Waits for the next try."""
        self._error.update("")

    @on(Input.Submitted)
    def answer(self, message: Input.Submitted) -> None:
        """Ends with what was typed, unless something is wrong with it."""
        text = message.value.strip()
        error = self._check(text)
        if error:
            self._error.update(Content(f"✗ {words.line(error)}"))
        else:
            self.dismiss(text)
