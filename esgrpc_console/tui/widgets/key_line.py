"""The last line of a screen: what can be done here, and by which key.

One widget, where Textual's footer has one for each key: a screen is there sooner, and so is the
line after each change of what can be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from esgrpc_console.tui.actions import ACTIONS_BY_ID

_LAST = "app.help"
"""What is told also where there is no room for all: how to find the others."""
_GAP = "  "


@dataclass(frozen=True)
class _Key:
    key: str
    shown: str
    label: str
    is_enabled: bool
    action_id: str = ""

    @property
    def width(self) -> int:
        return len(self.shown) + 1 + len(self.label)


class KeyLine(Widget):
    """Tells keys, as many as there is room for. A click does what a key does."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        padding: 0 1;
        color: $footer-foreground;
        background: $footer-background;

        & > .key-line--key {
            color: $footer-key-foreground;
            background: $footer-background;
            text-style: bold;
        }
    }
    """

    keys: reactive[tuple[_Key, ...]] = reactive(())
    """What can be done, the most important first."""

    def on_mount(self) -> None:
        """Follows what can be done."""
        self.screen.bindings_updated_signal.subscribe(self, self._hear)

    def _hear(self, _: Screen[object]) -> None:
        self.call_after_refresh(self._update)

    def _update(self) -> None:
        if not self.is_attached:
            return
        by_action: dict[str, list[tuple[Binding, bool]]] = {}
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            if binding.show:
                by_action.setdefault(binding.action, []).append((binding, is_enabled))
        self.keys = tuple(map(self._key, by_action.values()))

    def _key(self, active: list[tuple[Binding, bool]]) -> _Key:
        action_id = active[0][0].id or ""
        info = ACTIONS_BY_ID.get(action_id)
        shown = {self._displayed(each[0]): each for each in active}
        # The key that is to be shown may do something else here.
        wanted = info.key_display if info is not None else ""
        name = wanted if wanted in shown else next(iter(shown))
        binding, is_enabled = shown[name]
        return _Key(binding.key, name, binding.description, is_enabled, action_id)

    def _displayed(self, binding: Binding) -> str:
        return self.app.get_key_display(Binding(binding.key, binding.action))

    def render(self) -> Text:
        """One line."""
        key_style = self.get_component_rich_style("key-line--key")
        line = Text(no_wrap=True, end="")
        for key in self._fitting():
            style = Style() if key.is_enabled else Style(dim=True)
            line.append(_GAP if line else "")
            line.append(key.shown, key_style + style)
            line.append(f" {key.label}", style)
        return line

    def on_click(self, event: events.Click) -> None:
        """Does what the key does that is clicked."""
        start = self.gutter.left
        for key in self._fitting():
            if start <= event.x < start + key.width:
                if key.is_enabled:
                    self.app.simulate_key(key.key)
                else:
                    self.app.bell()
                return
            start += key.width + len(_GAP)

    def _fitting(self) -> list[_Key]:
        """Returns the keys that there is room for."""
        room = self.size.width
        kept = [key for key in self.keys if key.action_id == _LAST]
        room -= sum(key.width + len(_GAP) for key in kept) - len(_GAP)
        fitting: list[_Key] = []
        for key in self.keys:
            if key in kept:
                fitting.append(key)
            elif key.width + len(_GAP) <= room:
                fitting.append(key)
                room -= key.width + len(_GAP)
            else:
                # What is less important is not told instead.
                room = 0
        return fitting
