"""What the servers write that this console has started. They can be stopped and restarted here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.server_output import ServerOutput
from esgrpc_console.system_view import SystemState, words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.places import OutputPlace
from esgrpc_console.tui.screens.ask_screen import AskScreen
from esgrpc_console.tui.screens.live_screen import REFRESH_SECONDS, LiveScreen
from esgrpc_console.tui.screens.record_screen import RecordScreen
from esgrpc_console.tui.screens.server_screen import ServerScreen
from esgrpc_console.tui.server_actions import ServerAction, confirm_and_run
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.output_view import OutputView
from esgrpc_console.tui.widgets.row_view import RowView
from esgrpc_console.tui.widgets.server_bar import ServerBar

_GAP = "   "


class OutputScreen(LiveScreen):
    """The servers and how they are, and what they have written."""

    CSS_PATH: ClassVar = ["live_screen.tcss", "output_screen.tcss"]
    AUTO_FOCUS = "OutputView"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "output.follow",
        "output.pause",
        "output.server",
        "output.next-server",
        "output.previous-server",
        "output.restart",
        "output.stop",
        "output.warnings",
        "output.search",
        "output.older-hit",
        "output.newer-hit",
        "output.stop-search",
        "output.copy",
    )

    def __init__(self, session: Session, place: OutputPlace) -> None:
        super().__init__(session)
        self.place = place
        servers = session.servers
        self._servers = tuple(servers.names) if servers else ()
        self._bar = ServerBar(self._servers)
        self._note = Static(id="output-note", markup=False)
        self._output = servers.output if servers else ServerOutput()
        self._view = OutputView(self._output, id="output")

    def compose_body(self) -> Iterable[Widget]:
        """The servers, what is shown of their output, and that."""
        yield self._bar
        yield self._note
        yield self._view

    def on_mount(self) -> None:
        """Shows the output that is wanted, and looks a few times a second for more."""
        self.go_to(self.place)
        self.set_interval(REFRESH_SECONDS, self._look)

    def go_to(self, place: OutputPlace) -> None:
        """Shows the newest output of one server, or of all."""
        self.place = place
        self._view.is_following = True
        self._show(place.application or None, has_warnings_only=False)

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now."""
        self._bar.show_servers(state, appearance, self._view.application)
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use here."""
        match action:
            case "stop_search":
                return bool(self._view.search_text)
            case "restart" | "stop" if not self._servers:
                return False
            case _:
                return super().check_action(action, parameters)

    # What is shown.

    def action_follow(self) -> None:
        """Goes to the newest line and stays there."""
        self._view.follow()
        self._tell()

    def action_pause(self) -> None:
        """Stops following the newest line, or follows it again."""
        if self._view.is_following:
            self._view.pause()
        else:
            self._view.follow()
        self._tell()

    def action_server(self) -> None:
        """Asks whose output is to be shown."""

        def show(name: str | None) -> None:
            if name is not None:
                self._show(name or None, has_warnings_only=self._view.has_warnings_only)

        shown = self._view.application or ""
        self._ask("Show the output of", show, has_all=True, shown=shown)

    def action_other_server(self, step: int) -> None:
        """Shows the output of another server. All of them together come between last and first."""
        choices = [None, *self._servers]
        shown = self._view.application
        index = choices.index(shown) if shown in choices else 0
        wanted = choices[(index + step) % len(choices)]
        self._show(wanted, has_warnings_only=self._view.has_warnings_only)

    def action_warnings(self) -> None:
        """Shows only warnings and errors, or all again."""
        self._show(self._view.application, has_warnings_only=not self._view.has_warnings_only)

    @on(ServerBar.Wanted)
    def show_wanted(self, message: ServerBar.Wanted) -> None:
        """Shows the output of the server that was clicked."""
        message.stop()
        self._show(message.server, has_warnings_only=self._view.has_warnings_only)

    # Searching and reading.

    def action_search(self) -> None:
        """Asks for a text, and goes to the newest line that has it."""

        def search(text: str | None) -> None:
            if text is not None:
                self._search(text)

        self.app.push_screen(
            AskScreen("Search the output", value=self._view.search_text, placeholder="a text"),
            search,
        )

    def action_hit(self, step: int) -> None:
        """Goes to the next older or newer line that has the text."""
        self._view.go_to_hit(step)
        self._tell()

    def action_stop_search(self) -> None:
        """Forgets what was searched for."""
        self._search("")

    def action_copy(self) -> None:
        """Copies the line under the cursor."""
        line = self._view.cursor_line
        if line is not None:
            copy(self.app, line.text)

    @on(RowView.Opened)
    def open_record(self, message: RowView.Opened) -> None:
        """Shows all of the log record that the cursor is on."""
        message.stop()
        record = self._view.record()
        if record:
            self.app.push_screen(RecordScreen(record, self._view.search_text))

    @on(RowView.CursorMoved)
    def tell_place(self, message: RowView.CursorMoved) -> None:
        """Says where the cursor is."""
        message.stop()
        self._tell()

    # Servers.

    def action_restart(self) -> None:
        """Stops a server and starts it again, when the person is sure."""
        self._change(ServerAction.RESTART)

    def action_stop(self) -> None:
        """Stops a server, when the person is sure."""
        self._change(ServerAction.STOP)

    def _change(self, action: ServerAction) -> None:
        name = self._view.application
        if name is not None:
            confirm_and_run(self.screen, self.session, action, name)
            return

        def change(name: str | None) -> None:
            if name:
                confirm_and_run(self.screen, self.session, action, name)

        line = self._view.cursor_line
        shown = line.application if line else ""
        self._ask(f"{action.verb} the server of", change, has_all=False, shown=shown)

    def _ask(
        self, question: str, answered: Callable[[str | None], None], *, has_all: bool, shown: str
    ) -> None:
        state = self.session.operations.state
        self.app.push_screen(
            ServerScreen(question, self._servers, state, has_all=has_all, shown=shown), answered
        )

    def _show(self, application: str | None, *, has_warnings_only: bool) -> None:
        self._view.show(application, has_warnings_only=has_warnings_only)
        self._bar.show_servers(
            self.session.operations.state, Appearance(self.app.theme_variables), application
        )
        self._tell()

    def _search(self, text: str) -> None:
        self._view.search(text)
        self._tell()
        # The key that ends a search is no other's while there is one.
        self.refresh_bindings()

    def _look(self) -> None:
        if self.is_current and self._view.look():
            self._tell()

    def _tell(self) -> None:
        """Says in words what is shown of the output, and what is not."""
        view = self._view
        new = f"   +{words.number(view.new_count)} new (f to follow)" if view.new_count else ""
        parts = ["following the newest" if view.is_following else f"‖ paused{new}"]
        if view.has_row:
            parts.append(f"line {words.number(view.cursor + 1)} of {words.number(view.row_count)}")
        if view.search_text:
            index, count = view.hits
            found = (
                f"{words.number(index)} of {words.number(count)}"
                if index
                else (f"{words.number(count)} lines" if count else "not found")
            )
            parts.append(f"/{view.search_text}: {found}")
        if view.has_warnings_only:
            parts.append("only warnings and errors")
        dropped = self._output.dropped(view.application)
        if dropped:
            parts.append(f"{words.count(dropped, 'older line')} not kept")
        self._note.update(Content(words.line(_GAP.join(parts))))
