"""Searches the calls that were made, to make one of them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from esgrpc_console.call_history import PastCall
from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_values import quoted
from esgrpc_console.tui.past_call_words import named_arguments, outcome_words, times_words
from esgrpc_console.tui.screens.choice_screen import ChoiceScreen

_MAX_SEARCHED = 400
"""Characters of a call that are searched."""


@dataclass(frozen=True)
class Choice:
    """What is to be done with a call."""

    call: PastCall
    is_to_run: bool
    """Whether it is to be made again at once. Otherwise it is written into the form."""


class HistoryScreen(ChoiceScreen[PastCall, Choice]):
    """Its result is what is to be done, or None."""

    TITLE_WORDS = "calls that were made"
    KEY_WORDS = "enter into the form  f5 call again  ctrl+y copy  esc cancel"
    PLACEHOLDER = "method, argument or result"
    NONE_YET = "nothing has been called yet"

    BINDINGS: ClassVar[list[BindingType]] = [
        # As shells do: once more for an older one.
        Binding("ctrl+r", "choices('cursor_down')", "older", show=False),
        Binding("ctrl+enter,ctrl+j,f5", "run", "call again"),
        Binding("ctrl+y", "copy_command", "copy as command"),
    ]

    def __init__(self, calls: Sequence[PastCall], copy_command: Callable[[PastCall], None]) -> None:
        """
        :param calls: newest last.
        :param copy_command: copies the command line that makes a call.
        """
        super().__init__(calls[::-1])
        self._searched = [(call, _searched(call)) for call in self._items]
        self._copy_command = copy_command

    def find(self, text: str) -> Sequence[PastCall]:
        """Returns those that have the letters, in this order. The newest of equal ones is first."""
        if not text:
            return self._items
        scored = [(_score(text, searched), call) for call, searched in self._searched]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        return [call for _, call in best]

    def line(self, item: PastCall) -> Content:
        """Returns what was called when, and how it ended."""
        return _line(item)

    def take(self, item: PastCall) -> None:
        """Writes the call into the form."""
        self._end(item, is_to_run=False)

    def action_run(self) -> None:
        """Makes the call again."""
        if self.selected is not None:
            self._end(self.selected, is_to_run=True)

    def action_copy_command(self) -> None:
        """Copies the command line that makes the call."""
        if self.selected is not None:
            self._copy_command(self.selected)

    def _end(self, call: PastCall, *, is_to_run: bool) -> None:
        if call.arguments is None:
            self.say("its arguments were not kept: they were too large")
        else:
            self.dismiss(Choice(call, is_to_run))


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
        (f"{call.at.astimezone():%m-%d %H:%M:%S}  ", "dim"),
        f"{call.outcome.symbol} ",
        (words.line(f"{context}{call.application}.{call.method}"), "bold"),
        f"{times_words(call)}({named_arguments(call.arguments)})",
        (f"  {outcome_words(call)}", "dim"),
    )
