"""Takes what has members or places of its own: a group of fields, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from esgrpc_console.system_view.json_schema import ArgumentField, ArgumentType
from esgrpc_console.system_view.json_values import ABSENT, JsonObject, JsonValue, MaybeJson
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.arguments.field_label import Widths, widths_of

MakeField = Callable[[ArgumentField, Widths], Field]
"""Makes a field, whose name and type take so many cells."""


class ObjectEditor(ArgumentEditor):
    """Takes the members of an object."""

    is_block: ClassVar[bool] = True

    DEFAULT_CSS = """
    ObjectEditor {
        border-left: vkey $panel;
    }
    """

    def __init__(self, type: ArgumentType, make_field: MakeField) -> None:
        super().__init__(type)
        widths = widths_of(type.fields)
        self._fields = [make_field(field, widths) for field in type.fields]

    def compose(self) -> ComposeResult:
        """A field a member."""
        yield from self._fields

    def value(self) -> MaybeJson:
        """Returns an object that has the members that were given."""
        members: JsonObject = {}
        for field in self._fields:
            value = field.argument()
            if value is not ABSENT:
                members[field.key] = value
        return members

    def load(self, value: JsonValue) -> None:
        """Writes the members of an object."""
        members = value if isinstance(value, dict) else {}
        for field in self._fields:
            field.load(members.get(field.key, ABSENT))

    def clear(self) -> None:
        """Forgets all members."""
        for field in self._fields:
            field.load(ABSENT)

    def enter(self) -> None:
        """Goes to the first member."""
        if self._fields:
            self._fields[0].enter()

    def has_part(self, path: Sequence[str]) -> bool:
        """Tells whether there is such a member."""
        return any(field.key == path[0] for field in self._fields)

    def show_violation(self, path: Sequence[str], text: str) -> bool:
        """Shows what is wrong with a member."""
        for field in self._fields:
            if path and field.key == path[0]:
                field.show_violation(path[1:], text)
                return True
        return False

    def clear_violations(self) -> None:
        """Forgets what the server said."""
        for field in self._fields:
            field.clear_violation()


class TupleEditor(ObjectEditor):
    """Takes a value for each place of an array that has a certain length."""

    def value(self) -> MaybeJson:
        """Returns an array, or nothing as long as all places are empty."""
        values = [field.argument() for field in self._fields]
        given = [value for value in values if value is not ABSENT]
        if given and len(given) < len(values):
            missing = self._fields[values.index(ABSENT)]
            raise NotReadableError(f"{missing.label} is missing")
        return given or ABSENT

    def load(self, value: JsonValue) -> None:
        """Writes the items of an array."""
        items = value if isinstance(value, list) else []
        for field, item in zip(self._fields, items, strict=False):
            field.load(item)
