"""Actions of the place "Application"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Application"

# Digits are nobody else's, in whatever pane one is.
ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo(
        "application.log",
        "1,l",
        "log",
        "show the application's notification log",
        PLACE,
        action="show_tab('log')",
        is_shown=False,
    ),
    ActionInfo(
        "application.methods",
        "2,m",
        "methods",
        "show the methods that can be called",
        PLACE,
        action="show_tab('methods')",
        is_shown=False,
    ),
    ActionInfo(
        "application.followings",
        "3,w",
        "followings",
        "show whom the application follows, and who follows it",
        PLACE,
        action="show_tab('followings')",
        is_shown=False,
    ),
    ActionInfo(
        "application.aggregates",
        "4",
        "aggregates",
        "show the aggregates whose events were seen lately",
        PLACE,
        action="show_tab('aggregates')",
        is_shown=False,
    ),
    ActionInfo(
        "application.next",
        "right_square_bracket",
        "next application",
        "show the next application of the system",
        PLACE,
        action="other_application(1)",
        is_shown=False,
        key_display="]",
    ),
    ActionInfo(
        "application.previous",
        "left_square_bracket",
        "previous application",
        "show the previous application of the system",
        PLACE,
        action="other_application(-1)",
        is_shown=False,
        key_display="[",
    ),
)
