"""A form for one method: what it is, its arguments, and what the last call brought."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Static

from esgrpc_console.system_view import CallFailed, MethodView, words
from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.tui.method_calls import Call, CallEnd, Repetition
from esgrpc_console.tui.widgets.arguments.arguments_pane import ArgumentsPane
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor
from esgrpc_console.tui.widgets.arguments.services import FormServices
from esgrpc_console.tui.widgets.call_outcome import CallOutcome

_MAX_ABOUT = 10_000
"""Characters of a signature and of a docstring that are shown."""
_MAX_ABOUT_LINES = 5
_BESIDE_WIDTH = 100
"""From which width on the outcome is beside the arguments."""
_LOW_HEIGHT = 12
"""Below which what the method is has one line."""
_ROOMY_HEIGHT = 20
"""From which height on there is room between the parts."""


class CallButton(Button):
    """Calls."""

    DEFAULT_CSS = """
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
    """


class MethodForm(Vertical):
    """Takes the arguments of one method, and shows what came of its calls.

    Making the calls is left to others.
    """

    DEFAULT_CSS = """
    MethodForm {
        height: 1fr;

        .about, .signature, .docstring {
            height: auto;
        }

        .docstring {
            color: $text-muted;
        }

        .parts {
            height: 1fr;
        }

        CallOutcome {
            width: 1fr;
            height: 1fr;
        }

        &.-low .signature {
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }

        &.-roomy .parts, &.-roomy CallOutcome {
            margin: 1 0 0 0;
        }

        &.-beside .parts {
            layout: horizontal;
        }

        &.-beside CallOutcome {
            height: 100%;
            margin: 0 0 0 1;
            border-left: vkey $panel;
        }
    }
    """

    class CallWanted(Message):
        """Posted when the method is to be called."""

        def __init__(self, form: MethodForm) -> None:
            super().__init__()
            self.form = form

    class Ready(Message):
        """Posted when it can take the focus."""

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
        label = "Call (read-only)" if is_read_only else "Call"
        self._button = CallButton(label, compact=True, disabled=is_read_only)
        type = ArgumentsType(method.parameters_schema, method.signature)
        self.arguments = ArgumentsPane(type, services, [self._button])
        self.outcome = CallOutcome()
        self._parts = Container(classes="parts")
        self._about = VerticalScroll(classes="about", can_focus=False)
        self._is_about_open = False
        self._fitted: tuple[Size, ...] = ()
        self.is_ready = False
        """Whether it can take the focus."""

    def compose(self) -> ComposeResult:
        """What the method is, its arguments, the outcome."""
        method = self.method
        kind = "command" if method.is_command else "query"
        docstring, signature = method.docstring, method.signature
        with self._about:
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
        with self._parts:
            yield self.arguments
            yield self.outcome

    def on_mount(self) -> None:
        """Tells that it is there."""
        # A widget is not told of each of its sizes: after some ways of scrolling, of none at all.
        self.screen.screen_layout_refresh_signal.subscribe(self, self._follow_layout)
        self.is_ready = True
        self.post_message(self.Ready(self))

    def call(self) -> Call:
        """Returns the call that is to be made.

        :raises NotReadableError: when the arguments can't be sent.
        """
        return Call(self.application, self.method, self.arguments.arguments())

    def enter(self) -> None:
        """Takes the focus: where arguments are written, or the button where there are none."""
        if not self.arguments.enter():
            # At once, so that the next key goes there.
            self.screen.set_focus(self._button)

    def show_more_or_less(self) -> None:
        """Shows all of the docstring, or only its beginning."""
        self._is_about_open = not self._is_about_open
        self._fit_about(self.size.height)

    def show_progress(self, seconds: float) -> None:
        """Says that a call is under way."""
        self.arguments.say(f"calling …  {seconds:.1f} s   esc gives it up")

    def show_end(self, end: CallEnd) -> None:
        """Shows how a call ended."""
        failure = end.failure
        violations = failure.violations if isinstance(failure, CallFailed) else {}
        has_places = self.arguments.show_violations(violations)
        if violations and has_places and not self.outcome.is_shown:
            # All there is to say is said at the arguments.
            return
        self.outcome.show(end)
        self._fit()

    def show_repetition(self, repetition: Repetition) -> None:
        """Shows how far a repetition is."""
        self.arguments.say("" if repetition.is_over else "calling …   esc stops it")
        self.outcome.show_repetition(repetition)
        self._fit()

    @on(ArgumentEditor.Submitted)
    @on(Button.Pressed)
    def want_call(self, message: Message) -> None:
        """Asks for a call."""
        message.stop()
        self.post_message(self.CallWanted(self))

    def _follow_layout(self, _: Screen[object]) -> None:
        """Has the outcome beside the arguments or below them, and what is written in view."""
        self.outcome.follow_size()
        sizes = (self.size, self._parts.size, self.arguments.size)
        if sizes != self._fitted and self.size:
            self._fitted = sizes
            self.set_class(self.size.width >= _BESIDE_WIDTH, "-beside")
            self.set_class(self.size.height >= _ROOMY_HEIGHT, "-roomy")
            self.set_class(self.size.height < _LOW_HEIGHT, "-low")
            self._fit_about(self.size.height)
            self._fit()
            self.arguments.show_focused()

    def _fit_about(self, height: int) -> None:
        most = height * 2 // 3 if self._is_about_open else min(_MAX_ABOUT_LINES, height // 4)
        self._about.styles.max_height = max(1, most)

    def _fit(self) -> None:
        """Gives the arguments as much room as they may take, which scroll in it."""
        room = self._parts.size.height
        is_shared = self.outcome.is_shown and not self.has_class("-beside")
        self.arguments.allow_lines(room // 2 if is_shared else room - 1)


def _dots(text: str) -> str:
    return " …" if len(text) > _MAX_ABOUT else ""
