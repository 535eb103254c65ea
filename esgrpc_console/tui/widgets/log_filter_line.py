"""Says which events of a log are shown, and whether the newest is followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import LogFilter, words
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.fitting import elide

_GAP = "   "
_ID_WIDTH = 13
_WIDE = 76
"""From this width on, all parts of the filter are told; else only those that hold events back."""


@dataclass(frozen=True)
class _State:
    text: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class _Part:
    name: str
    value: str
    is_set: bool
    action: str

    @property
    def width(self) -> int:
        return cell_len(f"{self.name}: {self.value}")


class LogFilterLine(Widget):
    """One line. A click on a part of the filter changes it, a click on the rest follows or stays."""

    DEFAULT_CSS = """
    LogFilterLine {
        height: 1;
        padding: 0 1;
        color: $foreground 60%;
    }
    """

    wanted: reactive[LogFilter] = reactive(LogFilter)
    """Which events are shown."""
    state: reactive[_State] = reactive(_State)
    """How the list is."""

    class Clicked(Message):
        """Posted with the name of the action that a click stands for."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Says how the list is."""
        self.state = _State(text, tone)

    def render(self) -> Text:
        """The filter at the left end, how the list is at the right end."""
        appearance = Appearance(self.app.theme_variables)
        width = self.size.width
        right = appearance.text(self.state.text, self.state.tone)
        right.truncate(width, overflow="ellipsis")
        line = Text(no_wrap=True, end="")
        for part in self._parts():
            line.append(f"{_GAP if line else ''}{part.name}: ")
            set_style = appearance.style(Tone.ACCENT) + Style(bold=True)
            line.append(part.value, set_style if part.is_set else None)
        line.truncate(max(0, width - right.cell_len - len(_GAP)), overflow="ellipsis")
        line.append(" " * max(0, width - line.cell_len - right.cell_len))
        return line.append_text(right)

    def on_click(self, event: events.Click) -> None:
        """Changes the part of the filter that was clicked."""
        end = self.gutter.left - len(_GAP)
        for part in self._parts():
            start, end = end + len(_GAP), end + len(_GAP) + part.width
            if start <= event.x < end:
                self.post_message(self.Clicked(part.action))
                return
        self.post_message(self.Clicked("pause"))

    def _parts(self) -> Iterator[_Part]:
        wanted = self.wanted
        topics = "all"
        if wanted.topics:
            topics = words.line(wanted.topics[0].rpartition(":")[2])
        if len(wanted.topics) > 1:
            topics += f" +{len(wanted.topics) - 1}"
        originator_id = words.line(wanted.originator_id)
        aggregate = elide(originator_id, min(len(originator_id), _ID_WIDTH)) or "all"
        for part in (
            _Part("topics", topics, bool(wanted.topics), "topics"),
            _Part("aggregate", aggregate, bool(originator_id), "ask_aggregate"),
            _Part("text", words.line(wanted.text) or words.NONE, bool(wanted.text), "search"),
        ):
            if part.is_set or self.size.width >= _WIDE:
                yield part
