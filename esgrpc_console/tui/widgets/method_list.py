"""The methods of one application that may be called, commands apart from queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from esgrpc_console.system_view import MethodView, words
from esgrpc_console.tui.widgets.filter_line import FilterLine
from esgrpc_console.tui.widgets.table_order import matcher


class _Methods(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open"),
        Binding("j", "cursor_down", "down", show=False),
        Binding("k", "cursor_up", "up", show=False),
        Binding("g", "first", "first", show=False),
        Binding("G", "last", "last", show=False),
    ]


class MethodList(Vertical):
    """Lists methods by name, and filters them."""

    DEFAULT_CSS = """
    MethodList {
        FilterLine {
            padding: 0;
        }

        #methods {
            width: auto;
            min-width: 100%;
            height: 1fr;
            border: none;
            padding: 0;
            background: $background;

            & > .option-list--option-disabled {
                color: $foreground 60%;
            }

            & > .option-list--option-highlighted {
                background: $surface;
                color: $foreground;
                text-style: none;
            }

            &:focus > .option-list--option-highlighted {
                background: $accent 30%;
                color: $foreground;
                text-style: none;
            }
        }

        #no-methods {
            height: auto;
            padding: 0 1;
            color: $text-muted;
        }
    }
    """

    class Highlighted(Message):
        """Posted when the cursor is on another method."""

        def __init__(self, method: MethodView) -> None:
            super().__init__()
            self.method = method

    class Selected(Message):
        """Posted when a method is to be called."""

        def __init__(self, method: MethodView) -> None:
            super().__init__()
            self.method = method

    def __init__(self, *, is_read_only: bool, id: str | None = None) -> None:
        """
        :param is_read_only: whether commands can't be called.
        """
        super().__init__(id=id)
        self._is_read_only = is_read_only
        self._filter_line = FilterLine()
        self._list = _Methods(id="methods", markup=False)
        self._note = Static(id="no-methods", markup=False)
        self._note.display = False
        self._methods: dict[str, MethodView] = {}
        self._filter = ""
        self._is_focus_wanted = False

    def compose(self) -> ComposeResult:
        """The filter, then the methods."""
        yield self._filter_line
        yield self._list
        yield self._note

    def show(self, methods: Sequence[MethodView] | None) -> None:
        """Lists these methods. None: they aren't known yet."""
        self._methods = {method.name: method for method in methods or ()}
        self._note.display, self._list.display = not methods, bool(methods)
        self._note.update("no methods are exposed" if methods is not None else "not described yet")
        self._list_methods()
        if methods and self._is_focus_wanted and self.screen.focused is None:
            self.enter()

    def enter(self) -> None:
        """Takes the focus, at once, so that the next key goes there."""
        self._is_focus_wanted = not self._list.display
        if self._list.display:
            self.screen.set_focus(self._list)

    def select(self, name: str) -> bool:
        """Goes to a method. Tells whether there is such one."""
        if name not in self._methods:
            return False
        if name not in self._shown:
            self._filter_line.action_clear_filter()
            self._filter = ""
            self._list_methods()
        self._list.highlighted = self._list.get_option_index(name)
        return True

    def open_filter(self) -> None:
        """Lets a filter be typed."""
        self._filter_line.open()

    @on(FilterLine.Changed)
    def show_filtered(self, message: FilterLine.Changed) -> None:
        """Shows only the methods that are wanted."""
        message.stop()
        self._filter = message.text
        self._list_methods()

    @on(FilterLine.Left)
    def go_to_methods(self, message: FilterLine.Left) -> None:
        """Goes on to the methods."""
        message.stop()
        self.enter()

    @on(OptionList.OptionHighlighted)
    def tell_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Tells of the method."""
        event.stop()
        method = self._methods.get(event.option_id or "")
        if method is not None:
            self.post_message(self.Highlighted(method))

    @on(OptionList.OptionSelected)
    def tell_selected(self, event: OptionList.OptionSelected) -> None:
        """Tells of the method."""
        event.stop()
        method = self._methods.get(event.option_id or "")
        if method is not None:
            self.post_message(self.Selected(method))

    @property
    def _shown(self) -> set[str]:
        return {option.id for option in self._list.options if option.id is not None}

    def _list_methods(self) -> None:
        matches = matcher(self._filter)
        wanted = [
            method
            for method in self._methods.values()
            if not self._filter or matches(f"{method.name}{method.signature}")
        ]
        index = self._list.highlighted
        current = None if index is None else self._list.get_option_at_index(index).id
        self._list.clear_options()
        commands = "COMMANDS  read-only" if self._is_read_only else "COMMANDS"
        for heading, is_command in ((commands, True), ("QUERIES", False)):
            group = [method for method in wanted if method.is_command is is_command]
            if group:
                self._list.add_option(Option(Content(heading), disabled=True))
            for method in group:
                self._list.add_option(
                    Option(Content(f"  {words.line(method.name)}"), id=method.name)
                )
        self._filter_line.show_count(len(wanted), words.count(len(self._methods), "method"))
        if current in {method.name for method in wanted} and current is not None:
            self._list.highlighted = self._list.get_option_index(current)
        elif wanted:
            self._list.highlighted = 1
