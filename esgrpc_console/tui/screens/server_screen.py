"""Asks for one of the servers that this console has started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esgrpc_console.system_view import SystemState, words
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.widgets.choices import Choices
from esgrpc_console.tui.widgets.server_bar import server_words


class ServerScreen(ModalScreen[str | None]):
    """Its result is the name of a server, an empty string for all of them, or None when it was
    cancelled."""

    CSS_PATH = "server_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "cancel"),
    ]

    def __init__(
        self,
        question: str,
        servers: Sequence[str],
        state: SystemState,
        *,
        has_all: bool,
        shown: str,
    ) -> None:
        """
        :param has_all: whether all of them is an answer.
        :param shown: where the cursor is at first.
        """
        super().__init__()
        self._question = question
        self._answers = ["", *servers] if has_all else [*servers]
        self._state = state
        self._shown = shown

    def compose(self) -> ComposeResult:
        """The servers, and how they are."""
        appearance = Appearance(self.app.theme_variables)
        width = max(len(words.line(name)) for name in self._answers)
        with Vertical(id="server") as box:
            box.border_title = Content(words.line(self._question))
            box.border_subtitle = "enter choose  esc cancel"
            options = Choices(markup=False, compact=True)
            for name in self._answers:
                text = appearance.text(f"{name or 'all':<{width}}  ")
                if name:
                    text.append_text(server_words(self._state.applications.get(name), appearance))
                options.add_option(Option(Content.from_rich_text(text)))
            options.highlighted = (
                self._answers.index(self._shown) if self._shown in self._answers else 0
            )
            yield options

    def action_cancel(self) -> None:
        """Asks no more."""
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def answer(self, message: OptionList.OptionSelected) -> None:
        """Ends with what was chosen."""
        self.dismiss(self._answers[message.option_index])
