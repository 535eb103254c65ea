"""What can be wished to be read of a log, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from esgrpc_console.system_view import LogWindow
from esgrpc_console.system_view.log_window import PAGE, End


class WishKind(Enum):
    """Which part of a log is wished for."""

    FOLLOW = auto()
    """What is new."""
    OLDER = auto()
    """What comes before the window."""
    NEWER = auto()
    """What comes behind it."""
    FIRST = auto()
    LAST = auto()
    GO_TO = auto()
    """What is around an ID."""


@dataclass(frozen=True)
class Wish:
    """Something to be read."""

    kind: WishKind
    at: int = 0
    """The ID to go to."""


async def read(window: LogWindow, wish: Wish) -> int | None:
    """Moves a window. Where the log turns out to be another, the window is at its end.

    :returns: the ID of the event to look at, where one was wished for.
    :raises RequestFailed: when the log can't be read.
    """
    at: int | None = None
    replacements = window.replacements
    match wish.kind:
        case WishKind.FOLLOW if window.newer > PAGE and not window.filter:
            # What lies between would be gone before anybody could read it.
            await window.jump(End.LAST)
        case WishKind.FOLLOW:
            await window.catch_up()
        case WishKind.OLDER:
            await window.read_older()
        case WishKind.NEWER:
            await window.read_newer()
        case WishKind.FIRST:
            await window.jump(End.FIRST)
        case WishKind.LAST:
            await window.jump(End.LAST)
        case WishKind.GO_TO:
            at = await window.go_to(wish.at)
    if window.replacements != replacements:
        await window.jump(End.LAST)
    return at
