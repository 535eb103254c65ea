"""Actions of lists of events, and of the place "Log"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Log"
ROWS = "Lists"
EVENT = "Events"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("log.follow", "f", "follow", "go to the newest event and follow", PLACE),
    ActionInfo(
        "log.pause",
        "space",
        "pause",
        "stop following the newest event, or follow it again",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "log.go-to",
        "colon,number_sign",
        "ID",
        "go to an event by its ID, or to a place in the log: 12,398 or 50%",
        PLACE,
    ),
    ActionInfo("log.search", "slash", "search", "search the whole log for a text", PLACE),
    ActionInfo(
        "log.older-hit",
        "n",
        "older hit",
        "go to the next older event that the search has found",
        PLACE,
        action="hit(-1)",
        is_shown=False,
    ),
    ActionInfo(
        "log.newer-hit",
        "N",
        "newer hit",
        "go to the next newer event that the search has found",
        PLACE,
        action="hit(1)",
        is_shown=False,
    ),
    ActionInfo(
        "log.stop-search",
        "escape",
        "end search",
        "stop searching, and then forget what was found",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "log.only-found",
        "F",
        "only found",
        "show only the events that have the text, or all again",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("log.topics", "T", "topics", "choose the topics that are shown", PLACE),
    ActionInfo(
        "log.this-aggregate",
        "a",
        "only this",
        "show only the events of this aggregate, or all again",
        PLACE,
    ),
    ActionInfo(
        "log.ask-aggregate",
        "i",
        "aggregate …",
        "show only the events of an aggregate whose ID is typed",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "log.clear-filters", "x", "show all", "show the events of all topics and aggregates", PLACE
    ),
    ActionInfo("rows.open", "enter", "detail", "look closely at what the cursor is on", ROWS),
    ActionInfo("rows.up", "up,k", "up", "go up", ROWS, action="move(-1)", is_shown=False),
    ActionInfo("rows.down", "down,j", "down", "go down", ROWS, action="move(1)", is_shown=False),
    ActionInfo(
        "rows.page-up",
        "pageup,ctrl+b",
        "page up",
        "go up by a screen",
        ROWS,
        action="move_page(-1)",
        is_shown=False,
    ),
    ActionInfo(
        "rows.page-down",
        "pagedown,ctrl+f",
        "page down",
        "go down by a screen",
        ROWS,
        action="move_page(1)",
        is_shown=False,
    ),
    ActionInfo("rows.first", "g,home", "first", "go to the first", ROWS, is_shown=False),
    ActionInfo("rows.last", "G,end", "last", "go to the last", ROWS, is_shown=False),
    ActionInfo(
        "event.trace", "t", "trace", "find everything that mentions this ID, everywhere", EVENT
    ),
    ActionInfo("event.aggregate", "A", "aggregate", "show the aggregate at this event", EVENT),
    ActionInfo("event.copy", "y", "copy", "copy the event as JSON", EVENT),
    ActionInfo(
        "event.copy-id", "c", "copy ID", "copy the ID of the aggregate", EVENT, is_shown=False
    ),
    ActionInfo(
        "event.copy-command",
        "Y",
        "copy as command",
        "copy the command line that fetches the event",
        EVENT,
        is_shown=False,
    ),
    ActionInfo(
        "event.in-log",
        "L",
        "in log",
        "show the event in its application's log",
        EVENT,
        is_shown=False,
    ),
    ActionInfo(
        "event.older",
        "left",
        "older",
        "show the event before this one",
        EVENT,
        action="step(-1)",
        is_shown=False,
    ),
    ActionInfo(
        "event.newer",
        "right",
        "newer",
        "show the event behind this one",
        EVENT,
        action="step(1)",
        is_shown=False,
    ),
)
