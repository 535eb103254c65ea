"""Takes a list: a row an item, which can be added and removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Static

from esgrpc_console.system_view.argument_fit import MAX_ITEMS
from esgrpc_console.system_view.json_schema import ArgumentField, ArgumentType
from esgrpc_console.system_view.json_values import ABSENT, JsonValue, MaybeJson
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor, NotReadableError
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.arguments.field_label import Widths
from esgrpc_console.tui.widgets.arguments.object_editor import MakeField

_LABEL_WIDTH = 5


class RemoveItem(Static):
    """Removes a row when it is clicked."""

    def __init__(self, row: ItemRow) -> None:
        super().__init__("×")
        self.row = row

    def on_click(self) -> None:
        """Removes the row."""
        self.post_message(ItemRow.RemoveWanted(self.row))


class ItemRow(Horizontal):
    """One item."""

    class RemoveWanted(Message):
        """Posted when a row is to be removed."""

        def __init__(self, row: ItemRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field

    def compose(self) -> ComposeResult:
        """The item, and what removes it."""
        yield self.field
        yield RemoveItem(self)


class ListEditor(ArgumentEditor):
    """Takes the items of a list."""

    is_block: ClassVar[bool] = True

    DEFAULT_CSS = """
    ListEditor {
        border-left: vkey $panel;

        #rows, ItemRow {
            height: auto;
        }

        RemoveItem {
            width: 2;
            height: 1;
            color: $text-muted;

            &:hover {
                color: $text-error;
            }
        }

        .add {
            background: $surface;
            color: $text-muted;
            text-style: none;
            min-width: 12;

            &:focus {
                background: $accent 60%;
                color: $foreground;
                text-style: bold;
            }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("methods.add-item", "methods.remove-item")

    def __init__(self, type: ArgumentType, make_field: MakeField) -> None:
        super().__init__(type)
        self._make_field = make_field
        self._rows: list[ItemRow] = []
        self._box = Vertical(id="rows")
        self._is_ready = False
        self._add = Button("+ add item", compact=True, classes="add")

    def compose(self) -> ComposeResult:
        """The items, and what adds one."""
        yield self._box
        yield self._add

    def on_mount(self) -> None:
        """Shows the items that were written before."""
        self._is_ready = True
        self._box.mount(*self._rows)

    def value(self) -> MaybeJson:
        """Returns all items."""
        values: list[JsonValue] = []
        for row in self._rows:
            value = row.field.argument()
            if value is ABSENT:
                raise NotReadableError(f"{row.field.label} is empty: remove it, or write it")
            values.append(value)
        return values

    def load(self, value: JsonValue) -> None:
        """Writes the items."""
        items = value if isinstance(value, list) else []
        self._remove(self._rows[len(items) :])
        while len(self._rows) < len(items):
            self._append()
        for row, item in zip(self._rows, items, strict=True):
            row.field.load(item)

    def clear(self) -> None:
        """Removes all items."""
        self._remove(list(self._rows))

    def enter(self) -> None:
        """Goes to the first item, or to what adds one."""
        if self._rows:
            self._rows[0].field.enter()
        else:
            self._add.focus()

    @property
    def keys(self) -> str:
        """What keys do in it."""
        return "ctrl+n adds one  f8 removes it"

    def has_part(self, path: Sequence[str]) -> bool:
        """Tells whether there is such an item."""
        return any(row.field.key == path[0] for row in self._rows)

    def show_violation(self, path: Sequence[str], text: str) -> bool:
        """Shows what is wrong with an item."""
        for row in self._rows:
            if path and row.field.key == path[0]:
                row.field.show_violation(path[1:], text)
                return True
        return False

    def clear_violations(self) -> None:
        """Forgets what the server said."""
        for row in self._rows:
            row.field.clear_violation()

    @on(Button.Pressed, ".add")
    async def add(self, message: Button.Pressed) -> None:
        """Adds an item."""
        message.stop()
        await self.action_add_item()

    @on(ItemRow.RemoveWanted)
    def remove_row(self, message: ItemRow.RemoveWanted) -> None:
        """Removes an item."""
        if message.row in self._rows:
            message.stop()
            self._remove_one(message.row)

    async def action_add_item(self) -> None:
        """Adds an item, and goes there."""
        if len(self._rows) >= MAX_ITEMS:
            text = f"more than {MAX_ITEMS} items are written as JSON"
            self.notify(text, severity="warning", markup=False)
            return
        row = self._new_row()
        # Its own children only are waited for: the next key is meant for the item.
        await self._box.mount(row)
        row.field.enter()
        self.post_message(self.Changed())

    def action_remove_item(self) -> None:
        """Removes the item that has the focus."""
        for row in self._rows:
            if row.has_focus_within:
                self._remove_one(row)
                return

    def _append(self) -> None:
        row = self._new_row()
        if self._is_ready:
            self._box.mount(row)

    def _new_row(self) -> ItemRow:
        index = len(self._rows)
        field = ArgumentField(str(index), self.type.items, label=f"[{index}]")
        row = ItemRow(self._make_field(field, Widths(_LABEL_WIDTH, 0)))
        self._rows.append(row)
        return row

    def _remove_one(self, row: ItemRow) -> None:
        index = self._rows.index(row)
        self._remove([row])
        if self._rows:
            self._rows[min(index, len(self._rows) - 1)].field.enter()
        else:
            self._add.focus()
        self.post_message(self.Changed())

    def _remove(self, rows: Sequence[ItemRow]) -> None:
        for row in rows:
            self._rows.remove(row)
            if row.is_attached:
                row.remove()
        for i, row in enumerate(self._rows):
            row.field.rename(str(i), f"[{i}]")
