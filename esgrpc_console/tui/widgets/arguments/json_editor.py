"""Takes any JSON: for dictionaries, and for what is nested too deeply for fields of its own."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import TextArea

from esgrpc_console.system_view.json_schema import ArgumentType, Kind
from esgrpc_console.system_view.json_values import (
    ABSENT,
    JsonProblem,
    JsonValue,
    MaybeJson,
    read_json,
    write_json,
)
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.text_editor import TextPad

_MAX_CHECKED = 100_000


class JsonEditor(ArgumentEditor):
    """Takes several lines of JSON."""

    is_block: ClassVar[bool] = True

    def __init__(self, type: ArgumentType) -> None:
        super().__init__(type)
        self._pad = TextPad()
        self._pad.placeholder = _PLACEHOLDERS.get(type.kind, "JSON")

    def compose(self) -> ComposeResult:
        """The lines."""
        yield self._pad

    def value(self) -> MaybeJson:
        """Returns the JSON that was written."""
        if not self._pad.text.strip():
            return ABSENT
        try:
            return read_json(self._pad.text)
        except JsonProblem as e:
            raise NotReadableError(str(e)) from e

    def load(self, value: JsonValue) -> None:
        """Writes a value."""
        self._pad.show(write_json(value))

    def clear(self) -> None:
        """Forgets what was written."""
        self._pad.show("")

    def enter(self) -> None:
        """Takes the focus."""
        self._pad.focus()

    def problem(self) -> str:
        """Returns where the JSON is wrong."""
        if len(self._pad.text) > _MAX_CHECKED:
            return ""
        try:
            value = self.value()
        except NotReadableError as e:
            return str(e)
        expected = _EXPECTED.get(self.type.kind)
        if expected is None or value is ABSENT or isinstance(value, expected[0]):
            return ""
        return f"not {expected[1]}"

    @on(TextArea.Changed)
    def tell(self, message: TextArea.Changed) -> None:
        """Tells that something was written."""
        message.stop()
        self.post_message(self.Changed())


_EXPECTED: dict[Kind, tuple[type, str]] = {
    Kind.MAPPING: (dict, "a JSON object"),
    Kind.OBJECT: (dict, "a JSON object"),
    Kind.LIST: (list, "a JSON array"),
    Kind.TUPLE: (list, "a JSON array"),
}
_PLACEHOLDERS = {
    Kind.MAPPING: '{"name": …}',
    Kind.OBJECT: '{"name": …}',
    Kind.LIST: "[…, …]",
    Kind.TUPLE: "[…, …]",
}
