"""Lets one choose among many by typing a part of what is wanted. What there is, is left to others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from esgrpc_console.system_view import words
from esgrpc_console.tui.widgets.choices import Choices

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_LISTED = 200


class ChoiceScreen(ModalScreen[Result | None], Generic[Item, Result]):
    """A line to search with, and what it leaves. The result is None when it was cancelled."""

    CSS_PATH = "choice_screen.tcss"
    AUTO_FOCUS = "Input"

    TITLE_WORDS: ClassVar[str] = ""
    KEY_WORDS: ClassVar[str] = ""
    """Tells the keys."""
    PLACEHOLDER: ClassVar[str] = ""
    NONE_YET: ClassVar[str] = ""
    """What is said where there is nothing to choose from."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel"),
        Binding("up", "choices('cursor_up')", "up", show=False),
        Binding("down", "choices('cursor_down')", "down", show=False),
        Binding("pageup", "choices('page_up')", "page up", show=False),
        Binding("pagedown", "choices('page_down')", "page down", show=False),
    ]

    def __init__(self, items: Sequence[Item]) -> None:
        """
        :param items: those that are to be offered first come first.
        """
        super().__init__()
        self._items = items
        self._shown: Sequence[Item] = ()
        self._choices = Choices(markup=False, compact=True)
        self._choices.can_focus = False
        self._note = Static("", classes="choice-note", markup=False)

    @abstractmethod
    def find(self, text: str) -> Sequence[Item]:
        """Returns the items that have a text, the best first. Empty: all."""

    @abstractmethod
    def line(self, item: Item) -> Content:
        """Returns what is shown of an item, on one line."""

    @abstractmethod
    def take(self, item: Item) -> None:
        """Does what is to be done with the item that was chosen."""

    def compose(self) -> ComposeResult:
        """The line to search with, the list, and how much of it is not shown."""
        with Vertical(classes="choice") as box:
            box.border_title = self.TITLE_WORDS
            box.border_subtitle = self.KEY_WORDS
            yield Input(placeholder=self.PLACEHOLDER, compact=True)
            yield self._choices
            yield self._note

    def on_mount(self) -> None:
        """Lists all."""
        self._show("")

    @property
    def selected(self) -> Item | None:
        """The item that the cursor is on."""
        index = self._choices.highlighted
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def say(self, text: str) -> None:
        """Says something below the list."""
        self._note.update(text)

    async def action_choices(self, action: str) -> None:
        """Moves in the list, whose keys come here while a text is typed."""
        await self._choices.run_action(action)

    @on(Input.Changed)
    def search(self, message: Input.Changed) -> None:
        """Lists what has the text."""
        self._show(message.value.strip())

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def take_selected(self) -> None:
        """Takes the item that the cursor is on, or that was clicked."""
        item = self.selected
        if item is not None:
            self.take(item)

    def _show(self, text: str) -> None:
        found = self.find(text)
        self._shown = found[:_MAX_LISTED]
        self._choices.clear_options()
        self._choices.add_options(Option(self.line(item)) for item in self._shown)
        self._choices.highlighted = 0 if self._shown else None
        more = len(found) - len(self._shown)
        if not self._items:
            self.say(self.NONE_YET)
        else:
            self.say(f"{words.number(more)} more" if more else "" if found else "none")
