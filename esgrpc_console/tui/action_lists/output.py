"""Actions of the place "Output"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Output"

ACTIONS: tuple[ActionInfo, ...] = ()
