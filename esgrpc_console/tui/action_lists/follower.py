"""Actions of the place "Follower"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Follower"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo(
        "follower.retry",
        "r",
        "retry now",
        "try at once what would be tried again later",
        PLACE,
        is_changing=True,
    ),
    ActionInfo(
        "follower.skip",
        "s",
        "skip …",
        "skip the event that it fails on, or is paused before",
        PLACE,
        is_changing=True,
    ),
    ActionInfo("follower.pause", "p", "pause", "let the follower wait", PLACE, is_changing=True),
    ActionInfo(
        "follower.resume",
        "R",
        "resume",
        "let a follower that has paused go on",
        PLACE,
        is_changing=True,
    ),
    ActionInfo(
        "follower.open-event",
        "enter",
        "event in log",
        "show the event that it fails on in its leader's log",
        PLACE,
    ),
    ActionInfo("follower.leader", "l", "leader", "open the log of its leader", PLACE),
    ActionInfo(
        "follower.follower",
        "f",
        "follower",
        "open the application that follows",
        PLACE,
        is_shown=False,
    ),
)
