"""Searches the calls that were made, to make one of them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from esgrpc_console.call_history import PastCall
from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_values import quoted
from esgrpc_console.tui.past_call_words import named_arguments, outcome_words, times_words

_MAX_LISTED = 200
_MAX_SEARCHED = 400
"""Characters of a call that are searched."""


@dataclass(frozen=True)
class Choice:
    """What is to be done with a call."""

    call: PastCall
    is_to_run: bool
    """Whether it is to be made again at once. Otherwise it is written into the form."""


class HistoryScreen(ModalScreen[Choice | None]):
    """Its result is what is to be done, or None."""

    CSS_PATH = "history_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel"),
        Binding("ctrl+r,up", "move(-1)", "older", show=False),
        Binding("down", "move(1)", "newer", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("ctrl+enter,ctrl+j,f5", "run", "call again"),
        Binding("ctrl+y", "copy_command", "copy as command"),
    ]

    def __init__(self, calls: Sequence[PastCall], copy_command: Callable[[PastCall], None]) -> None:
        """
        :param calls: newest last.
        :param copy_command: copies the command line that makes a call.
        """
        super().__init__()
        self._calls = [(call, _searched(call)) for call in reversed(calls)]
        self._copy_command = copy_command
        self._shown: list[PastCall] = []
        self._input = Input(placeholder="method, argument or result", compact=True)
        self._list = OptionList(markup=False, compact=True)
        self._list.can_focus = False
        self._note = Static("", id="history-note", markup=False)

    def compose(self) -> ComposeResult:
        """A line to search with, and the calls, newest first."""
        with Vertical(id="history") as box:
            box.border_title = "calls that were made"
            box.border_subtitle = "enter into the form  f5 call again  ctrl+y copy  esc cancel"
            yield self._input
            yield self._list
            yield self._note

    def on_mount(self) -> None:
        """Lists all of them."""
        self._show("")

    def action_move(self, step: int) -> None:
        """Goes to another one."""
        # The newest is first: older ones are below.
        if step > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def action_page(self, step: int) -> None:
        """Goes on by a screen."""
        if self._shown:
            index = (self._list.highlighted or 0) + step * max(1, self._list.size.height)
            self._list.highlighted = max(0, min(index, len(self._shown) - 1))

    def action_run(self) -> None:
        """Makes the call again."""
        self._choose(is_to_run=True)

    def action_copy_command(self) -> None:
        """Copies the command line that makes the call."""
        call = self._selected
        if call is not None:
            self._copy_command(call)

    @on(Input.Changed)
    def search(self, message: Input.Changed) -> None:
        """Lists those that have the letters, in this order."""
        self._show(message.value.strip())

    @on(Input.Submitted)
    def take(self) -> None:
        """Writes the call into the form."""
        self._choose(is_to_run=False)

    @on(OptionList.OptionSelected)
    def take_clicked(self) -> None:
        """Writes the call that was clicked into the form."""
        self._choose(is_to_run=False)

    @property
    def _selected(self) -> PastCall | None:
        index = self._list.highlighted
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def _choose(self, *, is_to_run: bool) -> None:
        call = self._selected
        if call is None:
            return
        if call.arguments is None:
            self._note.update("its arguments were not kept: they were too large")
            return
        self.dismiss(Choice(call, is_to_run))

    def _show(self, query: str) -> None:
        if query:
            scored = [(_score(query, text), call) for call, text in self._calls]
            # The sort is stable: of equal ones, the newest is first.
            best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
            found = [call for _, call in best]
        else:
            found = [call for call, _ in self._calls]
        self._shown = found[:_MAX_LISTED]
        self._list.clear_options()
        self._list.add_options(Option(_line(call)) for call in self._shown)
        self._list.highlighted = 0 if self._shown else None
        more = len(found) - len(self._shown)
        if not self._calls:
            self._note.update("nothing has been called yet")
        else:
            self._note.update(f"{words.number(more)} more" if more else "" if found else "none")


def _searched(call: PastCall) -> str:
    arguments = "…" if call.arguments is None else quoted(call.arguments)
    return f"{call.application}.{call.method} {arguments} {call.text}"[:_MAX_SEARCHED].lower()


def _score(query: str, text: str) -> int:
    """Tells how well a text matches: as a whole, in its words, or by letters in this order."""
    wanted = query.lower()
    if wanted in text:
        return 3
    parts = wanted.split()
    if all(part in text for part in parts):
        return 2
    rest = iter(text)
    return int(all(character in rest for part in parts for character in part))


def _line(call: PastCall) -> Content:
    context = f"@{call.context} " if call.context else ""
    return Content.assemble(
        (f"{call.at.astimezone():%m-%d %H:%M:%S}  ", "$text-muted"),
        f"{call.outcome.symbol} ",
        (words.line(f"{context}{call.application}.{call.method}"), "bold"),
        f"{times_words(call)}({named_arguments(call.arguments)})",
        (f"  {outcome_words(call)}", "$text-muted"),
    )
