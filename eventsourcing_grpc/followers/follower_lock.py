"""The right to follow a leader, which one server of an application has at a time.

What is recorded is right without it: the core library records a position only once. It keeps the
others from doing the same work in vain, and from calling a policy twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DatabaseProblem:
    """Why a database can't be used just now."""

    text: str
    """In words, with neither an address nor a secret."""
    error_class: str
    attempts: int
    """How often it has been tried."""
    since: datetime
    last_at: datetime
    next_try_at: datetime | None
    """None: nothing is waiting to be tried again."""


class FollowerLock(ABC):
    """Tells a follower's loop whether it may process a leader's events. Any thread may ask."""

    on_change: Callable[[], None] | None = None
    """Is called, by another thread, when the lock has been given or lost. It must not wait."""

    @abstractmethod
    def is_held(self) -> bool:
        """Tells whether it is certain that this server has the lock, at this moment."""

    @abstractmethod
    def is_taken(self) -> bool:
        """Tells whether another server is known to have the lock."""

    @property
    @abstractmethod
    def holder(self) -> str:
        """Which other server has the lock: "payments-0, process 7". Empty: none is known to."""

    @abstractmethod
    def want(self) -> None:
        """Asks for the lock, until :meth:`decline`. It is asked for from the start."""

    @abstractmethod
    def decline(self) -> None:
        """Asks for the lock no longer. One that is held is kept."""

    @abstractmethod
    def problem(self) -> DatabaseProblem | None:
        """Returns why nothing can be recorded just now, if that is known."""


class NoLock(FollowerLock):
    """The lock where there is no other server, or none can be told of: it is always held."""

    def is_held(self) -> bool:
        return True

    def is_taken(self) -> bool:
        return False

    @property
    def holder(self) -> str:
        return ""

    def want(self) -> None:
        """Nothing."""

    def decline(self) -> None:
        """Nothing."""

    def problem(self) -> None:
        return None
