"""The terminal application: opens a system, goes to the places that are wanted, and quits."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App
from textual.binding import BindingType, Keymap
from textual.command import Provider
from textual.message import Message
from textual.theme import ThemeProvider

from esgrpc_console.command_lines import NO_TARGET, Target
from esgrpc_console.local_servers import LocalServers
from esgrpc_console.system_view import SystemOperations, find_problems
from esgrpc_console.system_view.event_cache import EventCache
from esgrpc_console.tui.actions import ACTIONS, ACTIONS_BY_ID, bindings_of
from esgrpc_console.tui.causes import cause_of
from esgrpc_console.tui.palette import ConsoleCommands, Palette
from esgrpc_console.tui.places import (
    AggregatePlace,
    ApplicationPlace,
    EventPlace,
    FollowingPlace,
    Open,
    OutputPlace,
    Place,
    TracePlace,
)
from esgrpc_console.tui.screens.aggregate_screen import AggregateScreen
from esgrpc_console.tui.screens.application_screen import ApplicationScreen
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.screens.event_screen import EventScreen
from esgrpc_console.tui.screens.follower_screen import FollowerScreen
from esgrpc_console.tui.screens.help_screen import HelpScreen
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.screens.output_screen import OutputScreen
from esgrpc_console.tui.screens.overview_screen import OverviewScreen
from esgrpc_console.tui.screens.starting_screen import StartingScreen
from esgrpc_console.tui.screens.trace_screen import TraceScreen
from esgrpc_console.tui.session import Session, utc_now
from esgrpc_console.tui.themes import COLOUR_BLIND_SAFE, DEFAULT_THEME
from esgrpc_console.tui.written_keys import written_keys


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

    wall_clock: Callable[[], datetime] = utc_now
    """Tells the time that is shown."""

    target: Target = NO_TARGET
    """How command lines name the system."""

    find_target: Callable[[], Target] | None = None
    """Tells that when the system is open, where it is not known before."""

    context: str = ""
    """The name of the context in the configuration file. Empty: there is none."""

    colour: str = ""
    """The context's colour. Empty: none."""

    is_read_only: bool = False
    """Whether actions that change something are disabled."""

    servers: LocalServers | None = None
    """The servers that this console has started. None: it has started none."""

    history_path: Path | None = None
    """Where calls of methods are kept. None: they are not."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys than the usual ones, by the IDs of actions."""

    theme: str = ""
    """The name of the theme. Empty: the usual one."""


