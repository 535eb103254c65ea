"""Chooses topics of events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esgrpc_console.system_view import words
from esgrpc_console.tui.widgets.choices import Choices


class TopicList(Choices):
    """Topics, each with a mark when it is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "select", "choose", show=False)]


class TopicsScreen(ModalScreen[tuple[str, ...] | None]):
    """Its result is the topics that were chosen: none stands for all. None: it was cancelled."""

    CSS_PATH = "topics_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("enter", "done", "show", priority=True),
        Binding("a", "all", "all"),
    ]

    def __init__(self, application: str, topics: Sequence[str], chosen: Collection[str]) -> None:
        super().__init__()
        self._application = application
        self._topics = topics
        self._chosen = set(chosen)
        self._list = TopicList(
            *(Option(self._prompt(topic), id=str(n)) for n, topic in enumerate(topics)),
            compact=True,
        )

    def compose(self) -> ComposeResult:
        """The list, in a box."""
        with Vertical(id="topics") as box:
            box.border_title = Content(f"topics of {words.line(self._application)} to show")
            box.border_subtitle = "space choose  a all  enter show  esc cancel"
            yield self._list

    def action_cancel(self) -> None:
        """Changes nothing."""
        self.dismiss(None)

    def action_all(self) -> None:
        """Ends with all."""
        self.dismiss(())

    def action_done(self) -> None:
        """Ends with what is chosen, in the order of the list; where nothing is, with all."""
        self.dismiss(tuple(topic for topic in self._topics if topic in self._chosen))

    @on(OptionList.OptionSelected)
    def choose(self, message: OptionList.OptionSelected) -> None:
        """Chooses a topic, or no longer."""
        message.stop()
        self._chosen ^= {self._topics[message.option_index]}
        for index, topic in enumerate(self._topics):
            self._list.replace_option_prompt_at_index(index, self._prompt(topic))

    def _prompt(self, topic: str) -> Content:
        module, _, name = topic.rpartition(":")
        mark = "✓" if topic in self._chosen else " "
        return Content.assemble(
            (f" {mark} ", "bold $accent"), words.line(name), (f"  {words.line(module)}", "dim")
        )
