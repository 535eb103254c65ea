"""All actions of the console: the one registry that keys, help, palette and README are made from.

What an action does is left to the widget or screen that has it: its method ``action_follow`` does
``log.follow``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from textual.binding import Binding, BindingType

from esgrpc_console.tui.action_lists import (
    aggregate,
    application,
    everywhere,
    follower,
    log,
    methods,
    output,
    overview,
    trace,
)
from esgrpc_console.tui.action_lists.action_info import ActionInfo

ACTIONS: tuple[ActionInfo, ...] = (
    *everywhere.ACTIONS,
    *overview.ACTIONS,
    *application.ACTIONS,
    *log.ACTIONS,
    *methods.ACTIONS,
    *follower.ACTIONS,
    *aggregate.ACTIONS,
    *trace.ACTIONS,
    *output.ACTIONS,
)
"""In the order in which help tells them."""

ACTIONS_BY_ID: Mapping[str, ActionInfo] = MappingProxyType({info.id: info for info in ACTIONS})


def bindings_of(*ids: str) -> list[BindingType]:
    """Returns the bindings of actions, for the class variable ``BINDINGS`` of what has them.

    The footer shows them in this order.
    """
    return [_binding(ACTIONS_BY_ID[action_id]) for action_id in ids]


def hidden_bindings_of(*ids: str) -> list[BindingType]:
    """Returns the bindings of actions that the footer does not show here."""
    return [replace(_binding(ACTIONS_BY_ID[action_id]), show=False) for action_id in ids]


def is_changing(action: str, ids: Iterable[str] = tuple(ACTIONS_BY_ID)) -> bool:
    """Tells whether an action, by the name of its method, changes anything in the system."""
    return any(
        info.is_changing and info.method == action for info in map(ACTIONS_BY_ID.__getitem__, ids)
    )


def _binding(info: ActionInfo) -> Binding:
    return Binding(
        info.keys,
        info.action,
        info.label,
        show=info.is_shown,
        key_display=info.key_display or None,
        priority=info.is_priority,
        tooltip=info.help,
        id=info.id,
    )
