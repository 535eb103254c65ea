"""All arguments of a method as one JSON object."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_fit import with_digits
from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.system_view.json_values import (
    JsonObject,
    JsonProblem,
    read_json,
    write_json,
)
from esgrpc_console.tui.widgets.arguments.editor import NotReadableError
from esgrpc_console.tui.widgets.arguments.text_editor import TextPad

_MAX_CHECKED_AT_ONCE = 20_000
_PAUSE_SECONDS = 0.5
"""Without a key, until a long text is checked."""


class ArgumentsJson(Vertical):
    """Takes the arguments of a method as JSON."""

    DEFAULT_CSS = """
    ArgumentsJson {
        height: auto;

        TextPad {
            min-height: 1;
        }

        .json-error {
            height: 1;
            color: $text-error;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, type: ArgumentsType) -> None:
        super().__init__()
        self._type = type
        self._pad = TextPad("{}")
        self._error = Static(classes="json-error", markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The object, and what is wrong with it."""
        yield self._pad
        yield self._error

    def allow_lines(self, lines: int) -> None:
        """Lets it take so many lines. More of them are scrolled to."""
        self._pad.styles.max_height = max(1, lines - 1)

    @property
    def text(self) -> str:
        """What was written."""
        return self._pad.text

    def enter(self) -> None:
        """Takes the focus."""
        self._pad.focus()

    def load(self, arguments: JsonObject) -> None:
        """Writes arguments."""
        self._pad.show(write_json(arguments))
        self.say("")

    def arguments(self) -> JsonObject:
        """Returns what is to be sent.

        :raises NotReadableError: when it is no JSON object. What is wrong is shown here, too.
        """
        try:
            value = read_json(self._pad.text) if self._pad.text.strip() else {}
        except JsonProblem as e:
            self.say(str(e))
            self._pad.move_cursor((e.line - 1, e.column - 1))
            raise NotReadableError(str(e)) from e
        if not isinstance(value, dict):
            problem = "the arguments are a JSON object: {…}"
            self.say(problem)
            raise NotReadableError(problem)
        kept = with_digits(self._type, value)
        return kept if isinstance(kept, dict) else value

    def say(self, problem: str) -> None:
        """Says what is wrong. Empty: nothing is."""
        told = f"✗ {words.line(problem)}" if problem else ""
        self._error.update(Content(told), layout=False)

    @on(TextArea.Changed)
    def check(self) -> None:
        """Says what is wrong with what was written, at once or when there is a pause."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if len(self._pad.text) <= _MAX_CHECKED_AT_ONCE:
            self._check()
        else:
            self._timer = self.set_timer(_PAUSE_SECONDS, self._check)

    def _check(self) -> None:
        try:
            value = read_json(self._pad.text) if self._pad.text.strip() else {}
        except JsonProblem as e:
            self.say(str(e))
        else:
            self.say("" if isinstance(value, dict) else "the arguments are a JSON object: {…}")
