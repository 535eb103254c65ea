"""What all widgets for arguments have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual.containers import Vertical
from textual.message import Message

from esgrpc_console.system_view.json_schema import ArgumentType
from esgrpc_console.system_view.json_values import JsonValue, MaybeJson


class NotReadableError(Exception):
    """Raised when what was written can't be sent. The text says what is wrong."""


class ArgumentEditor(Vertical):
    """Holds one value. What it is called, and whether there is one, is left to its field."""

    is_block: ClassVar[bool] = False
    """Whether it takes lines of its own, below its name."""

    DEFAULT_CSS = """
    ArgumentEditor {
        width: 1fr;
        height: auto;
    }
    """

    class Changed(Message):
        """Posted when the value may be another."""

    class Submitted(Message):
        """Posted when all has been written, and the method is to be called."""

    def __init__(self, type: ArgumentType) -> None:
        super().__init__()
        self.type = type

    @abstractmethod
    def value(self) -> MaybeJson:
        """Returns what was written, or ``ABSENT`` where nothing was.

        :raises NotReadableError: when it can't be sent.
        """

    @abstractmethod
    def load(self, value: JsonValue) -> None:
        """Shows a value that fits the type: see ``argument_fit``."""

    @abstractmethod
    def clear(self) -> None:
        """Forgets what was written."""

    @abstractmethod
    def enter(self) -> None:
        """Takes the focus."""

    def problem(self) -> str:
        """Returns what is wrong with what was written so far. Empty: nothing is known."""
        return ""

    @property
    def keys(self) -> str:
        """What keys do in it, in a few words."""
        return ""

    def has_part(self, path: Sequence[str]) -> bool:
        """Tells whether there is a part for the first of some names."""
        return False

    def show_violation(self, path: Sequence[str], text: str) -> bool:
        """Shows what the server says is wrong with a part, and tells whether there is such one."""
        return False

    def clear_violations(self) -> None:
        """Forgets what the server said of its parts."""
