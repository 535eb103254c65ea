"""The exposed methods of one application beside the form of the selected one, and its past calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical

from esgrpc_console.system_view import ApplicationView, MethodView, words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.call_questions import CallQuestions
from esgrpc_console.tui.method_calls import Call
from esgrpc_console.tui.screens.history_screen import Choice
from esgrpc_console.tui.screens.repeat_screen import Repeat
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.arguments.editor import NotReadableError
from esgrpc_console.tui.widgets.arguments.services import FormServices
from esgrpc_console.tui.widgets.calls_line import CallsLine
from esgrpc_console.tui.widgets.method_form import MethodForm
from esgrpc_console.tui.widgets.method_list import MethodList

_TIGHT_WIDTH = 60
"""Below which the list and the form have no room beside each other."""


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

        &.-tight.-in-form MethodList {
            display: none;
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
        self._questions = CallQuestions(self.app, session)
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
        self._waiting: tuple[MethodForm, Callable[[], None]] | None = None

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

    def on_resize(self, event: events.Resize) -> None:
        """Shows the list and the form one at a time where there is no room for both."""
        self.set_class(event.size.width < _TIGHT_WIDTH, "-tight")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Shows what has the focus."""
        self.set_class(not self._list.has_focus_within, "-in-form")

    def enter(self) -> None:
        """Puts the focus on the list."""
        self.remove_class("-in-form")
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

    @on(MethodForm.Ready)
    def do_what_waited(self, message: MethodForm.Ready) -> None:
        """Does in a form what was wanted before there was one."""
        message.stop()
        if self._waiting is not None and self._waiting[0] is message.form:
            _, do = self._waiting
            self._waiting = None
            do()

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
            self._questions.ask_which(self._calls.calls, self._take_from_history)

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
            self._form.arguments.show_form()

    def action_json(self) -> None:
        """Goes on with JSON."""
        if self._form is not None:
            self._form.arguments.show_json()

    def action_other_tab(self) -> None:
        """Goes to and fro between fields and JSON."""
        if self._form is not None and self._form.arguments.is_json:
            self.action_form()
        else:
            self.action_json()

    def action_empty(self) -> None:
        """Forgets the arguments that have been written."""
        if self._form is not None:
            self._form.arguments.load({})

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
            self._questions.copy_command(call)

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

        def repeat(chosen: Repeat) -> None:
            if self._may_call(form):
                self._calls.repeat(
                    call, chosen.times, pause=chosen.pause, stops_at_error=chosen.stops_at_error
                )

        self._questions.ask_how_often(call, repeat)

    def _start(self, form: MethodForm) -> None:
        call = _call_from(form) if self._may_call(form) else None
        if call is not None:
            self._calls.start(call)
            self.refresh_bindings()

    def _may_call(self, form: MethodForm) -> bool:
        running = self._calls.running
        if form.is_read_only:
            form.arguments.say("read-only: commands can't be called here", is_bad=True)
        elif running is not None and running.call.method is not form.method:
            name = words.line(running.call.method.name)
            form.arguments.say(f"{name} is being called: esc gives it up", is_bad=True)
        return not form.is_read_only and running is None

    def _take_from_history(self, choice: Choice) -> None:
        past = choice.call
        method = next((one for one in self._methods or () if one.name == past.method), None)
        if past.application != self._application or method is None:
            text = f"{past.application}.{past.method} is not a method of {self._application}"
            self.notify(words.line(text), severity="warning", markup=False)
            return
        self._list.select(method.name)
        form = self._show_form(method)

        def load() -> None:
            form.arguments.load(past.arguments or {})
            form.enter()
            call = _call_from(form) if choice.is_to_run else None
            if call is not None and self._may_call(form):
                self._questions.ask_again(call, lambda: self._start(form))

        self._when_ready(form, load)

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
        self._when_ready(form, form.enter)

    def _when_ready(self, form: MethodForm, do: Callable[[], None]) -> None:
        if form.is_ready:
            do()
        else:
            self._waiting = (form, do)

    @work(exclusive=True, group="ids", exit_on_error=False)
    async def _read_ids(self) -> None:
        applications = (*self._leaders, self._application)
        await self._session.seen_ids.read(self._session.operations, applications)


def _call_from(form: MethodForm | None) -> Call | None:
    if form is None:
        return None
    try:
        return form.call()
    except NotReadableError as e:
        form.arguments.say(f"✗ {e}", is_bad=True)
        return None
