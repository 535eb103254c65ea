"""A form for one method: a field a parameter, a button, and what the last call brought."""

from __future__ import annotations

import json
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from esgrpc_console.system_view import (
    CallFailed,
    CallResult,
    MethodView,
    Parameter,
    RequestFailed,
    SystemOperations,
    argument_from_text,
    words,
)
from esgrpc_console.system_view.parameters import JsonValue

_MAX_SHOWN = 20_000


class ArgumentInput(Input):
    """Takes one argument. Enter calls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "call")]


class CallButton(Button):
    """Calls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "call")]


class Field(Vertical):
    """A label with the type, an input, and room for what is wrong with it."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter

    def compose(self) -> ComposeResult:
        """Label, input, error."""
        optional = "" if self.parameter.is_required else "  optional"
        with Horizontal(classes="field-line"):
            yield Static(
                Content.assemble(
                    (words.line(self.parameter.name), "bold"),
                    (f"  {words.line(self.parameter.type_words)}{optional}", "dim"),
                ),
                classes="field-label",
            )
            yield ArgumentInput(placeholder=words.line(self.parameter.default), compact=True)
        yield Static(classes="field-error", markup=False)

    @property
    def text(self) -> str:
        """What was typed."""
        return self.query_one(Input).value

    def show_error(self, error: str) -> None:
        """Says what is wrong with what was typed. Empty: nothing is."""
        self.set_class(bool(error), "-wrong")
        self.query_one(".field-error", Static).update(Content(words.line(error)))


class MethodForm(Vertical):
    """Calls one method of one application, and shows what it returned or raised."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]

    class Finished(Message):
        """Posted when a call has come to its end."""

        def __init__(self, outcome: CallResult | RequestFailed) -> None:
            super().__init__()
            self.outcome = outcome

    class Left(Message):
        """Posted when the form is to be left for the list of methods."""

    def __init__(self, operations: SystemOperations, application: str, method: MethodView) -> None:
        super().__init__()
        self.application = application
        self.method = method
        self._operations = operations
        self._is_calling = False

    def compose(self) -> ComposeResult:
        """Signature, docstring, fields, button, outcome."""
        method = self.method
        yield Static(
            Content.assemble((words.line(method.name), "bold"), words.line(method.signature)),
            classes="signature",
        )
        if method.docstring:
            yield Static(Content(words.block(method.docstring)), classes="docstring")
        for parameter in method.parameters:
            yield Field(parameter)
        with Horizontal(classes="call-line"):
            yield CallButton("Call", compact=True)
            yield Static(classes="call-note", markup=False)
        yield Static(classes="outcome", markup=False)

    def enter(self) -> None:
        """Puts the focus on the first field, or on the button where there is none."""
        fields = self.query(Input)
        self.screen.set_focus(fields.first() if fields else self.query_one(Button))

    def action_leave(self) -> None:
        """Goes back to the list of methods."""
        self.post_message(self.Left())

    def action_page(self, pages: int) -> None:
        """Scrolls, where the outcome is longer than the screen."""
        if isinstance(self.parent, Widget):
            self.parent.scroll_relative(y=pages * (self.parent.size.height - 1), animate=False)

    @on(Input.Submitted)
    @on(Button.Pressed)
    def call(self, message: Message) -> None:
        """Calls the method with what was typed, unless a call is under way."""
        message.stop()
        if self._is_calling:
            return
        arguments: dict[str, JsonValue] = {}
        for field in self.query(Field):
            field.show_error("")
            is_given, value = argument_from_text(field.parameter, field.text)
            if is_given:
                arguments[field.parameter.name] = value
        # The button is not disabled: it would lose the focus.
        self._is_calling = True
        self._note("calling …", "")
        self._call(arguments)

    @work(group="call", exit_on_error=False)
    async def _call(self, arguments: dict[str, JsonValue]) -> None:
        outcome: CallResult | RequestFailed
        try:
            outcome = await self._operations.call_method(
                self.application, self.method.name, arguments
            )
        except RequestFailed as e:
            outcome = e
        self.post_message(self.Finished(outcome))

    @on(Finished)
    def show_outcome(self, message: Finished) -> None:
        """Shows what the method returned or raised."""
        message.stop()
        self._is_calling = False
        match message.outcome:
            case CallResult() as result:
                self._note(f"✓ {words.milliseconds(result.seconds)}", "-good")
                self._show(_readable(result.result))
            case CallFailed() as failure:
                self._show_failure(failure)
            case RequestFailed() as failure:
                self._note("✗ not called", "-bad")
                self._show(str(failure))

    def _show_failure(self, failure: CallFailed) -> None:
        unmatched = dict(failure.violations)
        for field in self.query(Field):
            errors = [
                unmatched.pop(name)
                for name in failure.violations
                if name == field.parameter.name or name.startswith(f"{field.parameter.name}.")
            ]
            field.show_error("; ".join(errors))
        if failure.violations and not unmatched:
            self._note("✗ not called: see the fields", "-bad")
            self._show("")
            return
        self._note(f"✗ {failure.error_class or 'failed'}", "-bad")
        parts = [
            failure.message,
            "It may have been carried out all the same." if failure.is_outcome_unknown else "",
            *(f"{name}: {error}" for name, error in unmatched.items()),
            "" if unmatched else failure.traceback,
        ]
        self._show("\n\n".join(part for part in parts if part))

    def _note(self, text: str, tone: str) -> None:
        note = self.query_one(".call-note", Static)
        note.set_classes(f"call-note {tone}")
        note.update(Content(words.line(text)))

    def _show(self, text: str) -> None:
        shown = words.block(text[:_MAX_SHOWN])
        if len(text) > _MAX_SHOWN:
            shown += (
                f"\n… the first {words.number(_MAX_SHOWN)} of {words.number(len(text))} characters"
            )
        self.query_one(".outcome", Static).update(Content(shown))
        if shown:
            self.call_after_refresh(self._bring_outcome_into_view)

    def _bring_outcome_into_view(self) -> None:
        self.query_one(".call-line").scroll_visible(top=True, animate=False)


def _readable(result: str) -> str:
    if len(result) > _MAX_SHOWN:
        return result
    try:
        value = json.loads(result)
    except ValueError:
        # Shown as it came: it is for reading only.
        return result
    return json.dumps(value, indent=2, ensure_ascii=False)
