"""What is known of one action. Imports nothing of Textual: the configuration is checked with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionInfo:
    """One thing that a person can do."""

    id: str
    """``place.name``: what the configuration file calls it. Never changes."""
    keys: str
    """As Textual names them, with commas between: ``f,end,G``. The first is shown."""
    label: str
    """One or two words, for the footer."""
    help: str
    """What it does, in a few words that begin with a verb."""
    place: str
    """Where it is: a heading of the help screen."""
    action: str = ""
    """What Textual runs: ``move(-1)``. By default the name behind the dot, with underscores."""
    is_shown: bool = True
    """Whether the footer has it."""
    is_changing: bool = False
    """Whether it changes something in the system: then it is disabled where that is not allowed."""
    key_display: str = ""
    """The key as the footer shows it. By default as Textual writes it."""
    is_priority: bool = False
    """Whether it comes before what the focused widget does with the key."""

    def __post_init__(self) -> None:
        if not self.action:
            name = self.id.rpartition(".")[2].replace("-", "_")
            object.__setattr__(self, "action", name)

    @property
    def method(self) -> str:
        """The action's name without namespace and arguments: ``move``."""
        return self.action.partition("(")[0].rpartition(".")[2]
