"""Asks before something is changed: names the target and where it is, and has *cancel* focused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, Static

from esgrpc_console.system_view import words
from esgrpc_console.tui.session import Session

_TYPING_SECONDS = 0.2
"""After the last key."""


class ConfirmScreen(ModalScreen[str | None]):
    """Its result is the reason that was given, or an empty string where none is asked for, or None
    when it was cancelled."""

    CSS_PATH = "confirm_screen.tcss"
    AUTO_FOCUS = "#cancel"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", "previous", show=False),
        Binding("right,down", "app.focus_next", "next", show=False),
    ]

    def __init__(
        self,
        session: Session,
        question: str,
        *,
        confirm: str,
        consequences: Sequence[str] = (),
        needs_reason: bool = False,
    ) -> None:
        """
        :param question: what is to be done with what: "Skip Orders #8,013 in Payments?".
        :param confirm: the word on the button that does it.
        :param consequences: what it means, a line each.
        :param needs_reason: whether a reason is to be given, which the server logs.
        """
        super().__init__()
        self._session = session
        self._question = question
        self._confirm = confirm
        self._consequences = consequences
        self._needs_reason = needs_reason
        self._typing: Timer | None = None
        """Runs while a reason is typed that the field does not have the focus for yet."""
        self._reason = Input(
            placeholder="why, for the server's log",
            compact=True,
            select_on_focus=False,
            id="reason",
        )

    def compose(self) -> ComposeResult:
        """The question, what it means, the reason, two buttons."""
        session = self._session
        where = words.line(session.operations.state.system_topic or session.title)
        context = f" @{words.line(session.context)}" if session.context else ""
        with VerticalScroll(id="confirm", can_focus=False) as box:
            box.border_title = Content(f"{where}{context}")
            yield Static(Content(words.block(self._question)), id="question")
            for line in self._consequences:
                yield Static(Content(words.block(line)), classes="consequence")
            if self._needs_reason:
                yield self._reason
                yield Static("", id="reason-error", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._confirm, id="do", variant="error", compact=True)

    def action_cancel(self) -> None:
        """Changes nothing."""
        self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def cancel(self) -> None:
        """Changes nothing. The enter that ends a reason goes on to the button, as in the field."""
        if self._typing is not None:
            self._typing.stop()
            self._typing = None
            self.go_to_button()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def go_to_button(self) -> None:
        """Goes on to the button: enter in the field alone changes nothing."""
        if self._has_reason():
            self.query_one("#do", Button).focus()

    @on(Button.Pressed, "#do")
    def do(self) -> None:
        """Ends with the reason, or asks for one."""
        if self._has_reason():
            self.dismiss(self._reason.value.strip())

    def on_key(self, event: events.Key) -> None:
        """Lets whoever begins to type write the reason."""
        if not self._needs_reason or self.focused is self._reason:
            return
        if event.is_printable and event.character is not None:
            event.stop()
            self._reason.insert_text_at_cursor(event.character)
            # Not at once: keys that are on their way here would be overtaken by those that go there.
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(_TYPING_SECONDS, self._end_typing)

    def _end_typing(self) -> None:
        self._typing = None
        self.set_focus(self._reason)

    def _has_reason(self) -> bool:
        if not self._needs_reason or self._reason.value.strip():
            return True
        self.query_one("#reason-error", Static).update(
            Content("✗ say why: it is written into the server's log")
        )
        self.set_focus(self._reason)
        return False
