"""The line above the first: which system this is, where, and what may be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual.color import Color, ColorParseError
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import SystemState, words
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.session import Session

_PROGRAM = "esgrpc-console"
_PADDING = 2
_GAP = "   "


@dataclass(frozen=True)
class _Parts:
    title: str = ""
    counts: str = ""
    clock: str = ""
    away: int = 0


class HeaderLine(Widget):
    """Names the system and its context, counts what there is of it, and tells the time."""

    parts: reactive[_Parts] = reactive(_Parts)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def show_state(self, state: SystemState, now: float) -> None:
        """Shows what is known just now."""
        applications = words.count(len(state.applications), "application")
        followings = words.count(len(state.followings), "following")
        self.parts = _Parts(
            words.line(state.system_topic or self._session.title),
            f"{applications}{_GAP}{followings}",
            f"{self._session.wall_clock().astimezone():%H:%M:%S}",
            sum(view.stale_since is not None for view in state.applications.values()),
        )

    def render(self) -> Text:
        """Returns the line, without what there is no room for: first the program's name goes, then
        the counts, then the clock. Where one is and what isn't there stays."""
        room = max(1, self.size.width - _PADDING)
        parts = self.parts
        away = Text(f"reconnecting {parts.away}", "dim")
        if parts.away:
            tone = Appearance(self.app.theme_variables).style(Tone.BAD)
            away = Text(f"reconnecting {parts.away}", tone + Style(bold=True))
        clock, counts = Text(parts.clock, "dim"), Text(parts.counts, "dim")
        own = self._own(room)
        for left, right in (
            (Text.assemble((f"{_PROGRAM}  ", "dim"), own), (counts, clock, away)),
            (own, (counts, clock, away)),
            (own, (clock, away)),
            (own, (away,)),
        ):
            line = _joined(left, right, room)
            if line is not None:
                return line
        if parts.away:
            return _joined(self._own(room - away.cell_len - len(_GAP)), (away,), room) or own
        return own

    def _own(self, room: int) -> Text:
        """Returns the system and its context, shortened to a room by the system's name."""
        title, badges = Text(self.parts.title, "bold"), self._badges()
        title.truncate(max(1, room - badges.cell_len), overflow="ellipsis")
        return Text.assemble(title, badges, no_wrap=True, end="")

    def _badges(self) -> Text:
        session, badges = self._session, Text()
        if session.context:
            badges.append("  ")
            badges.append(f" @{words.line(session.context)} ", _context_style(session.colour))
        if session.is_read_only:
            badges.append("  read-only", "bold")
        return badges


def _joined(left: Text, right: Sequence[Text], width: int) -> Text | None:
    """Returns a line with both ends at its ends, or None where it is too short for that."""
    end = Text(_GAP).join(right)
    room = width - left.cell_len - end.cell_len
    if room < len(_GAP):
        return None
    return Text.assemble(left, " " * room, end, no_wrap=True, end="")


def _context_style(colour: str) -> Style:
    """Returns the style of a context's name: on its colour, or else reversed."""
    try:
        background = Color.parse(colour) if colour else None
    except ColorParseError:
        # The configuration is checked where it is read: a name of another version is no reason
        # not to show the system.
        background = None
    if background is None:
        return Style(bold=True, reverse=True)
    return Style(
        bold=True,
        bgcolor=background.rich_color,
        color=background.get_contrast_text(1.0).rich_color,
    )
