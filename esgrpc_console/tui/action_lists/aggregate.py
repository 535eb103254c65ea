"""Actions of the place "Aggregate", and of the lists of aggregates."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Aggregate"
LIST = "Aggregates"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo(
        "aggregate.go-to", "colon,number_sign", "version", "go to a version by its number", PLACE
    ),
    ActionInfo("aggregate.copy-state", "s", "copy state", "copy the state as JSON", PLACE),
    ActionInfo(
        "aggregate.copy-state-command",
        "S",
        "copy state's command",
        "copy the command line that fetches the state",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "aggregates.type-id",
        "colon,i",
        "type an ID",
        "show the aggregate whose ID is typed",
        LIST,
    ),
    ActionInfo(
        "aggregates.events",
        "a",
        "only its events",
        "show the log with only the events of the aggregate",
        LIST,
    ),
    ActionInfo(
        "aggregates.trace", "t", "trace", "find everything that mentions the aggregate", LIST
    ),
    ActionInfo("aggregates.copy-id", "c", "copy ID", "copy the aggregate's ID", LIST),
)
