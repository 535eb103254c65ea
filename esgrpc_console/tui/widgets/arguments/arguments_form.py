"""All arguments of a method as fields, and what is to be known of the one that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_fit import misfit_of_members
from esgrpc_console.system_view.json_schema import ArgumentField, ArgumentsType, ArgumentType
from esgrpc_console.system_view.json_values import ABSENT, JsonObject
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.arguments.field_label import widths_of
from esgrpc_console.tui.widgets.arguments.make import field_maker
from esgrpc_console.tui.widgets.arguments.services import FormServices

_OTHERS = "**"
"""No parameter has this name."""
_PLACE = re.compile(r"((?:\.?\w+|\[\d+\])+): ")
"""Where in an argument something is wrong, as servers say it: ``items[0].price: …``."""
_PART = re.compile(r"\w+")


class ArgumentsForm(Vertical):
    """Takes the arguments of a method."""

    DEFAULT_CSS = """
    ArgumentsForm {
        height: auto;

        .fields {
            height: auto;
        }

        .hint {
            height: 1;
            color: $text-muted;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, type: ArgumentsType, services: FormServices) -> None:
        super().__init__()
        self._type = type
        fields = list(type.fields)
        if type.extra is not None:
            others = ArgumentType({"type": "object"}, {})
            description = f"other names, with values of {type.extra.words}"
            fields.append(
                ArgumentField(
                    _OTHERS, others, is_required=False, label="others", description=description
                )
            )
        make_field, widths = field_maker(services), widths_of(fields)
        self._fields = [make_field(field, widths) for field in fields]
        self._scroll = VerticalScroll(classes="fields", can_focus=False)
        self._hint = Static(classes="hint", markup=False)
        self._lines = 0

    def compose(self) -> ComposeResult:
        """A field an argument, and a line for the one that has the focus."""
        with self._scroll:
            yield from self._fields
        if self._fields:
            yield self._hint

    def allow_lines(self, lines: int) -> None:
        """Lets it take so many lines. Fields that have no room there are scrolled to."""
        if lines != self._lines:
            self._lines = lines
            self._scroll.styles.max_height = max(1, lines - 1)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._fields

    def enter(self) -> bool:
        """Goes to the first field that is wrong, or to the first. Tells whether there is one."""
        wrong = [field for field in self._fields if field.has_class("-said")]
        for field in (wrong or self._fields)[:1]:
            field.enter()
        return bool(self._fields)

    def arguments(self) -> JsonObject:
        """Returns what is to be sent.

        :raises NotReadableError: when something can't be sent. Its field shows why, too.
        """
        arguments: JsonObject = {}
        others: JsonObject = {}
        for field in self._fields:
            value = field.argument()
            if field.key == _OTHERS and isinstance(value, dict):
                others = value
            elif field.key == _OTHERS and value is not ABSENT:
                raise NotReadableError("the other arguments are no JSON object")
            elif value is not ABSENT:
                arguments[field.key] = value
        for name in others:
            if any(field.key == name for field in self._fields):
                raise NotReadableError(f"{name} has a field of its own")
        return {**arguments, **others}

    def misfit(self, arguments: JsonObject) -> str:
        """Returns why the fields can't show some arguments. Empty: they can."""
        return misfit_of_members(self._type, arguments)

    def load(self, arguments: JsonObject) -> None:
        """Writes arguments that fit."""
        others = {
            name: value
            for name, value in arguments.items()
            if all(field.key != name for field in self._fields)
        }
        for field in self._fields:
            if field.key == _OTHERS:
                field.load(others or ABSENT)
            else:
                field.load(arguments.get(field.key, ABSENT))

    def show_violations(self, violations: Mapping[str, str]) -> Mapping[str, str]:
        """Shows what the server says is wrong under the fields. Returns what has no field."""
        self.clear_violations()
        fields = {field.key: field for field in self._fields}
        others: dict[str, str] = {}
        for place, told in violations.items():
            name, *path = [place] if place in fields else _PART.findall(place) or [place]
            field = fields.get(name)
            if field is not None:
                for inner, text in _by_place(told):
                    field.show_violation([*path, *inner], text)
            elif _OTHERS in fields:
                fields[_OTHERS].show_violation([place], told)
            else:
                others[place] = told
        return others

    def clear_violations(self) -> None:
        """Forgets what the server said."""
        for field in self._fields:
            field.clear_violation()

    @on(ArgumentEditor.Changed)
    def follow_changes(self) -> None:
        """Says what is wrong with what is being written."""
        self._show_hint()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Says what is to be known of the field that has the focus."""
        self._show_hint()

    def show_focused(self) -> None:
        """Keeps what is being written where it can be seen."""
        if not self.is_attached:
            # Its screen was left meanwhile.
            return
        focused = self.screen.focused
        if focused is not None and self.has_focus_within:
            focused.scroll_visible(animate=False)

    def _show_hint(self) -> None:
        inner = [field for field in self.query(Field) if field.has_focus_within]
        hint = inner[-1].hint() if inner else ""
        keys = [inner[-1].keys] if inner else []
        keys += [field.editor_keys for field in reversed(inner)]
        hint = " – ".join(filter(None, (hint, "  ".join(filter(None, keys)))))
        self._hint.update(Content(words.line(hint[:500])), layout=False)


def _by_place(told: str) -> Iterator[tuple[list[str], str]]:
    """Takes apart what a server says of the parts of one argument."""
    place: list[str] = []
    said = ""
    for part in told.split("; "):
        match = _PLACE.match(part)
        if match or not said:
            if said:
                yield place, said
            place = _PART.findall(match.group(1)) if match else []
            said = part[match.end() :] if match else part
        else:
            said = f"{said}; {part}"
    yield place, said
