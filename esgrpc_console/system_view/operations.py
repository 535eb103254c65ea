"""What screens and commands need of a system. :class:`SystemView` has it from the system's servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.views import AggregateView, CallResult, EventPage, EventView


class SystemOperations(Protocol):
    """A system that can be looked at and operated. What each method does is told by ``SystemView``."""

    @property
    def state(self) -> SystemState:
        """What is known of the system."""

    async def read_events(
        self,
        application: str,
        *,
        start: int | None = None,
        limit: int = 100,
        is_backwards: bool = False,
        topics: Sequence[str] = (),
        originator_id: str = "",
        text: str = "",
        with_state: bool = True,
    ) -> EventPage:
        """Reads one page of an application's notification log."""

    async def read_aggregate(
        self, application: str, originator_id: str, version: int | None = None
    ) -> AggregateView:
        """Reads the state of an aggregate."""

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        """Calls a method of an application."""

    async def pause_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following wait."""

    async def resume_following(self, follower: str, leader: str, reason: str) -> None:
        """Lets a following that was paused go on."""

    async def retry_now(self, follower: str, leader: str, reason: str) -> None:
        """Tries at once what waits for its next try."""

    async def skip_event(
        self,
        follower: str,
        leader: str,
        notification_id: int,
        reason: str,
        *,
        is_dry_run: bool = False,
    ) -> EventView:
        """Skips the event that a following waits on."""
