"""One line about an application, and which of its panes is shown."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from esgrpc_console.system_view import ApplicationView, words
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.places import Tab

TABS: tuple[tuple[Tab, str, str], ...] = (
    ("log", "1", "Log"),
    ("methods", "2", "Methods"),
    ("followings", "3", "Followings"),
    ("aggregates", "4", "Aggregates"),
)
"""Panes, their keys, their names."""
_GAP = "   "


_NARROW = 72
"""Below this width, only the shown pane is named in full."""


class TabName(Static):
    """The name of a pane, which shows the pane when it is clicked."""

    def __init__(self, tab: Tab, key: str, title: str) -> None:
        super().__init__(Content.assemble((key, "bold"), f" {title}"))
        self.tab = tab
        self._key = key
        self._title = title

    def shorten(self, is_short: bool) -> None:
        """Shows the key alone, or the name too."""
        title = "" if is_short and not self.has_class("-shown") else f" {self._title}"
        content = Content.assemble((self._key, "bold"), title)
        if self.content != content:
            self.update(content)

    def on_click(self) -> None:
        """Asks for the pane."""
        self.post_message(ApplicationBar.TabWanted(self.tab))


class ApplicationLine(Widget):
    """Says how an application is. Another text is no reason to lay out the screen anew."""

    text: reactive[Text] = reactive(Text)

    def render(self) -> Text:
        """One line, shortened to what there is room for."""
        line = self.text.copy()
        line.truncate(self.size.width, overflow="ellipsis")
        return line


class ApplicationBar(Horizontal):
    """Says which application is looked at, how it is, and what can be seen of it."""

    DEFAULT_CSS = """
    ApplicationBar {
        height: 1;
        padding: 0 1;
        background: $panel;

        ApplicationLine {
            width: 1fr;
            height: 1;
        }

        TabName {
            width: auto;
            padding: 0 1;
            color: $text-muted;

            &:hover {
                color: $foreground;
            }

            &.-shown {
                background: $accent 30%;
                color: $foreground;
                text-style: bold;
            }
        }
    }
    """

    class TabWanted(Message):
        """Posted when a pane is to be shown."""

        def __init__(self, tab: Tab) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, shown: Tab) -> None:
        """
        :param shown: the pane that is shown.
        """
        super().__init__()
        self._shown = shown
        self._line = ApplicationLine()

    def compose(self) -> ComposeResult:
        """The application, then the panes."""
        yield self._line
        for tab in TABS:
            name = TabName(*tab)
            name.set_class(name.tab == self._shown, "-shown")
            yield name

    def show_application(
        self, application: ApplicationView, appearance: Appearance, now: float
    ) -> None:
        """Shows how an application is."""
        is_stale = application.stale_since is not None
        line = appearance.text(application.name, is_dim=is_stale)
        line.stylize("bold")
        line.append(_GAP)
        line.append_text(appearance.health(application.health))
        if application.stale_since is not None:
            age = words.duration(now - application.stale_since)
            line.append(words.line(f"{_GAP}stale for {age}: {application.why}"))
        elif application.status is not None:
            status = application.status
            line.append(f"{_GAP}head {words.number(status.head)}")
            line.append(f"{_GAP}+{words.rate(status.events_per_second)}/s")
            line.append(words.line(f"{_GAP}{application.address}"), "dim")
            if status.certificate is not None and status.certificate.expires_at is not None:
                until = status.certificate.expires_at
                line.append(f"{_GAP}certificate until {until:%Y-%m-%d}", "dim")
        self._show(line)

    def show_missing(self, name: str, appearance: Appearance) -> None:
        """Says that there is no such application."""
        self._show(appearance.text(f"✗ there is no application {name}", Tone.BAD))

    def _show(self, line: Text) -> None:
        shown = self._line.text
        # Texts are equal when their characters are: colours count here.
        if (line, line.spans, line.style) != (shown, shown.spans, shown.style):
            self._line.text = line
            self._line.refresh()

    def show_tab(self, shown: Tab) -> None:
        """Marks the pane that is shown."""
        if shown != self._shown:
            self._shown = shown
            for name in self.query(TabName):
                name.set_class(name.tab == shown, "-shown")
            self.on_resize()

    def on_resize(self) -> None:
        """Leaves room for what the application is called."""
        for name in self.query(TabName):
            name.shorten(self.size.width < _NARROW)
