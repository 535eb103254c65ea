"""The methods of one application that may be called, commands apart from queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esgrpc_console.system_view import MethodView, words


class MethodList(OptionList):
    """Lists methods by name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open"),
    ]

    class MethodHighlighted(Message):
        """Posted when the cursor is on another method."""

        def __init__(self, method: MethodView) -> None:
            super().__init__()
            self.method = method

    class MethodSelected(Message):
        """Posted when a method is to be called."""

        def __init__(self, method: MethodView) -> None:
            super().__init__()
            self.method = method

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._methods: dict[str, MethodView] = {}

    def show(self, methods: Sequence[MethodView]) -> None:
        """Lists these methods."""
        self._methods = {method.name: method for method in methods}
        self.clear_options()
        for heading, is_command in (("COMMANDS", True), ("QUERIES", False)):
            group = [method for method in methods if method.is_command is is_command]
            if group:
                self.add_option(Option(Content(heading), disabled=True))
            for method in group:
                self.add_option(Option(Content(f"  {words.line(method.name)}"), id=method.name))
        if methods:
            self.highlighted = 1

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Tells of the method."""
        event.stop()
        method = self._methods.get(event.option_id or "")
        if method is not None:
            self.post_message(self.MethodHighlighted(method))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tells of the method."""
        event.stop()
        method = self._methods.get(event.option_id or "")
        if method is not None:
            self.post_message(self.MethodSelected(method))
