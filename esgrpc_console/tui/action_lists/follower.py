"""Actions of the place "Follower"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Follower"

ACTIONS: tuple[ActionInfo, ...] = ()
