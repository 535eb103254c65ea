"""The exposed methods of one application beside the form of the selected one."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from esgrpc_console.system_view import ApplicationView, MethodView
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.method_form import MethodForm
from esgrpc_console.tui.widgets.method_list import MethodList


class MethodsPane(Horizontal):
    """Lists methods, and keeps a form for each that has been looked at, with its last outcome."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._operations = session.operations
        self._list = MethodList(id="methods")
        self._room = VerticalScroll(id="forms", can_focus=False)
        self._note = Static(id="no-methods", markup=False)
        self._application = ""
        self._methods: tuple[MethodView, ...] | None = None
        self._forms: dict[tuple[str, MethodView], MethodForm] = {}

    def compose(self) -> ComposeResult:
        """The list and the room for forms."""
        yield self._list
        with self._room:
            yield self._note

    def show_application(self, application: ApplicationView) -> None:
        """Shows the methods of an application, unless they are shown already."""
        methods = tuple(application.methods) if application.description else None
        if application.name == self._application and methods == self._methods:
            return
        self._application, self._methods = application.name, methods
        self._list.show(methods or ())
        for form in self._forms.values():
            form.display = False
        self._note.display = not methods
        self._note.update(
            Content("no methods are exposed" if methods is not None else "not described yet")
        )

    def enter(self) -> None:
        """Puts the focus on the list."""
        # At once, so that the next key goes there.
        self.screen.set_focus(self._list)

    @on(MethodList.MethodHighlighted)
    def show_method(self, message: MethodList.MethodHighlighted) -> None:
        """Shows a method's form."""
        message.stop()
        self._show_form(message.method)

    @on(MethodList.MethodSelected)
    def enter_form(self, message: MethodList.MethodSelected) -> None:
        """Puts the focus into a method's form."""
        message.stop()
        form = self._show_form(message.method)
        if form.is_mounted:
            form.enter()
        else:
            self.call_after_refresh(form.enter)

    @on(MethodForm.Left)
    def leave_form(self, message: MethodForm.Left) -> None:
        """Puts the focus back on the list."""
        message.stop()
        self.enter()

    def _show_form(self, method: MethodView) -> MethodForm:
        key = (self._application, method)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = MethodForm(self._operations, self._application, method)
            self._room.mount(form)
        for other in self._forms.values():
            other.display = other is form
        return form
