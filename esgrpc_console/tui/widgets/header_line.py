"""The line above the first: which system this is, where, and what may be done with it."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import SystemState, words
from esgrpc_console.tui.session import Session

_PROGRAM = "esgrpc-console"
_PADDING = 2
_GAP = "   "


class HeaderLine(Widget):
    """Names the system and its context, and counts what there is of it."""

    parts: reactive[tuple[str, str]] = reactive(("", ""))
    """What is at the left and at the right end."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def show_state(self, state: SystemState, now: float) -> None:
        """Shows what is known just now."""
        title = words.line(state.system_topic or self._session.title)
        away = sum(view.stale_since is not None for view in state.applications.values())
        right = [
            words.count(len(state.applications), "application"),
            words.count(len(state.followings), "following"),
            f"reconnecting {away}" if away else "",
            f"{self._session.wall_clock().astimezone():%H:%M:%S}",
        ]
        self.parts = (title, _GAP.join(part for part in right if part))

    def render(self) -> Text:
        """Returns the line, shortened to what there is room for."""
        session = self._session
        title, right = self.parts
        line = Text(no_wrap=True, end="")
        line.append(_PROGRAM, "dim")
        line.append(f"  {title}", "bold")
        if session.context:
            colour = Style(color=session.colour) if session.colour else Style()
            line.append(
                f"  @{words.line(session.context)}", colour + Style(bold=True, reverse=True)
            )
        if session.is_read_only:
            line.append("  read-only", "bold")
        room = self.size.width - _PADDING - line.cell_len
        if len(right) + len(_GAP) <= room:
            line.append(" " * (room - len(right)))
            line.append(right, "dim")
        return line
