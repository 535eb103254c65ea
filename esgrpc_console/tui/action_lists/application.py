"""Actions of the place "Application"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Application"

ACTIONS: tuple[ActionInfo, ...] = ()
