"""Actions of the place "Methods"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Methods"

ACTIONS: tuple[ActionInfo, ...] = ()
