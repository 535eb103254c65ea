"""Pictures of the screens, on systems in a fixed state, at a fixed time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from esgrpc_console.system_view import (
    CallFailed,
    CallResult,
    FollowingError,
    FollowingState,
)
from tests.esgrpc_console.fake_system import (
    NOW,
    FakeSystem,
    a_following,
    an_application,
    console_on,
    the_example,
)
from tests.esgrpc_console.screen_reading import wait_for_text

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])


class Compare(Protocol):
    """Compares what is on the screen with the picture that is kept."""

    def __call__(
        self, app: App[Exception], *, terminal_size: tuple[int, int], run_before: object
    ) -> bool: ...


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def stop_blinking(pilot: Pilot[Exception]) -> None:
    """Lets the cursor of fields stand still."""
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False


@SIZES
def test_all_is_well(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid", "following the newest")

    assert snap_compare(console_on(the_example()), terminal_size=size, run_before=run_before)


def a_troubled_system() -> FakeSystem:
    """Returns the example with a follower that fails, and one that can't be reached."""
    system = the_example()
    error = FollowingError(
        "AssertionError", "Order 55e0 already paid", notification_id=8, failing_since=NOW - 130
    )
    failing = replace(a_following("Orders", 7, 12402, FollowingState.FAILING), last_error=error)
    system.state.put(
        an_application("Payments", 50053, follows=["Orders"], head=4, followings=[failing])
    )
    system.state.lose("Reservations", "connection refused", since=NOW - 12)
    return system


@SIZES
def test_trouble(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid", "✗ failing")

    assert snap_compare(console_on(a_troubled_system()), terminal_size=size, run_before=run_before)


@SIZES
def test_a_method_that_was_called(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = the_example()
    system.answer = CallResult('{"id": "7b1c4f0e", "is_reserved": true, "is_paid": false}', 0.0031)

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter", *"7b1c4f0e", "enter")
        await wait_for_text(pilot, "✓ 3.1 ms")
        stop_blinking(pilot)

    assert snap_compare(console_on(system), terminal_size=size, run_before=run_before)


@SIZES
def test_a_method_with_a_wrong_argument(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = the_example()
    wrong = "Input should be a valid UUID, invalid length: found 3"
    system.answer = CallFailed("no", violations={"order_id": wrong})

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter", *"7b1", "enter")
        await wait_for_text(pilot, wrong)
        stop_blinking(pilot)

    assert snap_compare(console_on(system), terminal_size=size, run_before=run_before)


@SIZES
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Everywhere")

    assert snap_compare(console_on(the_example()), terminal_size=size, run_before=run_before)


@SIZES
def test_an_event(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("l", "enter")
        await wait_for_text(pilot, "Orders #12")

    assert snap_compare(console_on(the_example()), terminal_size=size, run_before=run_before)
