"""Choices on one line, of which one is taken: ``( ) true  (•) false``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

_GAP = "  "


class ChoiceLine(Widget, can_focus=True):
    """Takes one of some choices: with the arrows, the space bar, a first letter or the mouse."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    ChoiceLine {
        width: 1fr;
        height: auto;
        min-height: 1;
        background: $surface;

        &:focus {
            background: $accent 20%;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "previous", show=False),
        Binding("right,space", "step(1)", "next", show=False),
        Binding("enter", "submit", "call", show=False),
    ]

    class Chosen(Message):
        """Posted when another choice has been taken."""

        def __init__(self, line: ChoiceLine) -> None:
            super().__init__()
            self.line = line

    class Submitted(Message):
        """Posted when enter was pressed."""

    def __init__(
        self, choices: Sequence[str], *, chosen: int | None = None, note: str = ""
    ) -> None:
        """
        :param choices: in words, fit to be shown on one line.
        :param note: is shown as long as none is taken.
        """
        super().__init__()
        self._choices = choices
        self._note = note
        self._chosen = chosen

    @property
    def chosen(self) -> int | None:
        """The index of the one that is taken, if one is."""
        return self._chosen

    @chosen.setter
    def chosen(self, index: int | None) -> None:
        if index != self._chosen:
            self._chosen = index
            self.refresh(layout=True)
            self.post_message(self.Chosen(self))

    def render(self) -> Content:
        """All choices, with a mark before the one that is taken."""
        parts: list[Content | str | tuple[str, str]] = []
        for i, words in enumerate(self._choices):
            is_chosen = i == self._chosen
            # Spaces that don't break: a choice stays in one piece.
            text = f"({'•' if is_chosen else ' '}) {words}".replace(" ", "\u00a0")
            parts.append((text, "bold" if is_chosen else "$text-muted"))
            parts.append(_GAP)
        if self._chosen is None:
            parts.append((self._note, "dim"))
        return Content.assemble(*parts)

    def action_step(self, step: int) -> None:
        """Takes the next or the previous one."""
        if self._choices:
            beginning = -1 if step > 0 else 0
            current = beginning if self._chosen is None else self._chosen
            self.chosen = (current + step) % len(self._choices)

    def action_submit(self) -> None:
        """Says that all has been chosen."""
        self.post_message(self.Submitted())

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Takes letters that choices begin with."""
        return character is not None and self._beginning_with(character) is not None

    def on_key(self, event: events.Key) -> None:
        """Takes the choice that begins with a letter."""
        index = self._beginning_with(event.character or "")
        if index is not None:
            event.stop()
            self.chosen = index

    def on_click(self, event: events.Click) -> None:
        """Takes the choice that was clicked."""
        if event.y == 0:
            end = 0
            for i, words in enumerate(self._choices):
                end += 4 + cell_len(words)
                if event.x < end:
                    self.chosen = i
                    return
                end += len(_GAP)

    def _beginning_with(self, character: str) -> int | None:
        if not character.strip():
            return None
        known = list(enumerate(self._choices))
        after = 0 if self._chosen is None else self._chosen + 1
        for i, words in (*known[after:], *known[:after]):
            if words.lower().startswith(character.lower()):
                return i
        return None


class Cycle(Widget, can_focus=True):
    """Takes one of some choices, and shows only that one: ``‹default›``."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Cycle {
        width: auto;
        height: 1;
        margin: 0 1 0 0;
        background: $surface;

        &:focus {
            background: $accent 60%;
            text-style: bold;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "previous", show=False),
        Binding("right,space", "step(1)", "next", show=False),
        Binding("enter", "submit", "call", show=False),
    ]

    class Chosen(Message):
        """Posted when a person has taken another choice."""

        def __init__(self, cycle: Cycle) -> None:
            super().__init__()
            self.cycle = cycle

    def __init__(self, choices: Sequence[str], chosen: int = 0) -> None:
        """
        :param choices: in words, fit to be shown on one line.
        """
        super().__init__()
        self._choices = choices
        self._width = max(map(cell_len, choices))
        self.chosen = chosen

    def show(self, chosen: int) -> None:
        """Shows a choice, and tells nobody."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.refresh()

    def render(self) -> Content:
        """The one that is taken."""
        words = self._choices[self.chosen]
        return Content(f"‹{words}›{' ' * (self._width - cell_len(words))}")

    def action_step(self, step: int) -> None:
        """Takes the next or the previous one."""
        self.chosen = (self.chosen + step) % len(self._choices)
        self.refresh()
        self.post_message(self.Chosen(self))

    def action_submit(self) -> None:
        """Says that all has been chosen."""
        self.post_message(ChoiceLine.Submitted())

    def on_click(self) -> None:
        """Takes the next one."""
        self.action_step(1)
