"""JSON as a tree, of which only what is open is made."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_values import JsonValue, WrittenFloat, quoted

MAX_CHILDREN = 200
"""Of one value. How many more there are is told."""
_MAX_OPENED = 60
"""Lines that are open from the beginning."""
_MAX_VALUE = 500
_MAX_KEY = 60


class JsonTree(Tree[JsonValue]):
    """Shows a value. What is in it can be opened and closed."""

    DEFAULT_CSS = """
    JsonTree {
        background: $background;
        padding: 0 1;

        & > .tree--guides, & > .tree--guides-hover, & > .tree--guides-selected {
            color: $foreground 30%;
            text-style: none;
        }

        & > .tree--cursor {
            background: $surface;
            color: $foreground;
            text-style: none;
        }

        &:focus > .tree--cursor {
            background: $accent 30%;
            text-style: none;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = True

    def show(self, value: JsonValue) -> None:
        """Shows a value in place of the one that was shown, and opens as much as has room."""
        self.clear()
        self.root.data = value
        self._fill(self.root)
        self.root.expand()
        room = _MAX_OPENED - len(self.root.children)
        waiting = list(self.root.children)
        while waiting:
            node = waiting.pop(0)
            size = len(node.data) if isinstance(node.data, dict | list) else 0
            if size and size <= room:
                room -= size
                self._fill(node)
                node.expand()
                waiting += node.children
        self.cursor_line = 0

    @property
    def selected(self) -> JsonValue:
        """The value that the cursor is on."""
        node = self.cursor_node
        return None if node is None else node.data

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[JsonValue]) -> None:
        """Makes what is seen for the first time."""
        event.stop()
        if not event.node.children:
            self._fill(event.node)

    def render_label(self, node: TreeNode[JsonValue], base_style: Style, style: Style) -> Text:
        """Draws a name and a value."""
        label = node.label.copy() if isinstance(node.label, Text) else Text(node.label)
        label.stylize_before(style)
        if node.allow_expand:
            mark = "▾ " if node.is_expanded else "▸ "
            return Text.assemble((mark, style), label)
        return Text.assemble(("  ", base_style), label)

    def _fill(self, node: TreeNode[JsonValue]) -> None:
        children = list(_children(node.data))
        width = max((cell_len(key) for key, _ in children), default=0)
        for key, value in children:
            name = f"{key}{' ' * (width - cell_len(key))}"
            is_open = isinstance(value, dict | list) and bool(value)
            node.add(_label(name, value), value, allow_expand=is_open)
        size = len(node.data) if isinstance(node.data, dict | list) else 0
        if size > MAX_CHILDREN:
            more = Text(f"… {words.number(size - MAX_CHILDREN)} more, not shown here", "dim")
            node.add_leaf(more)


def _children(value: JsonValue) -> Iterable[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        for key, member in list(value.items())[:MAX_CHILDREN]:
            yield words.line(key if len(key) <= _MAX_KEY else f"{key[: _MAX_KEY - 1]}…"), member
    elif isinstance(value, list):
        for i, item in enumerate(value[:MAX_CHILDREN]):
            yield f"[{i}]", item


def _label(name: str, value: JsonValue) -> Text:
    label = Text(name, "bold", no_wrap=True, end="")
    label.append("  ", "not bold")
    label.append(_told(value), "not bold dim" if isinstance(value, dict | list) else "not bold")
    return label


def _told(value: JsonValue) -> str:
    match value:
        case dict():
            return words.count(len(value), "member") if value else "{}"
        case list():
            return words.count(len(value), "item") if value else "[]"
        case str():
            shown = words.line(value[:_MAX_VALUE])
            more = len(value) - _MAX_VALUE
            return f"{shown}… {words.number(more)} more characters" if more > 0 else shown or '""'
        case WrittenFloat():
            return value.text
        case _:
            return quoted(value)
