"""Takes what is written on one line: numbers, IDs, points in time, text. Text may have more lines."""

from __future__ import annotations

from datetime import UTC
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, TextArea

from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_text import (
    FORMS,
    problem_with_text,
    text_from_value,
    value_from_text,
)
from esgrpc_console.system_view.json_schema import ArgumentField, Kind
from esgrpc_console.system_view.json_values import JsonValue, MaybeJson
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.screens.seen_ids_screen import SeenIdsScreen
from esgrpc_console.tui.seen_ids import SeenIds
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor
from esgrpc_console.tui.widgets.arguments.services import FormServices

MAX_WRAPPED = 20_000
"""Characters. Longer lines are not broken: it would take a second at each key."""
_MANY_LINES = frozenset({Kind.TEXT, Kind.ANY})
_TIMES = frozenset({Kind.DATE, Kind.TIME, Kind.DATETIME})


class ArgumentInput(Input):
    """Takes one line. Enter calls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "call", show=False)]

    class Pasted(Message):
        """Posted when text of several lines was pasted, of which one has room."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_paste(self, event: events.Paste) -> None:
        """Takes text without what could do harm, and tells of more lines than one."""
        event.stop()
        event.prevent_default()
        text = _harmless(event.text)
        start, end = sorted(self.selection)
        if "\n" in text.strip("\n"):
            self.post_message(self.Pasted(f"{self.value[:start]}{text}{self.value[end:]}"))
        else:
            self.replace(text.strip("\n"), start, end)


class TextPad(TextArea):
    """Takes several lines."""

    DEFAULT_CSS = """
    TextPad {
        height: auto;
        min-height: 2;
        max-height: 8;
        padding: 0;
        background: $surface;

        & .text-area--cursor-line {
            background: $surface;
        }

        &:focus {
            background: $accent 20%;

            & .text-area--cursor-line {
                background: $accent 10%;
            }
        }
    }
    """

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(
            text,
            id=id,
            compact=True,
            soft_wrap=len(text) < MAX_WRAPPED,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )

    def show(self, text: str) -> None:
        """Shows another text."""
        self.soft_wrap = len(text) < MAX_WRAPPED
        self.text = text

    def on_paste(self, event: events.Paste) -> None:
        """Takes text without what could do harm."""
        event.stop()
        event.prevent_default()
        text = _harmless(event.text)
        self.soft_wrap = self.soft_wrap and len(self.text) + len(text) < MAX_WRAPPED
        start, end = self.selection
        result = self.replace(text, start, end, maintain_selection_offset=False)
        self.move_cursor(result.end_location)


