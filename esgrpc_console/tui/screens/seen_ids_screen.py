"""Lets one choose among the IDs that were seen lately."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from esgrpc_console.system_view import words
from esgrpc_console.tui.screens.choice_screen import ChoiceScreen
from esgrpc_console.tui.seen_ids import SeenId


class SeenIdsScreen(ChoiceScreen[SeenId, str]):
    """Its result is the ID that was chosen, or None."""

    TITLE_WORDS = "IDs seen lately"
    KEY_WORDS = "enter take  esc cancel"
    PLACEHOLDER = "a part of it"
    NONE_YET = "none has been seen yet"

    def find(self, text: str) -> Sequence[SeenId]:
        """Returns those that have the text."""
        wanted = text.lower()
        return [seen for seen in self._items if wanted in f"{seen.id} {seen.where}".lower()]

    def line(self, item: SeenId) -> Content:
        """Returns the ID, and where it was seen."""
        where = (f"  {words.line(item.where)}", "dim")
        return Content.assemble(words.line(item.id), where)

    def take(self, item: SeenId) -> None:
        """Ends with the ID."""
        self.dismiss(item.id)
