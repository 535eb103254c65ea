"""Actions of the place "Trace"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Trace"

ACTIONS: tuple[ActionInfo, ...] = ()
