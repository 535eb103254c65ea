"""One line about the selected application, and which of its panes is shown."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from esgrpc_console.system_view import ApplicationView, words
from esgrpc_console.tui.appearance import Appearance


class PaneName(Static):
    """The name of a pane, which shows the pane when it is clicked."""

    def __init__(self, pane: str, key: str, title: str) -> None:
        super().__init__(Content.assemble((key, "bold"), f" {title}"), classes="pane-name")
        self.pane = pane

    def on_click(self) -> None:
        """Asks for the pane."""
        self.post_message(ApplicationBar.PaneWanted(self.pane))


class ApplicationBar(Horizontal):
    """Says which application is looked at closely."""

    class PaneWanted(Message):
        """Posted when a pane is to be shown."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__()
        self._application = Static(id="application", markup=False)

    def compose(self) -> ComposeResult:
        """The application, then the panes."""
        yield self._application
        yield PaneName("log", "l", "log")
        yield PaneName("methods", "m", "methods")

    def show_application(
        self, application: ApplicationView, appearance: Appearance, now: float
    ) -> None:
        """Shows what an application is."""
        is_stale = application.stale_since is not None
        line = appearance.text(application.name, is_dim=is_stale)
        line.stylize("bold")
        if application.stale_since is not None:
            age = words.duration(now - application.stale_since)
            line.append(words.line(f"   stale for {age}: {application.why}"))
        elif application.description is not None:
            line.append(words.line(f"   {application.description.topic}"), "dim not bold")
            line.append(words.line(f"   {application.description.persistence}"), "dim not bold")
        content = Content.from_rich_text(line)
        if self._application.content != content:
            self._application.update(content)

    def show_pane(self, pane: str) -> None:
        """Marks the pane that is shown."""
        for name in self.query(PaneName):
            name.set_class(name.pane == pane, "-shown")