class TextEditor(ArgumentEditor):
    """Takes text that stands for a value."""

    DEFAULT_CSS = """
    TextEditor ArgumentInput {
        width: 1fr;
        background: $surface;

        &:focus {
            background: $accent 20%;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "methods.lines", "methods.seen-ids", "methods.now"
    )

    def __init__(self, field: ArgumentField, services: FormServices) -> None:
        super().__init__(field.type)
        self._services = services
        self._takes_ids = takes_ids(field)
        suggester = _SeenIdSuggester(services.seen_ids, field.type.kind is Kind.UUID)
        self._input = ArgumentInput(
            compact=True,
            password=field.type.is_secret,
            suggester=suggester if self._takes_ids else None,
        )
        self._pad: TextPad | None = None
        self._has_composed = False

    def compose(self) -> ComposeResult:
        """A line, or several."""
        self._has_composed = True
        self._input.display = self._pad is None
        yield self._input
        if self._pad is not None:
            yield self._pad

    @property
    def text(self) -> str:
        """What was written."""
        return self._input.value if self._pad is None else self._pad.text

    @text.setter
    def text(self, text: str) -> None:
        if self._pad is not None:
            self._pad.show(text)
        elif "\n" in text:
            self._use_lines(text)
        else:
            self._input.value = text
            self._input.cursor_position = len(text)

    def show_placeholder(self, text: str) -> None:
        """Shows this where nothing was written."""
        form = FORMS.get(self.type.kind, "")
        self._input.placeholder = "  ".join(filter(None, (form, text)))

    def value(self) -> MaybeJson:
        """Returns what the text stands for."""
        return value_from_text(self.type, self.text)

    def load(self, value: JsonValue) -> None:
        """Writes a value."""
        self.text = text_from_value(self.type, value)

    def clear(self) -> None:
        """Forgets the text."""
        self.text = ""

    def enter(self) -> None:
        """Takes the focus."""
        (self._pad or self._input).focus()

    def problem(self) -> str:
        """Returns what is wrong with the text so far."""
        return problem_with_text(self.type, self.text)

    @property
    def keys(self) -> str:
        """What keys do in it."""
        if self._takes_ids:
            return "f4 IDs seen"
        if self.type.kind in _TIMES:
            return "ctrl+t now"
        return "f3 more lines" if self._takes_lines and self._pad is None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use for the type."""
        match action:
            case "lines":
                return self._pad is None and self._takes_lines
            case "seen_ids":
                return self._takes_ids
            case "now":
                return self.type.kind in _TIMES
            case _:
                return True

    def action_lines(self) -> None:
        """Goes on in a place that takes several lines."""
        self._use_lines(self.text)
        self.call_after_refresh(self.enter)

    def action_seen_ids(self) -> None:
        """Lists the IDs that were seen lately: first those that begin as what was written."""
        seen, is_uuid = self._services.seen_ids, self.type.kind is Kind.UUID
        likely = list(seen.beginning_with(self.text.strip(), only_uuids=is_uuid))
        known = set(likely)
        others = [one for one in seen.beginning_with("", only_uuids=is_uuid) if one not in known]

        def take(chosen: str | None) -> None:
            if chosen is not None:
                self.text = chosen
                self.enter()

        self.app.push_screen(SeenIdsScreen([*likely, *others]), take)

    def action_now(self) -> None:
        """Writes the time that it is now."""
        now = self._services.wall_clock().astimezone(UTC).replace(microsecond=0)
        match self.type.kind:
            case Kind.DATE:
                self.text = now.date().isoformat()
            case Kind.TIME:
                self.text = now.time().isoformat()
            case _:
                self.text = now.isoformat()

    @on(ArgumentInput.Pasted)
    def take_lines(self, message: ArgumentInput.Pasted) -> None:
        """Takes several lines that were pasted, or one where no more will do."""
        message.stop()
        if self._takes_lines:
            self._use_lines(message.text)
            self.call_after_refresh(self.enter)
        else:
            self.text = " ".join(message.text.split())

    @on(Input.Changed)
    @on(TextArea.Changed)
    def tell(self, message: Input.Changed | TextArea.Changed) -> None:
        """Tells that something was written."""
        message.stop()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def submit(self, message: Input.Submitted) -> None:
        """Tells that all has been written."""
        message.stop()
        self.post_message(self.Submitted())

    @property
    def _takes_lines(self) -> bool:
        return self.type.kind in _MANY_LINES and not self.type.is_secret

    def _use_lines(self, text: str) -> None:
        self._pad = TextPad(text)
        if self._has_composed:
            self._input.display = False
            self.mount(self._pad)
            self.post_message(self.Changed())


def takes_ids(field: ArgumentField) -> bool:
    """Tells whether a parameter looks like one that takes an ID."""
    if field.type.kind is Kind.UUID:
        return True
    is_text = field.type.kind in {Kind.TEXT, Kind.ANY} and not field.type.is_secret
    return is_text and (field.name == "id" or field.name.endswith("_id"))


def _harmless(text: str) -> str:
    # Terminals may send either for the end of a line.
    return words.block(text.replace("\r\n", "\n").replace("\r", "\n"))


class _SeenIdSuggester(Suggester):
    """Completes what was typed to an ID that was seen."""

    def __init__(self, seen_ids: SeenIds, only_uuids: bool) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._seen_ids = seen_ids
        self._only_uuids = only_uuids

    async def get_suggestion(self, value: str) -> str | None:
        """Returns the ID that was seen last, of those that begin so."""
        found = self._seen_ids.beginning_with(value, only_uuids=self._only_uuids)
        seen = next(found, None) if value else None
        # What was typed stays as it was typed.
        return None if seen is None else value + seen.id[len(value) :]
