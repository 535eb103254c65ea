"""Actions of the place "Output"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Output"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("output.follow", "f", "follow", "go to the newest line and follow", PLACE),
    ActionInfo(
        "output.pause",
        "space",
        "pause",
        "stop following the newest line, or follow it again",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("output.server", "s", "server", "choose whose output is shown", PLACE),
    ActionInfo(
        "output.next-server",
        "right_square_bracket",
        "next server",
        "show the output of the next server",
        PLACE,
        action="other_server(1)",
        is_shown=False,
        key_display="]",
    ),
    ActionInfo(
        "output.previous-server",
        "left_square_bracket",
        "previous server",
        "show the output of the previous server",
        PLACE,
        action="other_server(-1)",
        is_shown=False,
        key_display="[",
    ),
    ActionInfo(
        "output.warnings", "w", "warnings", "show only warnings and errors, or all again", PLACE
    ),
    ActionInfo("output.search", "slash", "search", "search for a text", PLACE, key_display="/"),
    ActionInfo(
        "output.older-hit",
        "n",
        "older hit",
        "go to the next older line that has the text",
        PLACE,
        action="hit(-1)",
        is_shown=False,
    ),
    ActionInfo(
        "output.newer-hit",
        "N",
        "newer hit",
        "go to the next newer line that has the text",
        PLACE,
        action="hit(1)",
        is_shown=False,
    ),
    ActionInfo(
        "output.stop-search",
        "escape",
        "end search",
        "forget what was searched for",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "output.left",
        "left,h",
        "left",
        "show what is further left in the lines",
        PLACE,
        action="shift(-1)",
        is_shown=False,
    ),
    ActionInfo(
        "output.right",
        "right,l",
        "right",
        "show what is further right in the lines",
        PLACE,
        action="shift(1)",
        is_shown=False,
    ),
    ActionInfo("output.copy", "y", "copy", "copy the line", PLACE),
    ActionInfo(
        "output.restart",
        "R",
        "restart …",
        "stop a server and start it again",
        PLACE,
        is_changing=True,
    ),
    ActionInfo("output.stop", "X", "stop …", "stop a server", PLACE, is_changing=True),
)
