"""How a list of events is, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass

from esgrpc_console.system_view import words
from esgrpc_console.tui.appearance import Tone


@dataclass(frozen=True)
class ListStatus:
    """How a list of events is."""

    is_following: bool = True
    new: int = 0
    """How many IDs the log has grown by since it isn't followed any more."""
    head: int = 0
    """The log's greatest ID."""
    looked_through: int | None = None
    """The ID that a read that takes long has come to. None: none is going on."""
    error: str = ""
    """Why events can't be read. Empty: they can."""


def list_words(status: ListStatus, age: float | None, why: str) -> tuple[str, Tone]:
    """Says how a list is.

    :param age: seconds since the server was heard of. None: what is shown is current.
    :param why: why the server can't be heard of.
    """
    if age is not None:
        return f"○ {words.duration(age)} old: {why}", Tone.WAITING
    if status.error:
        return f"✗ the log can't be read: {status.error}", Tone.BAD
    if status.looked_through is not None:
        looked = words.number(status.looked_through)
        return f"◐ looking at {looked} of {words.number(status.head)}", Tone.WAITING
    if status.is_following:
        return "● following the newest", Tone.GOOD
    new = f"   +{words.number(status.new)} new (f to follow)" if status.new else ""
    return f"‖ paused{new}", Tone.WAITING
