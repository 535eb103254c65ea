"""Actions of the place "Aggregate"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Aggregate"

ACTIONS: tuple[ActionInfo, ...] = ()
