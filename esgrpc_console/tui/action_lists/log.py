"""Actions of the place "Log"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Log"

ACTIONS: tuple[ActionInfo, ...] = ()
