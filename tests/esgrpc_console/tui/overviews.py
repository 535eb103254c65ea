"""The overview of systems that a test has chosen, and what is read of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from textual.pilot import Pilot

from esgrpc_console.system_view import (
    FollowingError,
    FollowingState,
    FollowingStatus,
    SystemOperations,
)
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from tests.esgrpc_console.fake_system import (
    EPOCH,
    NOW,
    FakeSystem,
    a_following,
    an_application,
    the_example,
)
from tests.esgrpc_console.screen_reading import WIDE, screen_text, wait_for_text


def a_console(
    system: SystemOperations,
    *,
    context: str = "",
    colour: str = "",
    is_read_only: bool = False,
    keys: Mapping[str, str] | None = None,
    theme: str = "",
    clock: Callable[[], float] = lambda: NOW,
) -> ConsoleApp:
    """Returns the console on a system that is open already, with clocks that stand still by default."""

    async def open_system() -> SystemOperations:
        return system

    return ConsoleApp(
        SystemToShow(
            "eventsourcing_grpc.example:system",
            open_system,
            clock=clock,
            wall_clock=lambda: EPOCH,
            context=context,
            colour=colour,
            is_read_only=is_read_only,
            keys=keys or {},
            theme=theme,
        )
    )


@asynccontextmanager
async def an_overview(
    system: SystemOperations,
    size: tuple[int, int] = WIDE,
    *,
    context: str = "",
    is_read_only: bool = False,
    keys: Mapping[str, str] | None = None,
    theme: str = "",
) -> AsyncIterator[Pilot[Exception]]:
    """The overview of a system, when it is shown."""
    app = a_console(system, context=context, is_read_only=is_read_only, keys=keys, theme=theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_for_text(pilot, "APPLICATION", "FOLLOWER")
        # Then the room is shared.
        await pilot.pause()
        await pilot.pause()
        yield pilot


async def press(pilot: Pilot[Exception], *keys: str) -> str:
    """Presses keys, and returns what is on the screen then."""
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(pilot.app)


def rows(shown: str, heading: str) -> list[list[str]]:
    """Returns the words of the rows below a heading, as far as there are any."""
    lines = shown.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith(f" {heading}"))
    found = []
    # The last line tells the keys.
    for line in lines[first + 1 : -1]:
        if not line.strip():
            break
        found.append(line.split())
    return found


def applications(shown: str) -> list[str]:
    """Returns the names in the table of the applications."""
    return [row[0] for row in rows(shown, "APPLICATION")]


def followings(shown: str) -> list[str]:
    """Returns followers and leaders in the table of the followers."""
    return [" ".join(row[:3]) for row in rows(shown, "FOLLOWER")]


def a_failing_following(position: int = 7, head: int = 12) -> FollowingStatus:
    """Returns the following of one that does not get past an event."""
    error = FollowingError(
        "AssertionError",
        "Order 55e0 already paid",
        notification_id=position + 1,
        attempts=11,
        failing_since=NOW - 130,
        next_try=NOW + 22,
    )
    following = a_following("Orders", position, head, FollowingState.FAILING)
    return replace(following, last_error=error, lag_seconds=130.0)


def a_troubled_system() -> FakeSystem:
    """Returns the example with a follower that fails, and one that can't be reached."""
    system = the_example()
    follow(system, "Payments", a_failing_following(head=12_402))
    system.state.lose("Reservations", "connection refused", since=NOW - 12)
    return system


def follow(system: FakeSystem, follower: str, following: FollowingStatus) -> None:
    """Lets an application follow another like that, and no other."""
    known = system.state.applications[follower]
    system.state.put(
        an_application(
            follower,
            int(known.address.rpartition(":")[2]),
            follows=[following.leader],
            head=4,
            followings=[following],
        )
    )
