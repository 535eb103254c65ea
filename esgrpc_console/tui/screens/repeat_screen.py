"""Asks how often a method is to be called, one call after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from esgrpc_console.system_view import words
from esgrpc_console.tui.method_calls import MAX_TIMES
from esgrpc_console.tui.widgets.arguments.choice_line import ChoiceLine

_MAX_PAUSE = 3600.0


@dataclass(frozen=True)
class Repeat:
    """How a method is to be called again and again."""

    times: int
    pause: float
    """Seconds between two calls."""
    stops_at_error: bool


class RepeatScreen(ModalScreen[Repeat | None]):
    """Its result is what was chosen, or None."""

    CSS_PATH = "repeat_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel"),
        Binding("ctrl+enter,ctrl+j,f5", "answer", "go"),
        Binding("up", "app.focus_previous", "previous", show=False),
        Binding("down", "app.focus_next", "next", show=False),
    ]

    def __init__(self, what: str) -> None:
        """
        :param what: the method that is to be called.
        """
        super().__init__()
        self._what = what
        self._times = Input("100", id="times", compact=True, select_on_focus=True)
        self._pause = Input("0", id="pause", compact=True, select_on_focus=True)
        self._errors = ChoiceLine(["go on", "stop"], chosen=0)
        self._error = Static("", id="repeat-error", markup=False)

    def compose(self) -> ComposeResult:
        """How often, with what pause, and what an error means."""
        with Vertical(id="repeat") as box:
            box.border_title = Content(words.line(f"Call {self._what} many times"))
            box.border_subtitle = "enter go  esc cancel"
            for label, widget in (
                ("times", self._times),
                ("pause in seconds", self._pause),
                ("at an error", self._errors),
            ):
                with Horizontal(classes="repeat-line"):
                    yield Static(label, classes="repeat-label")
                    yield widget
            yield self._error

    @on(Input.Submitted)
    @on(ChoiceLine.Submitted)
    def action_answer(self) -> None:
        """Ends with what was chosen, unless it is wrong."""
        times, pause = _number(self._times.value), _number(self._pause.value)
        if times is None or times != int(times) or not 1 <= times <= MAX_TIMES:
            self._error.update(f"✗ times: a whole number from 1 to {words.number(MAX_TIMES)}")
            self._times.focus()
        elif pause is None or not 0 <= pause <= _MAX_PAUSE:
            self._error.update(f"✗ pause: a number of seconds, up to {_MAX_PAUSE:,.0f}")
            self._pause.focus()
        else:
            self.dismiss(Repeat(int(times), pause, stops_at_error=self._errors.chosen == 1))


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
