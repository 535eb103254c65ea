"""The live log of one application: keeps a window on it current, and pages through it."""

from __future__ import annotations

import asyncio

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from esgrpc_console.system_view import ApplicationView, LogWindow, RequestFailed, words
from esgrpc_console.system_view.log_window import End
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.log_view import LogView

REFRESH_SECONDS = 0.25


class LogPane(Vertical):
    """Shows the notification log of one application."""

    class Read(Message):
        """Posted when the window has been moved, or could not be."""

        def __init__(
            self, window: LogWindow, error: str = "", *, is_from_first: bool = False
        ) -> None:
            super().__init__()
            self.window = window
            self.error = error
            self.is_from_first = is_from_first

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._operations = session.operations
        self._window: LogWindow | None = None
        self._note = Static(id="log-note", markup=False)
        self._view = LogView(id="log")

    def compose(self) -> ComposeResult:
        """One line that says where in the log this is, and the log."""
        yield self._note
        yield self._view

    def show_application(self, application: ApplicationView) -> None:
        """Shows the log of another application, from its newest event on."""
        name = application.name
        if self._window is not None and self._window.application == name:
            return
        self._window = LogWindow(self._operations, name)
        self._view.forget()
        self._say("reading …")
        self._keep_current(self._window)

    def enter(self) -> None:
        """Puts the focus on the log."""
        # At once, so that the next key goes there.
        self.screen.set_focus(self._view)

    def resume(self) -> None:
        """Reads what was recorded while the log could not be seen."""
        if self._window is not None and self._view.is_following:
            self._page(self._window, "last")

    def on_show(self) -> None:
        """Goes on after having been hidden."""
        self.resume()

    @work(exclusive=True, group="log", exit_on_error=False)
    async def _keep_current(self, window: LogWindow) -> None:
        """Reads what is recorded as it is recorded, while it is wanted and can be seen."""
        changes = self._operations.state.changes
        seen = -1
        is_read = False
        error = ""
        while True:
            seen = await changes.wait(seen)
            application = self._operations.state.applications.get(window.application)
            if application is None or application.status is None:
                continue
            head = application.status.head
            if is_read and head == window.head and not error:
                continue
            window.hear_head(head)
            error = ""
            try:
                if not is_read:
                    await window.jump(End.LAST)
                elif self._is_seen and self._view.is_following:
                    await window.catch_up()
                is_read = True
            except RequestFailed as e:
                error = str(e)
            self.post_message(self.Read(window, error))
            await asyncio.sleep(REFRESH_SECONDS)

    @on(LogView.Wanted)
    def page(self, message: LogView.Wanted) -> None:
        """Reads what the cursor has run into the edge of the window for."""
        message.stop()
        if self._window is None:
            return
        if message.where == "newer" and not self._window.newer:
            self._view.is_following = True
        else:
            self._page(self._window, message.where)

    @work(exclusive=True, group="log page", exit_on_error=False)
    async def _page(self, window: LogWindow, where: str) -> None:
        error = ""
        try:
            match where:
                case "older":
                    await window.read_older()
                case "newer":
                    await window.read_newer()
                case "first":
                    await window.jump(End.FIRST)
                case _:
                    await window.catch_up()
        except RequestFailed as e:
            error = str(e)
        self.post_message(self.Read(window, error, is_from_first=where == "first"))

    @on(Read)
    def show_read(self, message: Read) -> None:
        """Shows what has been read, unless another log is wanted by now."""
        message.stop()
        if message.window is not self._window:
            return
        view = self._view
        window = message.window
        view.show(tuple(window.events), is_from_first=message.is_from_first)
        if message.error:
            self._say(f"the log can't be read: {message.error}", is_error=True)
        elif view.is_following:
            self._say("following the newest")
        else:
            newer = f"   +{words.number(window.newer)} new (f to follow)" if window.newer else ""
            self._say(f"‖ not following{newer}")

    @on(LogView.FollowingChanged)
    def show_following(self, message: LogView.FollowingChanged) -> None:
        """Says whether the newest event is kept in view."""
        message.stop()
        if self._window is not None:
            self.post_message(self.Read(self._window))

    @property
    def _is_seen(self) -> bool:
        return bool(self.size.width) and self.screen.is_current

    def _say(self, text: str, *, is_error: bool = False) -> None:
        self._note.set_class(is_error, "-error")
        self._note.update(Content(words.line(text)))
