"""One line about a following: how it is, since when, what is tried, and how far it is behind."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import FollowingState, FollowingView, words
from esgrpc_console.tui.appearance import Appearance, Tone
from esgrpc_console.tui.following_words import lag_words, since_words, try_words

_GAP = "   "
_PADDING = 2
_STILL = {FollowingState.LIVE, FollowingState.CATCHING_UP, FollowingState.CONNECTING}


class FollowingLine(Widget):
    """Names follower and leader at the left end, and says the lag at the right end."""

    DEFAULT_CSS = """
    FollowingLine {
        height: 1;
        padding: 0 1;
        background: $panel;
    }
    """

    parts: reactive[tuple[Text, str]] = reactive((Text(), ""))
    """What is at the left and at the right end."""

    def show_following(
        self, following: FollowingView, appearance: Appearance, now: float, wall_clock: datetime
    ) -> None:
        """Shows how a following is."""
        is_stale = following.stale_since is not None
        line = appearance.text(f"{following.follower} ← {following.leader}")
        line.stylize("bold")
        line.append(_GAP)
        line.append_text(appearance.state(following.state, is_dim=is_stale))
        if is_stale:
            assert following.stale_since is not None
            line.append(f"{_GAP}stale for {words.duration(now - following.stale_since)}", "bold")
        elif following.state not in _STILL:
            line.append(f" {since_words(following, now, wall_clock)}")
        tries = try_words(following, now)
        if tries:
            line.append(f"{_GAP}{tries}", appearance.style(Tone.PLAIN))
        self.parts = line, lag_words(following)

    def render(self) -> Text:
        """Returns the line. What is at its right end goes first where there is no room for both."""
        left, right = self.parts
        room = self.size.width - _PADDING
        line = left.copy()
        if line.cell_len + len(_GAP) + len(right) <= room:
            line.append(" " * (room - line.cell_len - len(right)))
            line.append(right)
        else:
            line.truncate(max(1, room), overflow="ellipsis")
        return line