class ConsoleApp(App[Exception]):
    """The console. Its result is the exception that kept the system from being opened, or None."""

    TITLE = "esgrpc-console"
    # With those of screens: otherwise Textual would parse all anew when one is opened.
    CSS_PATH = [  # noqa: RUF012
        "app.tcss",
        *sorted(Path(__file__).parent.joinpath("screens").glob("*.tcss")),
    ]
    ENABLE_COMMAND_PALETTE = False

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "app.back",
        "app.overview",
        "app.problem",
        "app.trace",
        "app.output",
        "app.commands",
        "app.help",
        "app.theme",
        "app.picture",
        "app.interrupt",
        "app.quit",
        "app.quit-at-once",
    )

    class Opened(Message):
        """Posted when the system can be shown."""

        def __init__(self, operations: SystemOperations) -> None:
            super().__init__()
            self.operations = operations

    def __init__(self, system: SystemToShow) -> None:
        super().__init__()
        self.crash: Exception | None = None
        """What has gone wrong in the console itself, which has ended it."""
        self._system = system
        self._session: Session | None = None
        for theme in COLOUR_BLIND_SAFE:
            self.register_theme(theme)
        self.theme = system.theme or DEFAULT_THEME
        keymap: Keymap = dict(system.keys)
        self.set_keymap(keymap)

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual would write a traceback with the values of all variables. What was called with
        # secrets is shown nowhere: whoever has opened the console tells of the error.
        self.panic()

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
        system = self._system
        self._session = Session(
            operations=message.operations,
            events=EventCache(message.operations),
            title=system.title,
            target=system.find_target() if system.find_target else system.target,
            context=system.context,
            colour=system.colour,
            is_read_only=system.is_read_only,
            clock=system.clock,
            wall_clock=system.wall_clock,
            servers=system.servers,
            history_path=system.history_path,
        )
        self.switch_screen(OverviewScreen(self._session))
        # What is there by now stays. Looking through it again and again, the garbage collector would
        # keep keys waiting for longer than anything else does.
        self.call_after_refresh(gc.freeze)

    @on(Open)
    def open_place(self, message: Open) -> None:
        """Shows a place: on the screen that shows it already, if there is one below this one."""
        if self._session is None:
            return
        place = message.place
        known = self._screen_of(place)
        if known is None:
            self.push_screen(_make_screen(self._session, place))
            return
        while self.screen is not known:
            self.pop_screen()
        match known, place:
            case ApplicationScreen(), ApplicationPlace():
                known.go_to(place)
            case AggregateScreen(), AggregatePlace():
                known.go_to(place)
            case OutputScreen(), OutputPlace():
                known.go_to(place)
            case _:
                # It has only one thing to show.
                pass

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use here."""
        match action:
            case "back":
                return len(self.screen_stack) > _BASE_SCREENS
            case "output":
                return self._session is not None and self._session.servers is not None
            case "overview" | "problem" | "trace" | "commands":
                return self._session is not None
            case _:
                return True

    async def action_back(self) -> None:
        """Goes back to the screen below."""
        if len(self.screen_stack) > _BASE_SCREENS:
            await self.pop_screen()

    def action_overview(self) -> None:
        """Goes back to the overview."""
        while len(self.screen_stack) > _BASE_SCREENS:
            self.pop_screen()

    def action_problem(self) -> None:
        """Goes to the cause of the worst problem."""
        if self._session is None:
            return
        problems = find_problems(self._session.operations.state, now=self._session.clock())
        if not problems:
            self.notify("nothing is wrong", markup=False, timeout=3)
        else:
            self.post_message(Open(cause_of(problems[0], self._session)))

    def action_trace(self) -> None:
        """Asks what is to be found."""

        def trace(text: str | None) -> None:
            if text:
                self.post_message(Open(TracePlace(text)))

        self.push_screen(
            AskScreen("Trace everything that mentions", placeholder="an ID, or any text"), trace
        )

    def action_output(self) -> None:
        """Shows what servers have written."""
        self.post_message(Open(OutputPlace()))

    def action_commands(self) -> None:
        """Searches for what can be done."""
        self._search(ConsoleCommands, "What is to be done, or where to go")

    def action_help(self) -> None:
        """Shows what each key does."""
        if isinstance(self.screen, HelpScreen):
            return
        active = {binding.binding.id for binding in self.screen.active_bindings.values()}
        here = [info for info in ACTIONS if info.id in active and info.place != "Everywhere"]
        self.push_screen(
            HelpScreen(here, ACTIONS, {info.id: self._keys(info.id) for info in ACTIONS})
        )

    def action_choose_theme(self) -> None:
        """Chooses the colours."""
        self._search(ThemeProvider, "The colours that are wanted")

    def action_picture(self) -> None:
        """Saves a picture of the screen in the working directory."""
        try:
            path = self.save_screenshot()
        except OSError as e:
            self.notify(f"the picture can't be saved: {e.strerror}", severity="error", markup=False)
        else:
            self.notify(f"saved {path}", markup=False)

    def action_interrupt(self) -> None:
        """Copies what is selected. Where nothing is, quits, as Ctrl-C does everywhere else."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
        else:
            self.exit()

    def _search(self, provider: type[Provider], placeholder: str) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(providers=[provider], placeholder=placeholder))

    def _screen_of(self, place: Place) -> LiveScreen | None:
        for screen in reversed(self.screen_stack):
            if isinstance(screen, _GOING) and _is_same(screen.place, place):
                return screen
        return None

    def _keys(self, action_id: str) -> str:
        keys = self._system.keys.get(action_id) or ACTIONS_BY_ID[action_id].keys
        return " ".join(written_keys(keys))


_BASE_SCREENS = 2
"""Textual's own default screen, and the overview."""

_GOING = (
    AggregateScreen,
    ApplicationScreen,
    FollowerScreen,
    OutputScreen,
    TraceScreen,
)


def _is_same(shown: Place, wanted: Place) -> bool:
    match shown, wanted:
        case ApplicationPlace(), ApplicationPlace():
            return shown.application == wanted.application
        case AggregatePlace(), AggregatePlace():
            return (shown.application, shown.originator_id) == (
                wanted.application,
                wanted.originator_id,
            )
        case OutputPlace(), OutputPlace():
            return True
        case _:
            return shown == wanted


def _make_screen(session: Session, place: Place) -> LiveScreen | EventScreen:
    match place:
        case ApplicationPlace():
            return ApplicationScreen(session, place)
        case FollowingPlace():
            return FollowerScreen(session, place)
        case AggregatePlace():
            return AggregateScreen(session, place)
        case TracePlace():
            return TraceScreen(session, place)
        case OutputPlace():
            return OutputScreen(session, place)
        case EventPlace():
            return EventScreen(session, place)
