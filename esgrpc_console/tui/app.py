"""The terminal application: opens a system, shows it, and quits."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from esgrpc_console.system_view import SystemOperations
from esgrpc_console.tui.screens.help_screen import HelpScreen
from esgrpc_console.tui.screens.main_screen import MainScreen
from esgrpc_console.tui.screens.starting_screen import StartingScreen


def _no_progress() -> tuple[str, Sequence[str]]:
    return "connecting …", ()


@dataclass(frozen=True)
class SystemToShow:
    """What the console is opened on."""

    title: str
    """Names the system, until the system tells its own name."""

    open: Callable[[], Awaitable[SystemOperations]]
    """Opens it. Closing is left to whoever made this. What it raises is told when the console has
    closed."""

    progress: Callable[[], tuple[str, Sequence[str]]] = _no_progress
    """Returns what opening waits for, and the last lines that servers have said."""

    clock: Callable[[], float] = time.monotonic
    """The clock of the opened system's state."""


class ConsoleApp(App[Exception]):
    """The console. Its result is the exception that kept the system from being opened, or None."""

    TITLE = "esgrpc-console"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next", show=False),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "interrupt", "quit", show=False, priority=True),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
    ]

    class Opened(Message):
        """Posted when the system can be shown."""

        def __init__(self, operations: SystemOperations) -> None:
            super().__init__()
            self.operations = operations

    def __init__(self, system: SystemToShow) -> None:
        super().__init__()
        self._system = system

    def on_mount(self) -> None:
        """Opens the system, and says so."""
        self.push_screen(StartingScreen(self._system.title, self._system.progress))
        self._open()

    @work(exclusive=True, group="open", exit_on_error=False)
    async def _open(self) -> None:
        try:
            operations = await self._system.open()
        except Exception as e:
            # Whatever it is, it is told when the screen is restored.
            self.exit(e)
        else:
            self.post_message(self.Opened(operations))

    @on(Opened)
    def show_system(self, message: Opened) -> None:
        """Shows the system in place of the words about its start."""
        self.switch_screen(
            MainScreen(message.operations, self._system.title, clock=self._system.clock)
        )

    def action_help(self) -> None:
        """Shows what each key does."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_interrupt(self) -> None:
        """Copies what is selected. Where nothing is, quits, as Ctrl-C does everywhere else."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
        else:
            self.exit()
