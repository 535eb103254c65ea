"""A form for one method: its arguments as fields or as JSON, and what the last call brought."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from esgrpc_console.system_view import CallFailed, MethodView, words
from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.system_view.json_values import JsonObject
from esgrpc_console.tui.method_calls import Call, CallEnd, Repetition
from esgrpc_console.tui.widgets.arguments.arguments_form import ArgumentsForm
from esgrpc_console.tui.widgets.arguments.arguments_json import ArgumentsJson
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.services import FormServices
from esgrpc_console.tui.widgets.call_outcome import CallOutcome

_MAX_ABOUT = 10_000
"""Characters of a signature and of a docstring that are shown."""
_BESIDE_WIDTH = 90
"""From which width on the outcome is beside the arguments."""
_ROOMY_HEIGHT = 20
"""From which height on there is room between the parts."""


class CallButton(Button):
    """Calls."""


class TabName(Static):
    """The name of a way to write arguments, which is shown when it is clicked."""

    class Clicked(Message):
        """Posted when it was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, title: str) -> None:
        super().__init__(title, markup=False)
        self.title = title

    def on_click(self) -> None:
        """Asks to be shown."""
        self.post_message(self.Clicked(self.title))


class MethodForm(Vertical):
    """Takes the arguments of one method, and shows what came of its calls.

    Making the calls is left to others.
    """

    DEFAULT_CSS = """
    MethodForm {
        height: 1fr;

        .about {
            height: auto;
            max-height: 5;
        }

        &.-more .about {
            max-height: 60%;
        }

        .signature {
            height: auto;
        }

        .docstring {
            height: auto;
            color: $text-muted;
        }

        .parts {
            height: 1fr;
        }

        .arguments {
            width: 1fr;
            height: auto;
        }

        CallOutcome {
            width: 1fr;
            height: 1fr;
        }

        &.-roomy .parts {
            margin: 1 0 0 0;
        }

        &.-roomy CallOutcome {
            margin: 1 0 0 0;
        }

        &.-beside .parts {
            layout: horizontal;
        }

        &.-beside .arguments {
            width: 3fr;
        }

        &.-beside CallOutcome {
            width: 2fr;
            height: 100%;
            margin: 0 0 0 1;
            border-left: vkey $panel;
        }

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

        CallButton {
            min-width: 10;
            margin: 0 1;
            background: $surface-lighten-1;
            color: $foreground;
            text-style: none;

            &:focus {
                background: $accent 60%;
                text-style: bold;
            }
        }
    }
    """

    class CallWanted(Message):
        """Posted when the method is to be called."""

        def __init__(self, form: MethodForm) -> None:
            super().__init__()
            self.form = form

    def __init__(
        self, application: str, method: MethodView, services: FormServices, *, is_read_only: bool
    ) -> None:
        """
        :param is_read_only: whether it can't be called, because it would change something.
        """
        super().__init__()
        self.application = application
        self.method = method
        self.is_read_only = is_read_only
        self.type = ArgumentsType(method.parameters_schema, method.signature)
        self.outcome = CallOutcome()
        self._form = ArgumentsForm(self.type, services)
        self._json = ArgumentsJson(self.type)
        self._json.display = False
        self._tabs = [TabName("Form"), TabName("JSON")]
        self._note = Static(classes="call-note", markup=False)
        self._is_bad = False
        label = "Call (read-only)" if is_read_only else "Call"
        self._button = CallButton(label, compact=True, disabled=is_read_only)

    def compose(self) -> ComposeResult:
        """What the method is, its arguments, the button, the outcome."""
        method = self.method
        kind = "command" if method.is_command else "query"
        docstring, signature = method.docstring, method.signature
        with VerticalScroll(classes="about", can_focus=False):
            yield Static(
                Content.assemble(
                    (f"{kind}  ", "$text-muted"),
                    (words.line(method.name), "bold"),
                    words.line(signature[:_MAX_ABOUT] + _dots(signature)),
                ),
                classes="signature",
            )
            if docstring:
                about = words.block(docstring[:_MAX_ABOUT] + _dots(docstring))
                yield Static(Content(about), classes="docstring")
        with Container(classes="parts"):
            with Vertical(classes="arguments"):
                yield self._form
                yield self._json
                with Horizontal(classes="call-line"):
                    yield from self._tabs
                    yield self._button
                    yield self._note
            yield self.outcome

    def on_mount(self) -> None:
        """Shows the form."""
        for tab in self._tabs:
            tab.display = not self._form.is_empty
        self._form.display = not self._form.is_empty
        self._show_tab()

    def on_resize(self, event: events.Resize) -> None:
        """Has the outcome beside the arguments, or below them."""
        self.set_class(event.size.width >= _BESIDE_WIDTH, "-beside")
        self.set_class(event.size.height >= _ROOMY_HEIGHT, "-roomy")
        self._fit()

    @property
    def is_json(self) -> bool:
        """Whether the arguments are written as JSON."""
        return self._json.display

    def call(self) -> Call:
        """Returns the call that is to be made.

        :raises NotReadableError: when the arguments can't be sent.
        """
        arguments = self._json.arguments() if self.is_json else self._form.arguments()
        return Call(self.application, self.method, arguments)

    def load(self, arguments: JsonObject) -> None:
        """Writes arguments: into the fields, or as JSON where the fields can't show them."""
        misfit = self._form.misfit(arguments)
        if misfit:
            self._json.load(arguments)
            self._json.display = True
            self._show_tab()
            self.say(f"as JSON: {misfit}")
            return
        self._form.load(arguments)
        self._json.load(arguments)
        self.say("")

    def enter(self) -> None:
        """Takes the focus: where arguments are written, or the button where there are none."""
        if self.is_json:
            self._json.enter()
        elif not self._form.enter():
            # At once, so that the next key goes there.
            self.screen.set_focus(self._button)

    def show_json(self) -> None:
        """Goes on with JSON that has what the fields have."""
        if self.is_json or self._form.is_empty:
            return
        try:
            arguments = self._form.arguments()
        except NotReadableError as e:
            self.say(str(e), is_bad=True)
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
            self.say(str(e), is_bad=True)
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

    def show_more_or_less(self) -> None:
        """Shows all of the docstring, or only its beginning."""
        self.toggle_class("-more")
        self.call_after_refresh(self._fit)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Says something beside the button."""
        self._is_bad = is_bad
        self._note.set_class(is_bad, "-bad")
        self._note.update(Content(words.line(text)), layout=False)

    def show_progress(self, seconds: float) -> None:
        """Says that a call is under way."""
        self.say(f"calling …  {seconds:.1f} s   esc gives it up")

    def show_end(self, end: CallEnd) -> None:
        """Shows how a call ended."""
        failure = end.failure
        violations = failure.violations if isinstance(failure, CallFailed) else {}
        unknown = dict(violations)
        if not self.is_json:
            unknown = dict(self._form.show_violations(violations))
        elif violations:
            self._json.say("; ".join(f"{name}: {told}" for name, told in violations.items()))
        if violations and not unknown and not self.outcome.is_shown:
            self.say("✗ not called: see the arguments", is_bad=True)
            return
        self.say("✗ not called: see the arguments" if violations else "", is_bad=True)
        self.outcome.show(end)
        self._fit()

    def show_repetition(self, repetition: Repetition) -> None:
        """Shows how far a repetition is."""
        self.say("" if repetition.is_over else "calling …   esc stops it")
        self.outcome.show_repetition(repetition)
        self._fit()

    @on(ArgumentEditor.Submitted)
    @on(Button.Pressed)
    def want_call(self, message: Message) -> None:
        """Asks for a call."""
        message.stop()
        self.post_message(self.CallWanted(self))

    @on(ArgumentEditor.Changed)
    def forget_problem(self) -> None:
        """Says no more what was wrong with other arguments."""
        if self._is_bad:
            self.say("")

    @on(TabName.Clicked)
    def show_clicked_tab(self, message: TabName.Clicked) -> None:
        """Goes on in the other way."""
        message.stop()
        if message.name == "JSON":
            self.show_json()
        else:
            self.show_form()

    def _show_tab(self) -> None:
        self._form.display = not self.is_json and not self._form.is_empty
        for tab in self._tabs:
            tab.set_class((tab.title == "JSON") is self.is_json, "-shown")
        self._fit()

    def _fit(self) -> None:
        """Gives the arguments as much room as they may take, which scroll in it."""
        parts = self.query(".parts")
        if not parts:
            # The form was left meanwhile.
            return
        room = parts.first().size.height or self.size.height
        is_shared = self.outcome.is_shown and not self.has_class("-beside")
        lines = room // 2 if is_shared else room - 1
        self._form.allow_lines(lines)
        self._json.allow_lines(lines)


def _dots(text: str) -> str:
    return " …" if len(text) > _MAX_ABOUT else ""
