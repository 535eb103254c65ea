"""How keys are written for people: Textual's names of them are for programs."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "slash": "/",
    "colon": ":",
    "comma": ",",
    "full_stop": ".",
    "number_sign": "#",
    "plus": "+",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
}


def written_keys(keys: str) -> Sequence[str]:
    """Returns the names of keys that are given with commas between."""
    return [_NAMES.get(key.strip(), key.strip()) for key in keys.split(",")]
