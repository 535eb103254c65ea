"""What an argument is called, and of which type it is, in columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.widgets import Static

from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_schema import ArgumentField

_MAX_NAME_WIDTH = 28
_MAX_TYPE_WIDTH = 18
_GAP = 2


class Widths(NamedTuple):
    """How many cells the columns take. A column without cells is not there."""

    name: int
    type: int


def widths_of(fields: Iterable[ArgumentField]) -> Widths:
    """Returns the columns in which some fields have room."""
    known = list(fields)
    names = max((cell_len(words.line(field.label)) for field in known), default=0)
    types = max((cell_len(words.line(field.type.author_words)) for field in known), default=0)
    return Widths(min(names, _MAX_NAME_WIDTH), min(types, _MAX_TYPE_WIDTH))


class FieldLabel(Static):
    """Shows a name and a type."""

    DEFAULT_CSS = """
    FieldLabel {
        height: 1;
        max-width: 50%;
        padding: 0 1 0 0;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, widths: Widths) -> None:
        super().__init__(markup=False)
        self._widths = widths

    def show(self, name: str, type_words: str) -> None:
        """Shows another name."""
        widths = self._widths
        parts = [(_cut(words.line(name), widths.name), "bold")]
        width = widths.name
        if widths.type:
            told = _cut(words.line(type_words), widths.type)
            parts.append((f"{' ' * _GAP}{told}", "$text-muted"))
            width += _GAP + widths.type
        self.styles.width = width + 1
        self.update(Content.assemble(*parts))


def _cut(text: str, width: int) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)
