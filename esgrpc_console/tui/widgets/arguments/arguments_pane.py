"""The arguments of a method as fields or as JSON, one at a time, with the same content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.system_view.json_values import JsonObject
from esgrpc_console.tui.widgets.arguments.arguments_form import ArgumentsForm
from esgrpc_console.tui.widgets.arguments.arguments_json import ArgumentsJson
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.services import FormServices

FORM, JSON = "Form", "JSON"


class TabName(Static):
    """The name of a way to write arguments, which is shown when it is clicked."""

    class Clicked(Message):
        """Posted when it was clicked."""

        def __init__(self, title: str) -> None:
            super().__init__()
            self.title = title

    def __init__(self, title: str) -> None:
        super().__init__(title, markup=False)
        self.title = title

    def on_click(self) -> None:
        """Asks to be shown."""
        self.post_message(self.Clicked(self.title))


class ArgumentsPane(Vertical):
    """Takes the arguments of a method."""

    DEFAULT_CSS = """
    ArgumentsPane {
        width: 1fr;
        height: auto;

        .call-line {
            height: 1;
        }

        TabName {
            width: auto;
            padding: 0 1;
            color: $text-muted;

            &:hover {
                color: $foreground;
            }

            &.-shown {
                background: $accent 30%;
                color: $foreground;
                text-style: bold;
            }
        }

        .call-note {
            width: 1fr;
            padding: 0 1;
            color: $text-muted;
            text-wrap: nowrap;
            text-overflow: ellipsis;

            &.-bad {
                color: $text-error;
            }
        }
    }
    """

    def __init__(
        self, type: ArgumentsType, services: FormServices, buttons: Iterable[Widget]
    ) -> None:
        """
        :param buttons: are shown below the arguments, on one line with what is said of them.
        """
        super().__init__()
        self._form = ArgumentsForm(type, services)
        self._json = ArgumentsJson(type)
        self._json.display = False
        self._tabs = [TabName(FORM), TabName(JSON)]
        self._buttons = buttons
        self._note = Static(classes="call-note", markup=False)
        self._is_bad = False

    def compose(self) -> ComposeResult:
        """The fields or the JSON; which of them, the buttons, what is said."""
        yield self._form
        yield self._json
        with Horizontal(classes="call-line"):
            yield from self._tabs
            yield from self._buttons
            yield self._note

    def on_mount(self) -> None:
        """Shows the fields."""
        for tab in self._tabs:
            tab.display = not self._form.is_empty
        self._show_tab()

    @property
    def is_json(self) -> bool:
        """Whether they are written as JSON."""
        return self._json.display

    def arguments(self) -> JsonObject:
        """Returns what is to be sent.

        :raises NotReadableError: when something can't be sent.
        """
        return self._json.arguments() if self.is_json else self._form.arguments()

    def load(self, arguments: JsonObject) -> None:
        """Writes arguments: into the fields, or as JSON where the fields can't show them."""
        misfit = self._form.misfit(arguments)
        self._json.load(arguments)
        if misfit:
            self._json.display = True
            self._show_tab()
            self.say(f"as JSON: {misfit}")
            return
        self._form.load(arguments)
        self.say("")

    def enter(self) -> bool:
        """Takes the focus. Tells whether there is anything to write."""
        if self.is_json:
            self._json.enter()
            return True
        return self._form.enter()

    def show_json(self) -> None:
        """Goes on with JSON that has what the fields have."""
        if self.is_json or self._form.is_empty:
            return
        try:
            arguments = self._form.arguments()
        except NotReadableError as e:
            self.say(f"✗ {e}", is_bad=True)
            return
        self._json.load(arguments)
        self._json.display = True
        self._show_tab()
        self.say("")
        self.call_after_refresh(self._json.enter)

    def show_form(self) -> None:
        """Goes on with fields that have what the JSON has, unless they can't show it."""
        if not self.is_json:
            return
        try:
            arguments = self._json.arguments()
        except NotReadableError as e:
            self.say(f"✗ {e}", is_bad=True)
            return
        misfit = self._form.misfit(arguments)
        if misfit:
            self._json.say(misfit)
            self.say("the form can't show this", is_bad=True)
            return
        self._form.load(arguments)
        self._json.display = False
        self._show_tab()
        self.say("")
        self.call_after_refresh(self.enter)

    def show_violations(self, violations: Mapping[str, str]) -> bool:
        """Shows what the server says is wrong, and tells whether all of it has a place here."""
        if self.is_json:
            told = "; ".join(f"{name}: {text}" for name, text in violations.items())
            self._json.say(told)
            others = violations
        else:
            others = self._form.show_violations(violations)
        if violations:
            self.say("✗ not called: see the arguments", is_bad=True)
        else:
            self.say("")
        return not others

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Says something beside the buttons."""
        self._is_bad = is_bad
        self._note.set_class(is_bad, "-bad")
        self._note.update(Content(words.line(text)), layout=False)

    def allow_lines(self, lines: int) -> None:
        """Lets the arguments take so many lines. More of them are scrolled to."""
        self._form.allow_lines(lines)
        self._json.allow_lines(lines)

    def show_focused(self) -> None:
        """Keeps what is being written where it can be seen."""
        self._form.show_focused()

    @on(ArgumentEditor.Changed)
    def forget_problem(self) -> None:
        """Says no more what was wrong with other arguments."""
        if self._is_bad:
            self.say("")

    @on(TabName.Clicked)
    def show_clicked_tab(self, message: TabName.Clicked) -> None:
        """Goes on in the other way."""
        message.stop()
        if message.title == JSON:
            self.show_json()
        else:
            self.show_form()

    def _show_tab(self) -> None:
        self._form.display = not self.is_json and not self._form.is_empty
        for tab in self._tabs:
            tab.set_class((tab.title == JSON) is self.is_json, "-shown")
