"""The first line: what is wrong, in words, or that nothing is."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import SystemState, find_problems, summarise
from esgrpc_console.tui.appearance import Appearance, Tone, severity_tone

_PADDING = 2


@dataclass(frozen=True)
class _Line:
    text: str = ""
    more: str = ""
    tone: Tone = Tone.PLAIN


class Headline(Widget):
    """One line that says how the system is."""

    line: reactive[_Line] = reactive(_Line)

    def show_state(self, state: SystemState, now: float) -> None:
        """Says how the system is just now."""
        problems = find_problems(state, now=now)
        if not problems:
            self.line = _Line(f"● {summarise(state)}", "", Tone.GOOD)
            return
        worst, *others = problems
        more = f"  (and {len(others)} more)" if others else ""
        tone = severity_tone(worst.severity)
        self.line = _Line(f"{worst.symbol} {worst.text}", more, tone)

    def render(self) -> Text:
        """Returns the line, shortened to what there is room for."""
        appearance = Appearance(self.app.theme_variables)
        room = self.size.width - _PADDING
        line = appearance.text(self.line.text, self.line.tone)
        line.truncate(max(1, room - len(self.line.more)), overflow="ellipsis")
        line.append(self.line.more)
        if self.line.tone is Tone.BAD:
            line.stylize("bold")
        return line
