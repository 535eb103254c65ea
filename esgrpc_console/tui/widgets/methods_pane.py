"""The exposed methods of one application beside the form of the selected one, and its past calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical

from esgrpc_console.call_history import PastCall
from esgrpc_console.command_lines import call_command
from esgrpc_console.system_view import ApplicationView, MethodView, RequestFailed, words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.method_calls import Call
from esgrpc_console.tui.past_call_words import named_arguments
from esgrpc_console.tui.screens.confirm_screen import ConfirmScreen
from esgrpc_console.tui.screens.history_screen import Choice, HistoryScreen
from esgrpc_console.tui.screens.repeat_screen import Repeat, RepeatScreen
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.arguments.editor import NotReadableError
from esgrpc_console.tui.widgets.arguments.services import FormServices
from esgrpc_console.tui.widgets.calls_line import CallsLine
from esgrpc_console.tui.widgets.method_form import MethodForm
from esgrpc_console.tui.widgets.method_list import MethodList

_SEEN_EVENTS = 200
"""Of each log, from which IDs are taken."""


class MethodsPane(Vertical):
    """Lists methods, and keeps a form for each that has been looked at, with its last outcome."""

    DEFAULT_CSS = """
    MethodsPane {
        #list-and-form {
            height: 1fr;
        }

        MethodList {
            width: auto;
            min-width: 20;
            max-width: 36%;
            height: 100%;
        }

        #forms {
            width: 1fr;
            height: 100%;
            padding: 0 1;
            border-left: vkey $panel;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "methods.call",
        "methods.history",
        "methods.repeat",
        "methods.copy-command",
        "methods.filter",
        "methods.form",
        "methods.json",
        "methods.other-tab",
        "methods.empty",
        "methods.about",
        "methods.tree",
        "methods.copy",
        "methods.leave",
    )

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._services = FormServices(session.seen_ids, session.wall_clock)
        self._list = MethodList(is_read_only=session.is_read_only)
        self._room = Container(id="forms")
        self._calls = CallsLine(session)
        self._application = ""
        self._leaders: tuple[str, ...] = ()
        self._methods: tuple[MethodView, ...] | None = None
        self._forms: dict[tuple[str, MethodView], MethodForm] = {}
        self._form: MethodForm | None = None
        self._wanted = ""
        self._is_history_wanted = False

    def compose(self) -> ComposeResult:
        """The list, the room for forms, the calls."""
        with Horizontal(id="list-and-form"):
            yield self._list
            yield self._room
        yield self._calls

    def show_application(self, application: ApplicationView) -> None:
        """Shows the methods of an application, unless they are shown already."""
        methods = tuple(application.methods) if application.description else None
        self._leaders = application.follows
        if application.name == self._application and methods == self._methods:
            return
        self._application, self._methods = application.name, methods
        self._list.show(methods)
        self._calls.show_application(application.name)
        if self._form is not None and (methods is None or self._form.method not in methods):
            self._form.display = False
            self._form = None
        if self._wanted and self._list.select(self._wanted):
            self._wanted = ""

    def enter(self) -> None:
        """Puts the focus on the list."""
        self._list.enter()

    def select_method(self, name: str) -> None:
        """Goes to a method, now or as soon as it is known."""
        if not self._list.select(name):
            self._wanted = name

    @on(MethodList.Highlighted)
    def show_method(self, message: MethodList.Highlighted) -> None:
        """Shows a method's form."""
        message.stop()
        self._show_form(message.method)

    @on(MethodList.Selected)
    def enter_form(self, message: MethodList.Selected) -> None:
        """Puts the focus into a method's form."""
        message.stop()
        self._enter(self._show_form(message.method))
        self._read_ids()

    @on(MethodForm.CallWanted)
    def call_from_form(self, message: MethodForm.CallWanted) -> None:
        """Calls what a form has."""
        message.stop()
        self._start(message.form)

    @on(CallsLine.Progressed)
    def show_progress(self, message: CallsLine.Progressed) -> None:
        """Says in the form how far its call is."""
        message.stop()
        form = self._form_of(message.running.call)
        if form is not None and message.running is self._calls.running:
            if message.running.repetition is not None:
                form.show_repetition(message.running.repetition)
            else:
                form.show_progress(self._calls.seconds)

    @on(CallsLine.Ended)
    def show_end(self, message: CallsLine.Ended) -> None:
        """Shows in the form how its call ended."""
        message.stop()
        end = message.end
        form = self._form_of(end.call)
        if form is not None:
            form.show_end(end)
        if end.result is not None:
            where = f"result of {end.call.method.name}"
            self._session.seen_ids.note_all(end.result.result, where)
        self.refresh_bindings()

    @on(CallsLine.Repeated)
    def show_repeated(self, message: CallsLine.Repeated) -> None:
        """Shows in the form how the repetition of its call ended."""
        message.stop()
        form = self._form_of(message.repetition.call)
        if form is not None:
            form.show_repetition(message.repetition)
        self.refresh_bindings()

    @on(CallsLine.HistoryKnown)
    def search_history(self, message: CallsLine.HistoryKnown) -> None:
        """Searches the calls that were made, if that is wanted."""
        message.stop()
        if self._is_history_wanted:
            self._is_history_wanted = False
            self.app.push_screen(
                HistoryScreen(self._calls.calls, self._copy_past), self._take_from_history
            )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use here, and disables what isn't allowed."""
        form = self._form
        match action:
            case "call" | "repeat":
                return form is not None and (None if form.is_read_only else True)
            case "form" | "json" | "other_tab" | "empty" | "about" | "copy_command":
                return form is not None
            case "tree" | "copy":
                return form is not None and form.outcome.is_shown
            case "leave":
                # On the list, the same key goes back to the screen below.
                return self._calls.running is not None or not self._list.has_focus_within
            case _:
                return True

    def action_call(self) -> None:
        """Calls the method that is shown."""
        if self._form is not None:
            self._start(self._form)

    def action_leave(self) -> None:
        """Gives up what is under way, or goes back to the list."""
        if self._calls.running is None:
            self.enter()
        else:
            self._calls.give_up()

    def action_filter(self) -> None:
        """Lets the list be filtered."""
        self._list.open_filter()

    def action_form(self) -> None:
        """Goes on with the fields."""
        if self._form is not None:
            self._form.show_form()

    def action_json(self) -> None:
        """Goes on with JSON."""
        if self._form is not None:
            self._form.show_json()

    def action_other_tab(self) -> None:
        """Goes to and fro between fields and JSON."""
        if self._form is not None and self._form.is_json:
            self._form.show_form()
        else:
            self.action_json()

    def action_empty(self) -> None:
        """Forgets the arguments that have been written."""
        if self._form is not None:
            self._form.load({})

    def action_about(self) -> None:
        """Shows all of the docstring, or its beginning."""
        if self._form is not None:
            self._form.show_more_or_less()

    def action_tree(self) -> None:
        """Shows the outcome in another way."""
        if self._form is not None:
            self._form.outcome.show_other_way()

    def action_copy(self) -> None:
        """Copies all of the result."""
        if self._form is not None:
            self._form.outcome.copy_all()

    def action_copy_command(self) -> None:
        """Copies the command line that makes the same call."""
        call = _call_from(self._form)
        if call is not None:
            self._copy_command(call)

    def action_history(self) -> None:
        """Searches the calls that were made."""
        self._is_history_wanted = True
        self._calls.load()

    def action_repeat(self) -> None:
        """Asks how often the method is to be called, and does it."""
        form = self._form
        call = _call_from(form)
        if form is None or call is None or not self._may_call(form):
            return

        def repeat(chosen: Repeat | None) -> None:
            if chosen is None:
                return
            times = words.count(chosen.times, "time")

            def start() -> None:
                if self._may_call(form):
                    self._calls.repeat(
                        call,
                        chosen.times,
                        pause=chosen.pause,
                        stops_at_error=chosen.stops_at_error,
                    )

            self._ask_for_command(call, f"Call {_name(call)} {times}?", f"Call {times}", start)

        self.app.push_screen(RepeatScreen(_name(call)), repeat)

    def _start(self, form: MethodForm) -> None:
        if self._may_call(form):
            call = _call_from(form)
            if call is not None:
                self._calls.start(call)
                self.refresh_bindings()

    def _may_call(self, form: MethodForm) -> bool:
        running = self._calls.running
        if form.is_read_only:
            form.say("read-only: commands can't be called here", is_bad=True)
        elif running is not None and running.call.method is not form.method:
            name = words.line(running.call.method.name)
            form.say(f"{name} is being called: esc gives it up", is_bad=True)
        return not form.is_read_only and running is None

    def _ask_for_command(
        self, call: Call, question: str, confirm: str, do: Callable[[], None]
    ) -> None:
        """Does something at once, or when a person has confirmed it where it is a command."""
        if not call.method.is_command:
            do()
            return

        def answer(reason: str | None) -> None:
            if reason is not None:
                do()

        arguments = named_arguments(call.arguments)
        consequences = [arguments] if arguments else []
        self.app.push_screen(
            ConfirmScreen(self._session, question, confirm=confirm, consequences=consequences),
            answer,
        )

    def _take_from_history(self, choice: Choice | None) -> None:
        if choice is None:
            return
        past = choice.call
        method = next((one for one in self._methods or () if one.name == past.method), None)
        if past.application != self._application or method is None:
            text = f"{past.application}.{past.method} is not a method of {self._application}"
            self.notify(words.line(text), severity="warning", markup=False)
            return
        self._list.select(method.name)
        form = self._show_form(method)

        def load() -> None:
            form.load(past.arguments or {})
            form.enter()
            call = _call_from(form) if choice.is_to_run else None
            if call is not None and self._may_call(form):
                self._ask_for_command(
                    call,
                    f"Call {_name(call)} again?",
                    "Call again",
                    lambda: self._start(form),
                )

        self._when_mounted(form, load)

    def _copy_past(self, past: PastCall) -> None:
        arguments = past.arguments or {}
        command = call_command(self._session.target, past.application, past.method, arguments)
        copy(self.app, command)

    def _copy_command(self, call: Call) -> None:
        command = call_command(
            self._session.target,
            call.application,
            call.method.name,
            call.arguments,
            call.method.parameters,
        )
        copy(self.app, command)

    def _form_of(self, call: Call) -> MethodForm | None:
        return self._forms.get((call.application, call.method))

    def _show_form(self, method: MethodView) -> MethodForm:
        key = (self._application, method)
        form = self._forms.get(key)
        if form is None:
            is_read_only = self._session.is_read_only and method.is_command
            form = self._forms[key] = MethodForm(
                self._application, method, self._services, is_read_only=is_read_only
            )
            self._room.mount(form)
        for other in self._forms.values():
            other.display = other is form
        self._form = form
        self.refresh_bindings()
        return form

    def _enter(self, form: MethodForm) -> None:
        self._when_mounted(form, form.enter)

    def _when_mounted(self, form: MethodForm, do: Callable[[], None]) -> None:
        if form.is_mounted:
            do()
        else:
            self.call_after_refresh(do)

    @work(exclusive=True, group="ids", exit_on_error=False)
    async def _read_ids(self) -> None:
        for application in (*self._leaders, self._application):
            try:
                page = await self._session.operations.read_events(
                    application, limit=_SEEN_EVENTS, is_backwards=True, with_state=False
                )
            except RequestFailed:
                # IDs are typed without help then; what is wrong is told by the header.
                continue
            for event in reversed(page.events):
                where = f"{event.short_topic} #{words.number(event.id)}"
                self._session.seen_ids.note(event.originator_id, where)


def _call_from(form: MethodForm | None) -> Call | None:
    if form is None:
        return None
    try:
        return form.call()
    except NotReadableError as e:
        form.say(f"✗ {e}", is_bad=True)
        return None


def _name(call: Call) -> str:
    return f"{call.application}.{call.method.name}"
