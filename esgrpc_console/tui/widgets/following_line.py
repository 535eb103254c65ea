"""One line about a following: how it is, since when, what is tried, and how far it is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import FollowingState, FollowingView, words
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.following_words import lag_words, since_words, try_words

_GAP = "   "
_PADDING = 2
_STILL = {
    FollowingState.LIVE,
    FollowingState.CATCHING_UP,
    FollowingState.CONNECTING,
    FollowingState.STANDBY,
}


@dataclass(frozen=True)
class _Parts:
    beginning: Text
    since: str
    tries: str
    lag: str


class FollowingLine(Widget):
    """Names follower and leader at the left end, and says the lag at the right end."""

    DEFAULT_CSS = """
    FollowingLine {
        height: 1;
        padding: 0 1;
        background: $panel;
    }
    """

    parts: reactive[_Parts | None] = reactive[_Parts | None](None)

    def show_following(
        self, following: FollowingView, appearance: Appearance, now: float, wall_clock: datetime
    ) -> None:
        """Shows how a following is."""
        is_stale = following.stale_since is not None
        line = appearance.text(f"{following.follower} ← {following.leader}")
        line.stylize("bold")
        line.append(_GAP)
        line.append_text(appearance.state(following.state, is_dim=is_stale))
        since = ""
        if following.stale_since is not None:
            line.append(f"{_GAP}stale for {words.duration(now - following.stale_since)}", "bold")
        elif following.state not in _STILL:
            since = f" {since_words(following, now, wall_clock)}"
        tries = try_words(following, now)
        self.parts = _Parts(line, since, f"{_GAP}{tries}" if tries else "", lag_words(following))

    def render(self) -> Text:
        """Returns the line. Where there is no room for all, the lag goes first, which is told below,
        and since when it is in its state."""
        parts = self.parts
        if parts is None:
            return Text(end="")
        room = self.size.width - _PADDING
        for since, lag in ((parts.since, parts.lag), (parts.since, ""), ("", parts.lag), ("", "")):
            line = parts.beginning.copy()
            line.append(since)
            line.append(parts.tries)
            left = room - line.cell_len - len(lag)
            if left >= (len(_GAP) if lag else 0):
                line.append(" " * left)
                line.append(lag)
                return line
        line.truncate(max(1, room), overflow="ellipsis")
        return line
