"""Lets one choose among the IDs that were seen lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from esgrpc_console.system_view import words
from esgrpc_console.tui.seen_ids import SeenId

_MAX_LISTED = 200


class SeenIdsScreen(ModalScreen[str | None]):
    """Its result is the ID that was chosen, or None."""

    CSS_PATH = "seen_ids_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel"),
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
    ]

    def __init__(self, ids: Sequence[SeenId]) -> None:
        """
        :param ids: those that are to be offered first come first.
        """
        super().__init__()
        self._ids = ids
        self._shown: list[SeenId] = []
        self._input = Input(placeholder="a part of it", compact=True)
        self._list = OptionList(markup=False, compact=True)
        self._list.can_focus = False
        self._note = Static("", id="seen-note", markup=False)

    def compose(self) -> ComposeResult:
        """A line to search with, and the list."""
        with Vertical(id="seen") as box:
            box.border_title = "IDs seen lately"
            box.border_subtitle = "enter take  esc cancel"
            yield self._input
            yield self._list
            yield self._note

    def on_mount(self) -> None:
        """Lists all of them."""
        self._show("")

    def action_move(self, step: int) -> None:
        """Goes to another one."""
        if step > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    @on(Input.Changed)
    def search(self, message: Input.Changed) -> None:
        """Lists those that have the text."""
        self._show(message.value.strip().lower())

    @on(Input.Submitted)
    def take(self) -> None:
        """Ends with the one that the cursor is on."""
        index = self._list.highlighted
        self.dismiss(self._shown[index].id if index is not None else None)

    @on(OptionList.OptionSelected)
    def take_clicked(self, message: OptionList.OptionSelected) -> None:
        """Ends with the one that was clicked."""
        self.dismiss(self._shown[message.option_index].id)

    def _show(self, text: str) -> None:
        found = [seen for seen in self._ids if text in f"{seen.id} {seen.where}".lower()]
        self._shown = found[:_MAX_LISTED]
        self._list.clear_options()
        self._list.add_options(
            Option(
                Content.assemble(
                    words.line(seen.id), (f"  {words.line(seen.where)}", "$text-muted")
                )
            )
            for seen in self._shown
        )
        self._list.highlighted = 0 if self._shown else None
        if not self._ids:
            self._note.update("none has been seen yet")
        else:
            more = len(found) - len(self._shown)
            self._note.update(f"{words.number(more)} more" if more else "" if found else "none")
