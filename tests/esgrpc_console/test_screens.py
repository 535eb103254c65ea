"""Screens, driven by keys, on systems in a state that the test has chosen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from esgrpc_console.system_view import (
    FollowingError,
    FollowingState,
    MethodView,
    SystemOperations,
    SystemUnreachable,
)
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    NOW,
    ORDER_ID,
    FakeSystem,
    a_following,
    an_application,
    an_event,
    console_on,
    the_example,
)
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_first_line_says_that_all_is_well(size: tuple[int, int]) -> None:
    app = console_on(the_example())
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, "Order.Paid", "localhost:50053")
        first = shown.splitlines()[0]
        assert first.strip().startswith(
            "● all is well: 3 applications, 4 followings, all caught up"
        )


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_first_line_says_what_is_wrong(size: tuple[int, int]) -> None:
    system = the_example()
    error = FollowingError(
        "AssertionError", "already paid", notification_id=8, failing_since=NOW - 130
    )
    following = replace(a_following("Orders", 7, 12, FollowingState.FAILING), last_error=error)
    system.state.put(
        an_application("Payments", 50053, follows=["Orders"], followings=[following], head=4)
    )
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, "✗ failing")
        first, *others = shown.splitlines()
        assert "✗ Payments has been failing on Orders #8 for 2m 10s: Asse" in first
        assert any("AssertionErr" in line and "✗ failing" in line for line in others)


async def test_stale_rows_say_their_age() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        system.state.lose("Payments", "connection refused", since=NOW - 12)
        shown = await wait_for_text(
            pilot, "Payments has been unreachable on localhost:50053 for 12s: connection refused"
        )
        assert "○ unreachable 12s" in shown
        assert "● live 12s ago" in shown


async def test_another_application_is_selected_with_the_arrow_keys() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("a", "down")
        await wait_for_text(pilot, "Payment.Created")
        await pilot.press("m")
        await wait_for_text(pilot, "no methods are exposed")


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_unkind_content_is_shown_and_does_no_harm(size: tuple[int, int]) -> None:
    system = FakeSystem()
    name = f"Shop{UNKIND}"
    parameters = tuple(replace(ORDER_ID, name=f"p{n}") for n in range(30))
    methods = (
        MethodView("label", True, f"({UNKIND})", UNKIND, parameters),
        MethodView("echo", False, "()", UNKIND),
    )
    error = FollowingError("Error", UNKIND * 50, UNKIND, notification_id=2**63, attempts=3)
    following = replace(a_following(name, 10**12, 10**13, FollowingState.FAILING), last_error=error)
    system.state.put(
        an_application(name, 50051, follows=[name], methods=methods, followings=[following])
    )
    topic = f"shop:{UNKIND * 20}"
    system.logs[name] = [
        replace(an_event(n, topic), originator_id=UNKIND * 5, state='{"a": "' + "[/red]" * 200_000)
        for n in range(1, 50)
    ]
    system.record(name, an_event(50, topic))
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        await wait_for_text(pilot, "Shop")
        for keys in ("l", "enter", "escape", "up", "enter", "escape", "m", "enter", "x", "enter"):
            await pilot.press(keys)
            await pilot.pause()
            shown = screen_text(app)
            assert "\x1b" not in shown
            assert "\x07" not in shown
            assert "\u202e" not in shown
    assert app.return_value is None


async def test_help_lists_the_keys() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Everywhere", "quit")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "FOLLOWER")


async def test_panes_are_side_by_side_where_there_is_room_and_one_at_a_time_where_not() -> None:
    app = console_on(the_example())
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid", "COMMANDS")
        await pilot.resize_terminal(*SMALL)
        await wait_for_text(pilot, "Order.Paid", "l log")
        assert "COMMANDS" not in screen_text(app)
        await pilot.press("m")
        await wait_for_text(pilot, "COMMANDS")
        assert "Order.Paid" not in screen_text(app)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_numbers_are_never_cut(size: tuple[int, int]) -> None:
    system = the_example()
    great = 18_446_744_073_709_551_615
    system.state.put(
        an_application(
            "Orders",
            50051,
            head=great,
            follows=["Payments"],
            followings=[a_following("Payments", great, great)],
        )
    )
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, f"{great:,}")
        for line in shown.splitlines():
            assert "18,446" not in line or f"{great:,}" in line


@pytest.mark.parametrize("keys", ["q", "ctrl+c", "ctrl+q"])
async def test_it_quits(keys: str) -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press(keys)
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is None
    assert app.return_code == 0


async def test_what_keeps_a_system_from_opening_is_the_result() -> None:
    failure = SystemUnreachable("There is no system")

    async def open_system() -> SystemOperations:
        raise failure

    app = ConsoleApp(SystemToShow("shop:system", open_system))
    async with app.run_test(size=SMALL):
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is failure


async def test_the_start_is_told_in_words_with_what_servers_say() -> None:
    app = ConsoleApp(
        SystemToShow(
            "shop:system",
            _never,
            progress=lambda: ("starting 2 servers: A, B …", [f"A: {UNKIND}", "B: hello"]),
        )
    )
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "shop:system", "starting 2 servers: A, B …", "B: hello")
        await pilot.press("q")


async def _never() -> SystemOperations:
    await asyncio.Event().wait()
    raise AssertionError
