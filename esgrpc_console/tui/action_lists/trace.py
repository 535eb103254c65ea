"""Actions of the place "Trace"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Trace"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("trace.stop", "escape", "stop", "stop searching: what was found stays", PLACE),
    ActionInfo("trace.again", "r", "again", "search again, for what is new", PLACE),
    ActionInfo("trace.other", "slash", "other text", "trace something else", PLACE),
    ActionInfo(
        "trace.copy-trace-command",
        "S",
        "copy trace's command",
        "copy the command line that traces the same",
        PLACE,
        is_shown=False,
    ),
)
