"""One argument with its name, its type, whether it is given, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_schema import ArgumentField
from esgrpc_console.system_view.json_values import ABSENT, MaybeJson
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.widgets.arguments.choice_editor import ChoiceEditor
from esgrpc_console.tui.widgets.arguments.choice_line import ChoiceLine, Cycle
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.field_label import FieldLabel, Widths
from esgrpc_console.tui.widgets.arguments.presence import (
    BLOCKS,
    Presence,
    absent_words,
    default_words,
    empty_words,
    is_none_default,
    presence_words,
    presences_of,
)
from esgrpc_console.tui.widgets.arguments.text_editor import TextEditor

MakeEditor = Callable[[ArgumentField], ArgumentEditor]

_MAX_VIOLATION = 1_000


class Field(Vertical):
    """Takes one argument, or one part of one."""

    DEFAULT_CSS = """
    Field {
        height: auto;

        .field-line {
            height: auto;
            min-height: 1;
        }

        .field-default {
            width: 1fr;
            height: 1;
            color: $text-muted;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }

        .field-mark {
            width: 2;
            height: 1;
            padding: 0 0 0 1;
            color: $text-success;
        }

        .field-error {
            display: none;
            height: auto;
            padding: 0 0 0 2;
            color: $text-error;
        }

        &.-wrong > .field-line > .field-mark {
            color: $text-error;
        }

        &.-said > .field-error {
            display: block;
        }

        & > ArgumentEditor {
            margin: 0 0 0 1;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("methods.absent"),
        Binding("up", "app.focus_previous", "previous", show=False),
        Binding("down", "app.focus_next", "next", show=False),
    ]

    def __init__(self, argument: ArgumentField, make_editor: MakeEditor, widths: Widths) -> None:
        """
        :param widths: how many cells its name and its type take.
        """
        super().__init__()
        self.key = argument.name
        """The name by which it is sent: in a list, its index."""
        self.label = argument.label
        """What it is called."""
        self.argument_field = argument
        self._make_editor = make_editor
        self._presences = presences_of(argument)
        self._presence = self._presences[0]
        self._label = FieldLabel(widths)
        self._cycle = Cycle([presence_words(argument, one) for one in self._presences])
        self._cycle.display = len(self._presences) > 1
        # Where a text is written, a key does the same, and the way through a form is shorter.
        self._cycle.can_focus = argument.type.kind in BLOCKS
        self._default = Static(classes="field-default", markup=False)
        self._mark = Static(classes="field-mark", markup=False)
        self._error = Static(classes="field-error", markup=False)
        self._violation = ""
        self._editor: ArgumentEditor | None = None
        self._forgotten = ""
        self._is_ready = False
        if self._presence is Presence.VALUE or argument.type.kind not in BLOCKS:
            self._ensure_editor()

    def compose(self) -> ComposeResult:
        """Name, type, what is written, a mark; what is wrong."""
        self._show_label()
        editor = self._editor
        with Horizontal(classes="field-line"):
            yield self._label
            yield self._cycle
            if editor is not None and not editor.is_block:
                yield editor
            else:
                yield self._default
            yield self._mark
        yield self._error
        self._refresh()

    def on_mount(self) -> None:
        """Shows what takes lines of its own."""
        self._is_ready = True
        editor = self._editor
        if editor is not None and editor.is_block:
            self.mount(editor, before=self._error)

    def argument(self) -> MaybeJson:
        """Returns what is to be sent. ``ABSENT``: nothing is.

        :raises NotReadableError: when what was written can't be sent. It is shown here, too.
        """
        if self._presence is Presence.DEFAULT:
            return ABSENT
        if self._presence is Presence.NONE:
            return None
        try:
            return self._ensure_editor().value()
        except NotReadableError as e:
            self._say(str(e))
            raise NotReadableError(f"{self.label}: {e}") from e

    def load(self, value: MaybeJson) -> None:
        """Writes what fits the type, or forgets what was written."""
        self.clear_violation()
        editor = self._editor
        if value is ABSENT:
            self._presence = self._presences[0]
            if editor is not None:
                editor.clear()
        elif value is None and Presence.NONE in self._presences:
            self._be(Presence.NONE)
        elif value is None and Presence.DEFAULT in self._presences:
            self._be(Presence.DEFAULT)
        elif (
            value is None
            and is_none_default(self.argument_field)
            and not isinstance(editor, ChoiceEditor)
        ):
            self._presence = Presence.VALUE
            self._ensure_editor().clear()
        else:
            self._presence = Presence.VALUE
            self._ensure_editor().load(value)
        self._refresh()

    def enter(self) -> None:
        """Takes the focus."""
        editor = self._editor
        if editor is None or (editor.is_block and self._presence is not Presence.VALUE):
            self._cycle.focus()
        else:
            editor.enter()

    def rename(self, key: str, label: str) -> None:
        """Takes another name: in a list, another index."""
        self.key, self.label = key, label
        self._show_label()

    def has_part(self, path: Sequence[str]) -> bool:
        """Tells whether there is a part of it that has the first of some names."""
        return bool(path) and self._editor is not None and self._editor.has_part(path)

    def show_violation(self, path: Sequence[str], text: str) -> None:
        """Shows what the server says is wrong with it, or with a part of it."""
        editor = self._editor if self._presence is Presence.VALUE else None
        if path and editor is not None and editor.show_violation(path, text):
            return
        said = f"{'.'.join(path)}: {text}" if path else text
        self._say(f"{self._violation}; {said}" if self._violation else said)

    def clear_violation(self) -> None:
        """Forgets what the server said."""
        self._say("")
        if self._editor is not None:
            self._editor.clear_violations()

    def hint(self) -> str:
        """Returns what is to be known of it while it is written, on one line."""
        argument = self.argument_field
        problem = self._problem()
        wrong = f"{problem} – " if problem else ""
        told = f"{argument.label}: {wrong}{argument.type.author_words}"
        if argument.default is not ABSENT:
            told += f", by default {default_words(argument)}"
        elif argument.is_required:
            told += ", required"
        else:
            told += ", optional"
        return " – ".join(filter(None, (told, argument.description)))

    @property
    def keys(self) -> str:
        """What keys do in it, in a few words."""
        if len(self._presences) == 1:
            return ""
        others = (presence_words(self.argument_field, one) for one in self._presences)
        return f"ctrl+o {' or '.join(others)}"

    @property
    def editor_keys(self) -> str:
        """What other keys do in what takes its value."""
        is_written = self._editor is not None and self._presence is Presence.VALUE
        return self._editor.keys if self._editor is not None and is_written else ""

    def action_absent(self) -> None:
        """Leaves it out, or gives None, or a value."""
        if isinstance(self._editor, ChoiceEditor):
            self._editor.step()
        elif len(self._presences) > 1:
            self._cycle.action_step(1)

    @on(Cycle.Chosen)
    def change_presence(self, message: Cycle.Chosen) -> None:
        """Leaves it out, or gives None, or a value."""
        if message.cycle is self._cycle:
            message.stop()
            self.clear_violation()
            self._be(self._presences[message.cycle.chosen])
            self.post_message(ArgumentEditor.Changed())

    @on(ChoiceLine.Submitted)
    def submit(self, message: ChoiceLine.Submitted) -> None:
        """Tells that all has been written."""
        message.stop()
        self.post_message(ArgumentEditor.Submitted())

    @on(ArgumentEditor.Changed)
    def follow_editor(self) -> None:
        """Gives a value as soon as one is written, and forgets what the server said of another."""
        editor = self._editor
        if isinstance(editor, TextEditor) and editor.text:
            self._presence = Presence.VALUE
        self._say("")
        self._refresh()

    def _ensure_editor(self) -> ArgumentEditor:
        if self._editor is None:
            self._editor = self._make_editor(self.argument_field)
            if self._is_ready:
                self.mount(self._editor, before=self._error)
        return self._editor

    def _be(self, presence: Presence) -> None:
        self._presence = presence
        if presence is Presence.VALUE:
            editor = self._ensure_editor()
            if isinstance(editor, TextEditor):
                editor.text = editor.text or self._forgotten
        elif isinstance(self._editor, TextEditor):
            self._forgotten = self._editor.text or self._forgotten
            self._editor.clear()
        self._refresh()

    def _problem(self) -> str:
        if self._presence is not Presence.VALUE or self._editor is None:
            return ""
        return self._editor.problem()

    def _refresh(self) -> None:
        argument, editor = self.argument_field, self._editor
        is_value = self._presence is Presence.VALUE
        self._cycle.show(self._presences.index(self._presence))
        if isinstance(editor, TextEditor):
            absent = absent_words(argument, self._presence)
            editor.show_placeholder(empty_words(argument) if is_value else absent)
        elif editor is None or editor.is_block:
            told = "" if is_value else absent_words(argument, self._presence)
            # The word before it may say the same already.
            told = "" if told == presence_words(argument, self._presence) else told
            self._default.update(Content(told), layout=False)
            if editor is not None:
                editor.display = is_value
        is_wrong = bool(self._violation or self._problem())
        self.set_class(is_wrong, "-wrong")
        is_written = isinstance(editor, TextEditor) and bool(editor.text)
        mark = "✗" if is_wrong else "✓" if is_written else ""
        if self._mark.content != mark:
            self._mark.update(mark, layout=False)

    def _say(self, violation: str) -> None:
        if violation != self._violation:
            self._violation = violation
            self._error.update(Content(words.line(violation[:_MAX_VIOLATION])))
            self.set_class(bool(violation), "-said")
            self._refresh()

    def _show_label(self) -> None:
        self._label.show(self.label, self.argument_field.type.author_words)
