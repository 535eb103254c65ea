"""What each key does, here first and everywhere after that. Made from the registry of actions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esgrpc_console.tui.action_lists.action_info import ActionInfo

_KEY_WIDTH = 16


class HelpScreen(ModalScreen[None]):
    """Lists keys by place, with the IDs by which the configuration file changes them."""

    CSS_PATH = "help_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", "close")
    ]

    def __init__(
        self, here: Sequence[ActionInfo], everything: Sequence[ActionInfo], keys: dict[str, str]
    ) -> None:
        """
        :param here: what can be done on the screen that is under this one.
        :param everything: all actions.
        :param keys: how the keys of an action are written, by its ID.
        """
        super().__init__()
        self._here = here
        self._everything = everything
        self._keys = keys

    def compose(self) -> ComposeResult:
        """All keys, in a box that scrolls where it must."""
        parts: list[Content | str | tuple[str, str]] = []
        places = {info.place for info in self._here}
        listed = sorted(self._everything, key=lambda info: info.place not in places)
        for place, actions in groupby(listed, key=lambda info: info.place):
            parts.append((f"{place}\n", "bold $accent"))
            for info in actions:
                parts += [
                    (f"  {self._keys[info.id]:<{_KEY_WIDTH}} ", "bold"),
                    f"{info.help}  ",
                    (f"{info.id}\n", "dim"),
                ]
            parts.append("\n")
        parts.append(
            ("[keys] in the configuration file gives other keys to an action, by its ID.", "dim")
        )
        with VerticalScroll(id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "esc close"
            yield Static(Content.assemble(*parts))
