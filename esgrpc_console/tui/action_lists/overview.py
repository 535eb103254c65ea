"""Actions of the place "Overview", of its tables and of the line that says what is wrong."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Overview"
LINE = "First line"
TABLE = "Tables"


def _sort(name: str, keys: str, column: str, by: str) -> ActionInfo:
    return ActionInfo(
        f"overview.sort-{name}",
        keys,
        f"sort by {by}",
        f"sort by {by}, and again to turn the order round",
        PLACE,
        action=f"sort('{column}')",
        is_shown=False,
    )


ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("overview.open", "enter", "open", "look at what is under the cursor", PLACE),
    ActionInfo("overview.log", "l", "log", "open the application's log", PLACE),
    ActionInfo("overview.methods", "m", "methods", "open the application's methods", PLACE),
    ActionInfo(
        "overview.followings",
        "f",
        "followings",
        "open whom the application follows",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "overview.retry",
        "r",
        "retry",
        "try at once what the follower would try again later",
        PLACE,
        is_changing=True,
    ),
    ActionInfo(
        "overview.skip",
        "s",
        "skip",
        "skip the event that the follower fails on, or is paused before",
        PLACE,
        is_changing=True,
    ),
    ActionInfo("overview.pause", "p", "pause", "let the follower wait", PLACE, is_changing=True),
    ActionInfo(
        "overview.resume",
        "R",
        "resume",
        "let a follower that has paused go on",
        PLACE,
        is_changing=True,
    ),
    ActionInfo(
        "overview.drawing",
        "d",
        "drawing",
        "give the whole screen to the drawing of the system, or take it back",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("overview.tables", "escape", "tables", "show the tables again", PLACE),
    _sort("application", "A", "name", "application"),
    _sort("address", "D", "address", "address"),
    _sort("health", "T,S", "state", "health"),
    _sort("follower", "F,A", "name", "follower"),
    _sort("leader", "D", "leader", "leader"),
    _sort("state", "S", "state", "state"),
    _sort("position", "P", "position", "position"),
    _sort("head", "H", "head", "head"),
    _sort("lag", "L", "lag", "lag"),
    _sort("trend", "T", "trend", "how fast the lag grows"),
    _sort("behind", "B", "behind", "lag in seconds"),
    _sort("rate", "E", "rate", "events per second"),
    _sort("calls", "C", "calls", "calls per second"),
    _sort("p50", "P", "p50", "the time that half of the calls take"),
    _sort("p99", "M", "p99", "the time that 99 of 100 calls take"),
    _sort("errors", "X", "errors", "errors per second"),
    _sort("uptime", "U", "up", "how long servers have been running"),
    _sort("catch-up", "C", "catch_up", "the time that catching up takes"),
    _sort("error", "X", "error", "last error"),
    ActionInfo(
        "table.filter",
        "slash",
        "filter",
        "show only rows that have a text, or, after an exclamation mark, that don't",
        TABLE,
        key_display="/",
    ),
    ActionInfo("table.clear-filter", "escape", "show all", "show all rows again", TABLE),
    ActionInfo("table.up", "up,k", "up", "go up by one row", TABLE, "move(-1)", is_shown=False),
    ActionInfo("table.down", "down,j", "down", "go down by one row", TABLE, "move(1)", False),
    ActionInfo(
        "table.page-up", "pageup", "page up", "go up by a screenful", TABLE, "move_page(-1)", False
    ),
    ActionInfo(
        "table.page-down",
        "pagedown",
        "page down",
        "go down by a screenful",
        TABLE,
        "move_page(1)",
        False,
    ),
    ActionInfo("table.first", "home,g", "first", "go to the first row", TABLE, is_shown=False),
    ActionInfo("table.last", "end,G", "last", "go to the last row", TABLE, is_shown=False),
    ActionInfo("headline.open", "enter", "see it", "go to the cause of what is wrong", LINE),
    ActionInfo(
        "headline.next", "down", "next problem", "tell the next problem", LINE, "turn(1)", False
    ),
    ActionInfo(
        "headline.previous",
        "up",
        "previous problem",
        "tell the problem before",
        LINE,
        "turn(-1)",
        False,
    ),
    ActionInfo(
        "headline.retry",
        "r",
        "retry",
        "try at once what the follower would try again later",
        LINE,
        is_changing=True,
    ),
    ActionInfo(
        "headline.skip",
        "s",
        "skip",
        "skip the event that the follower fails on",
        LINE,
        is_changing=True,
    ),
    ActionInfo("headline.pause", "p", "pause", "let the follower wait", LINE, is_changing=True),
    ActionInfo(
        "headline.resume",
        "R",
        "resume",
        "let a follower that has paused go on",
        LINE,
        is_changing=True,
    ),
)
