"""Where one can go in the console. Whoever wants to go there says so; the app shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.message import Message

Tab: TypeAlias = Literal["log", "methods", "followings", "aggregates"]


@dataclass(frozen=True)
class ApplicationPlace:
    """One application, closely."""

    application: str
    tab: Tab = "log"
    notification_id: int | None = None
    """The event that the log is to be opened at. None: its newest."""
    originator_id: str = ""
    """The aggregate whose events alone the log is to show. Empty: all."""
    method: str = ""
    """The method that is to be selected. Empty: as it was."""


@dataclass(frozen=True)
class FollowingPlace:
    """One application's following of another."""

    follower: str
    leader: str


@dataclass(frozen=True)
class AggregatePlace:
    """One aggregate, at one of its versions."""

    application: str
    originator_id: str
    version: int | None = None
    """None: the newest."""


@dataclass(frozen=True)
class TracePlace:
    """All that mentions a text, in all applications."""

    text: str


@dataclass(frozen=True)
class EventPlace:
    """One event, closely."""

    application: str
    notification_id: int


@dataclass(frozen=True)
class OutputPlace:
    """What servers have written."""

    application: str = ""
    """Empty: all of them."""


Place: TypeAlias = (
    ApplicationPlace | FollowingPlace | AggregatePlace | TracePlace | EventPlace | OutputPlace
)


class Open(Message):
    """Posted by a widget when a place is to be shown."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
