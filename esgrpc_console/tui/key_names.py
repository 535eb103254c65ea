"""How the keys of actions are called on the screen just now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from textual.screen import Screen

Result = TypeVar("Result")


def active_keys(screen: Screen[Result]) -> Mapping[str, str]:
    """Returns the first key of each action that can be done just now, as the footer writes it, by
    the action's ID."""
    keys: dict[str, str] = {}
    for active in screen.active_bindings.values():
        if active.enabled and active.binding.id:
            keys.setdefault(active.binding.id, screen.app.get_key_display(active.binding))
    return keys
