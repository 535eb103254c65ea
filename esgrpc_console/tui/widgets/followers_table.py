"""The table of who follows whom, and how far."""

from __future__ import annotations

from rich.text import Text

from esgrpc_console.system_view import FollowingView, SystemState, words
from esgrpc_console.system_view.problems import error_text
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.widgets.live_table import Column, LiveTable


class FollowersTable(LiveTable):
    """One row a following, by its follower's and its leader's name."""

    COLUMNS = (
        Column("follower", "FOLLOWER", 9, max_width=32),
        Column("leader", "← LEADER", 9, max_width=34),
        Column("state", "STATE", 8),
        Column("position", "POSITION", 5, is_number=True),
        Column("head", "HEAD", 4, is_number=True),
        Column("lag", "LAG", 7, is_number=True),
        Column("error", "LAST ERROR", 6, is_elastic=True, max_width=200),
    )

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known of the followings just now."""
        self.show(
            {
                row_key(following.follower, following.leader): _row(following, appearance, now)
                for following in state.followings
            }
        )


def row_key(follower: str, leader: str) -> str:
    """Returns the key of a following's row."""
    return f"{follower}\n{leader}"


def follower_of(key: str) -> str:
    """Returns the follower's name from the key of a row."""
    return key.partition("\n")[0]


def _row(following: FollowingView, appearance: Appearance, now: float) -> dict[str, Text]:
    is_dim = following.stale_since is not None
    is_head_dim = is_dim or following.head_stale_since is not None
    status = following.status
    state = appearance.state(following.state, is_dim=is_dim)
    if following.stale_since is not None:
        state.append(f" {words.duration(now - following.stale_since)} ago")
    return {
        "follower": appearance.text(following.follower, is_dim=is_dim),
        "leader": appearance.text(f"← {following.leader}", is_dim=is_dim),
        "state": state,
        "position": appearance.number(
            words.number(status.position if status else None), is_dim=is_dim
        ),
        "head": appearance.number(words.number(following.head), is_dim=is_head_dim),
        "lag": appearance.number(words.number(following.lag), is_dim=is_head_dim),
        "error": _error(following, appearance, now),
    }


def _error(following: FollowingView, appearance: Appearance, now: float) -> Text:
    if following.stale_since is not None:
        return appearance.text(f"{following.follower} is stale: {following.why}", is_dim=True)
    if following.head_stale_since is not None:
        age = words.duration(now - following.head_stale_since)
        return appearance.text(f"head is {age} old: {following.why}", is_dim=True)
    return appearance.text(error_text(following))
