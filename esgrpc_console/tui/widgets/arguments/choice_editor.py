"""Takes one of few values: true or false, one of an enumeration, none, or the default."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Select

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_fit import is_same
from esgrpc_console.system_view.json_schema import ArgumentField, Kind
from esgrpc_console.system_view.json_values import ABSENT, JsonValue, MaybeJson, quoted
from esgrpc_console.tui.widgets.arguments.choice_line import ChoiceLine
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor

_MAX_ON_A_LINE = 60
"""Cells. What takes more is listed on demand."""


class ChoiceEditor(ArgumentEditor):
    """Lets one choose, on a line where all choices fit there, and from a list otherwise."""

    DEFAULT_CSS = """
    ChoiceEditor Select {
        width: 1fr;
        height: 1;
    }
    """

    def __init__(self, field: ArgumentField) -> None:
        super().__init__(field.type)
        self._choices = tuple(_choices(field))
        told = [words.line(told) for told, _ in self._choices]
        absent = (i for i, (_, choice) in enumerate(self._choices) if choice is ABSENT)
        self._beginning = next(absent, None)
        self._line: ChoiceLine | None = None
        self._select: Select[int] | None = None
        if sum(cell_len(one) + 6 for one in told) <= _MAX_ON_A_LINE:
            note = "required" if field.is_required else ""
            self._line = ChoiceLine(told, chosen=self._beginning, note=note)
        else:
            options = [(Text(one, no_wrap=True), i) for i, one in enumerate(told)]
            beginning = Select.NULL if self._beginning is None else self._beginning
            self._select = Select(
                options, prompt="choose …", value=beginning, allow_blank=True, compact=True
            )

    def compose(self) -> ComposeResult:
        """The line, or the list."""
        if self._line is not None:
            yield self._line
        elif self._select is not None:
            yield self._select

    def value(self) -> MaybeJson:
        """Returns what was chosen."""
        chosen = self._chosen
        return ABSENT if chosen is None else self._choices[chosen][1]

    def load(self, value: JsonValue) -> None:
        """Chooses a value."""
        for i, (_, choice) in enumerate(self._choices):
            if choice is not ABSENT and is_same(choice, value):
                self._choose(i)
                return
        # It is the default.
        self._choose(self._beginning)

    def clear(self) -> None:
        """Chooses nothing, or the default."""
        self._choose(self._beginning)

    def enter(self) -> None:
        """Takes the focus."""
        chooser = self._line or self._select
        if chooser is not None:
            chooser.focus()

    def step(self) -> None:
        """Chooses the next one."""
        if self._line is not None:
            self._line.action_step(1)
        elif self._choices:
            chosen = self._chosen
            self._choose(0 if chosen is None else (chosen + 1) % len(self._choices))

    @on(ChoiceLine.Chosen)
    @on(Select.Changed)
    def tell(self, message: ChoiceLine.Chosen | Select.Changed) -> None:
        """Tells that something was chosen."""
        message.stop()
        self.post_message(self.Changed())

    @on(ChoiceLine.Submitted)
    def submit(self, message: ChoiceLine.Submitted) -> None:
        """Tells that all has been written."""
        message.stop()
        self.post_message(self.Submitted())

    @property
    def _chosen(self) -> int | None:
        if self._line is not None:
            return self._line.chosen
        value = self._select.value if self._select is not None else None
        return value if isinstance(value, int) else None

    def _choose(self, index: int | None) -> None:
        if self._line is not None:
            self._line.chosen = index
        elif self._select is not None:
            self._select.value = Select.NULL if index is None else index


def _choices(field: ArgumentField) -> Sequence[tuple[str, MaybeJson]]:
    """Returns what can be chosen. The default is one of them, which is sent as nothing."""
    choices: list[tuple[str, MaybeJson]] = []
    known: list[JsonValue] = [True, False] if field.type.kind is Kind.BOOLEAN else []
    known += field.type.choices
    if field.type.is_nullable or (field.default is None and not field.is_required):
        known.insert(0, None)
    has_default = False
    for value in known:
        is_default = not has_default and _is_default(field, value)
        has_default = has_default or is_default
        told = f"{_told(value)} (default)" if is_default else _told(value)
        choices.append((told, ABSENT if is_default else value))
    if not has_default and not field.is_required:
        default = field.default
        told = "not given" if default is ABSENT else f"{_told(default)} (default)"
        choices.insert(0, (told, ABSENT))
    return choices


def _is_default(field: ArgumentField, value: JsonValue) -> bool:
    default = field.default
    return not field.is_required and default is not ABSENT and is_same(default, value)


def _told(value: JsonValue) -> str:
    if value is None:
        return "None"
    # Quotes tell text from numbers, where it isn't plain.
    is_plain = isinstance(value, str) and value and not value[0].isdigit() and value.isprintable()
    return str(value) if is_plain and value not in {"true", "false", "None"} else quoted(value)
