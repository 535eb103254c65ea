"""What is asked before calls: how often, whether a command is meant, which of the past calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from esgrpc_console.call_history import PastCall
from esgrpc_console.command_lines import call_command
from esgrpc_console.system_view import words
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.method_calls import Call
from esgrpc_console.tui.past_call_words import named_arguments
from esgrpc_console.tui.screens.confirm_screen import ConfirmScreen
from esgrpc_console.tui.screens.history_screen import Choice, HistoryScreen
from esgrpc_console.tui.screens.repeat_screen import Repeat, RepeatScreen
from esgrpc_console.tui.session import Session


class CallQuestions:
    """Asks, and does what was answered. Nothing is done where the answer is no."""

    def __init__(self, app: App[object], session: Session) -> None:
        self._app = app
        self._session = session

    def ask_how_often(self, call: Call, repeat: Callable[[Repeat], None]) -> None:
        """Asks how often a method is to be called, and whether a command is meant."""

        def answer(chosen: Repeat | None) -> None:
            if chosen is None:
                return
            times = words.count(chosen.times, "time")
            question = f"Call {_name(call)} {times}?"
            self._ask_for_command(call, question, f"Call {times}", lambda: repeat(chosen))

        self._app.push_screen(RepeatScreen(_name(call)), answer)

    def ask_again(self, call: Call, do: Callable[[], None]) -> None:
        """Asks whether a command that was called before is meant to be called again."""
        self._ask_for_command(call, f"Call {_name(call)} again?", "Call again", do)

    def ask_which(self, calls: Sequence[PastCall], take: Callable[[Choice], None]) -> None:
        """Asks which of the past calls is to be made again, or changed.

        :param calls: newest last.
        """

        def answer(choice: Choice | None) -> None:
            if choice is not None:
                take(choice)

        self._app.push_screen(HistoryScreen(calls, self._copy_past), answer)

    def copy_command(self, call: Call) -> None:
        """Copies the command line that makes a call."""
        method = call.method
        command = call_command(
            self._session.target, call.application, method.name, call.arguments, method.parameters
        )
        copy(self._app, command)

    def _copy_past(self, past: PastCall) -> None:
        arguments = past.arguments or {}
        command = call_command(self._session.target, past.application, past.method, arguments)
        copy(self._app, command)

    def _ask_for_command(
        self, call: Call, question: str, confirm: str, do: Callable[[], None]
    ) -> None:
        """Does it at once, where nothing is changed by it."""
        if not call.method.is_command:
            do()
            return

        def answer(reason: str | None) -> None:
            if reason is not None:
                do()

        arguments = named_arguments(call.arguments)
        consequences = [arguments] if arguments else []
        screen = ConfirmScreen(self._session, question, confirm=confirm, consequences=consequences)
        self._app.push_screen(screen, answer)


def _name(call: Call) -> str:
    return f"{call.application}.{call.method.name}"
