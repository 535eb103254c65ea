"""Pictures of the overview, and of what is in front of it, at a fixed time."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from esgrpc_console.system_view import SystemState
from tests.esgrpc_console.fake_system import NOW, FakeSystem, the_example
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.large_system import a_large_system
from tests.esgrpc_console.tui.overviews import (
    a_console,
    a_failing_following,
    a_troubled_system,
    follow,
)
from tests.esgrpc_console.tui.snapshots import SIZES, Compare, stop_blinking

READY = ("APPLICATION", "FOLLOWER")


def a_busy_system() -> FakeSystem:
    """Returns the example with orders that come, and go on to the others."""
    reading = NOW - 60
    system = FakeSystem()
    system.state = SystemState(lambda: reading)
    for application in the_example().state.applications.values():
        system.state.put(application)
    head = 12_000
    for second in range(30):
        reading = NOW - 30 + second
        head += 40 * (second * 7 % 10)
        for name, application in system.state.applications.items():
            assert application.status is not None
            followings = tuple(
                replace(
                    following,
                    position=head - 5 * second,
                    read_through=head - 5 * second,
                    head=head,
                    events_per_second=309.0,
                    lag_seconds=0.3,
                )
                for following in application.status.followings
            )
            system.state.hear(
                name,
                replace(
                    application.status,
                    head=head,
                    events_per_second=310.0,
                    calls_per_second=120.0 if name == "Orders" else 0.0,
                    p50_seconds=0.0008 if name == "Orders" else None,
                    p99_seconds=0.0031 if name == "Orders" else None,
                    serving_since=NOW - 187_300,
                    followings=followings,
                ),
            )
    return system


@SIZES
def test_all_is_well(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY, "┌")

    assert snap_compare(a_console(the_example()), terminal_size=size, run_before=run_before)


@SIZES
def test_events_that_flow(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY, "┌")
        await pilot.press("tab", "L")

    app = a_console(a_busy_system(), context="staging", colour="blue")
    assert snap_compare(app, terminal_size=size, run_before=run_before)


@SIZES
def test_trouble(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY, "┌", "✗ failing")
        await pilot.press("shift+tab", "down")
        await wait_for_text(pilot, "(2 of 2)")

    app = a_console(a_troubled_system(), context="production", colour="red", is_read_only=True)
    assert snap_compare(app, terminal_size=size, run_before=run_before)


@SIZES
def test_a_large_system_with_a_filter(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY)
        await pilot.press("slash", *"app1", "enter", "H")
        await wait_for_text(pilot, "10 of 50 applications", "HEAD▼")

    assert snap_compare(a_console(a_large_system()), terminal_size=size, run_before=run_before)


@SIZES
def test_a_question_before_an_event_is_skipped(
    snap_compare: Compare, size: tuple[int, int]
) -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY, "┌")
        await pilot.press("s")
        await wait_for_text(pilot, "Skip Orders #8 in Payments?")
        stop_blinking(pilot)

    app = a_console(system, context="production", colour="red")
    assert snap_compare(app, terminal_size=size, run_before=run_before)


@SIZES
def test_the_palette(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, *READY, "┌")
        await pilot.press("colon", *"log")
        await wait_for_text(pilot, "go to Orders: log")
        stop_blinking(pilot)

    assert snap_compare(a_console(the_example()), terminal_size=size, run_before=run_before)
