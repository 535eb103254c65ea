"""Takes a value of one of several types: which, and then the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_fit import fits
from esgrpc_console.system_view.json_schema import ArgumentField, ArgumentType
from esgrpc_console.system_view.json_values import ABSENT, JsonValue, MaybeJson
from esgrpc_console.tui.widgets.arguments.choice_line import ChoiceLine
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.arguments.field_label import Widths
from esgrpc_console.tui.widgets.arguments.object_editor import MakeField

_LABEL_WIDTH = 5
_MAX_WORDS = 20


class UnionEditor(ArgumentEditor):
    """Takes a value of the type that was chosen."""

    is_block: ClassVar[bool] = True

    DEFAULT_CSS = """
    UnionEditor {
        border-left: vkey $panel;
    }
    """

    def __init__(self, type: ArgumentType, make_field: MakeField) -> None:
        super().__init__(type)
        self._make_field = make_field
        self._variants = type.variants
        self._line = ChoiceLine([_told(variant) for variant in self._variants], chosen=0)
        self._fields: dict[int, Field] = {}
        self._has_composed = False

    def compose(self) -> ComposeResult:
        """The types, and what takes a value of the one that was chosen."""
        field = self._field
        self._has_composed = True
        yield self._line
        yield field

    def value(self) -> MaybeJson:
        """Returns a value of the type that was chosen."""
        return self._field.argument()

    def load(self, value: JsonValue) -> None:
        """Chooses the first type that the value is one of, and writes it."""
        known = enumerate(self._variants)
        self._line.chosen = next((i for i, variant in known if fits(variant, value)), 0)
        self._show()
        self._field.load(value)

    def clear(self) -> None:
        """Forgets what was written."""
        for field in self._fields.values():
            field.load(ABSENT)

    def enter(self) -> None:
        """Goes to the types."""
        self._line.focus()

    def has_part(self, path: Sequence[str]) -> bool:
        """Tells whether the value has such a part."""
        return any(self._field.has_part(path[skipped:]) for skipped in range(len(path)))

    def show_violation(self, path: Sequence[str], text: str) -> bool:
        """Shows what is wrong with the value. Which type the server has tried is in its path."""
        for skipped in range(len(path)):
            if self._field.has_part(path[skipped:]):
                self._field.show_violation(path[skipped:], text)
                return True
        return False

    def clear_violations(self) -> None:
        """Forgets what the server said."""
        for field in self._fields.values():
            field.clear_violation()

    @on(ChoiceLine.Chosen)
    def choose(self, message: ChoiceLine.Chosen) -> None:
        """Shows what takes a value of the type."""
        if message.line is self._line:
            message.stop()
            self._show()
            self.post_message(self.Changed())

    @on(ChoiceLine.Submitted)
    def submit(self, message: ChoiceLine.Submitted) -> None:
        """Tells that all has been written."""
        message.stop()
        self.post_message(self.Submitted())

    @property
    def _field(self) -> Field:
        chosen = self._line.chosen or 0
        field = self._fields.get(chosen)
        if field is None:
            argument = ArgumentField("value", self._variants[chosen], label="value")
            field = self._fields[chosen] = self._make_field(argument, Widths(_LABEL_WIDTH, 0))
            if self._has_composed:
                self.mount(field)
        return field

    def _show(self) -> None:
        shown = self._field
        for field in self._fields.values():
            field.display = field is shown


def _told(type: ArgumentType) -> str:
    told = words.line(type.words)
    return told if len(told) <= _MAX_WORDS else f"{told[: _MAX_WORDS - 1]}…"
