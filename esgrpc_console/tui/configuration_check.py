"""Whether there are the actions, keys and theme that the configuration file names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character
from textual.theme import BUILTIN_THEMES

from esgrpc_console.configuration import Configuration
from esgrpc_console.configuration_table import ConfigurationTable
from esgrpc_console.tui.actions import ACTIONS_BY_ID
from esgrpc_console.tui.themes import COLOUR_BLIND_SAFE

# In the order in which Textual names them.
_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_NAME = re.compile(r"[a-z0-9_]{2,}")
# Textual says "enter" when that key is pressed.
_NEVER_PRESSED = frozenset({"return"})
_GOOD_KEY = "f"
_GOOD_ACTION = "log.follow"


def check_configuration(configuration: Configuration) -> None:
    """Makes sure that the console has what is configured.

    :raises ConfigurationError: naming the file, the key, its value and a good one.
    """
    path = configuration.path or Path()
    keys = ConfigurationTable(path, "keys", configuration.keys)
    for action, given in configuration.keys.items():
        if action not in ACTIONS_BY_ID:
            close = _closest(action, tuple(ACTIONS_BY_ID))
            hint = f"did you mean {close}?" if close else f"a good one is {_GOOD_ACTION}"
            keys.refuse(action, f"there is no action {action!r}: {hint}")
        for key in given.split(","):
            if not is_key(key.strip()):
                close = closest_key(key.strip())
                hint = f"did you mean {close}?" if close else f"a good one is {_GOOD_KEY}"
                keys.refuse(action, f"there is no key {key.strip()!r}: {hint}")
    _check_theme(path, configuration.theme)


def is_key(key: str) -> bool:
    """Tells whether Textual has a key of this name: ``f``, ``?``, ``question_mark``, ``ctrl+f``."""
    *modifiers, name = key.split("+") if key != "+" else [key]
    if modifiers != sorted({*modifiers} & {*_MODIFIERS}):
        return False
    if len(name) == 1:
        # With these modifiers, keys are named by what they write without.
        is_named = not modifiers or (name == name.lower() and modifiers != ["shift"])
        return is_named and name.isprintable() and not name.isspace()
    if name in _key_names():
        return True
    character = key_to_character(name)
    return (
        character is not None
        and character.isprintable()
        and not character.isalnum()
        and name not in KEY_NAME_REPLACEMENTS
        and _NAME.fullmatch(name) is not None
    )


def closest_key(key: str) -> str:
    """Returns the name of a key that somebody may have meant. Empty: none is like it."""
    if not key:
        return "comma"
    likely = [KEY_NAME_REPLACEMENTS.get(key, ""), re.sub(r"[ _-]", "", key.lower())]
    *modifiers, name = re.split(r"[+ -]", key)
    known = sorted({one.lower() for one in modifiers} & {*_MODIFIERS})
    if known == ["shift"] and len(name) == 1:
        likely.append(name.upper())
    close = name if len(name) == 1 else _closest(name.lower(), sorted(_key_names()))
    likely.append("+".join([*known, close.lower()]))
    return next(filter(is_key, likely), "")


def _check_theme(path: Path, theme: str) -> None:
    themes = sorted([*BUILTIN_THEMES, *(own.name for own in COLOUR_BLIND_SAFE)])
    if theme and theme not in themes:
        close = _closest(theme, themes)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(themes)}"
        table = ConfigurationTable(path, "", {"theme": theme})
        table.refuse("theme", f"there is no such theme: {hint}")


def _closest(given: str, known: Sequence[str]) -> str:
    return next(iter(get_close_matches(given, known, 1)), "")


def _key_names() -> frozenset[str]:
    names = {key.value.rpartition("+")[2] for key in Keys}
    named = {name for name in names if _NAME.fullmatch(name)}
    return frozenset({*named, *KEY_NAME_REPLACEMENTS.values()}) - _NEVER_PRESSED
