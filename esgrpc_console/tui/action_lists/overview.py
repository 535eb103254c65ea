"""Actions of the place "Overview"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Overview"

ACTIONS: tuple[ActionInfo, ...] = ()
