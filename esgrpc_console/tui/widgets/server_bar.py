"""The servers whose output can be shown, how each of them is, and which is shown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import HorizontalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from esgrpc_console.system_view import ApplicationView, Health, SystemState, words
from esgrpc_console.system_view.views import RESTARTING, STOPPED_BY_YOU
from esgrpc_console.tui.appearance import Appearance, Tone

_ALL = "all"


class ServerName(Static):
    """The name of a server, and how it is. Shows its output when it is clicked."""

    def __init__(self, server: str | None) -> None:
        super().__init__(Content(words.line(server or _ALL)))
        self.server = server

    def on_click(self) -> None:
        """Asks for the server's output."""
        self.post_message(ServerBar.Wanted(self.server))


class ServerBar(HorizontalScroll, can_focus=False):
    """Names the servers side by side."""

    DEFAULT_CSS = """
    ServerBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        scrollbar-size-horizontal: 0;

        ServerName {
            width: auto;
            padding: 0 1;

            &:hover {
                background: $foreground 10%;
            }

            &.-shown {
                background: $accent 30%;
                text-style: bold;
            }
        }
    }
    """

    class Wanted(Message):
        """Posted when the output of a server is to be shown. None: that of all."""

        def __init__(self, server: str | None) -> None:
            super().__init__()
            self.server = server

    def __init__(self, servers: Sequence[str]) -> None:
        super().__init__()
        self._names = [ServerName(server) for server in (None, *servers)]

    def compose(self) -> ComposeResult:
        """All of them, and each."""
        yield from self._names

    def show_servers(self, state: SystemState, appearance: Appearance, shown: str | None) -> None:
        """Shows how they are, and marks the one whose output is shown. None: all."""
        for name in self._names:
            name.set_class(name.server == shown, "-shown")
            if name.server is not None:
                text = Text(f"{words.line(name.server)} ", end="")
                text.append_text(server_words(state.applications.get(name.server), appearance))
                content = Content.from_rich_text(text)
                if name.content != content:
                    name.update(content)
            if name.server == shown:
                name.scroll_visible(animate=False)


def server_words(application: ApplicationView | None, appearance: Appearance) -> Text:
    """Writes how a server is: what its process tells goes before what is heard of it."""
    if application is None:
        return appearance.health(Health.CONNECTING)
    ending = words.line(application.ending)
    if not ending or application.health is not Health.UNREACHABLE:
        return appearance.health(application.health)
    if ending in {STOPPED_BY_YOU, RESTARTING}:
        return appearance.text(f"{application.health.symbol} {ending}", Tone.WAITING)
    # How it died is told at length by the first line.
    return appearance.text(f"{application.health.symbol} died", Tone.BAD)
