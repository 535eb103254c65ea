"""Tests of the screen that shows what servers write, and stops and restarts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from esgrpc_console.server_output import ServerOutput
from esgrpc_console.tui.places import Open, OutputPlace
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_servers import FakeServers, some_output
from tests.esgrpc_console.fake_system import FakeSystem, console_on, the_example
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)


@asynccontextmanager
async def output_screen(
    *,
    system: FakeSystem | None = None,
    servers: FakeServers | None = None,
    size: tuple[int, int] = WIDE,
    is_read_only: bool = False,
) -> AsyncIterator[tuple[Pilot[Exception], FakeServers]]:
    """The screen, with what three servers have written."""
    system = system or the_example()
    if servers is None:
        servers = FakeServers(system)
        some_output(servers.output)
    app = console_on(system, servers=servers, is_read_only=is_read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_for_text(pilot, "all is well")
        await pilot.press("O")
        await wait_for_text(pilot, "OUTPUT")
        yield pilot, servers


async def press(pilot: Pilot[Exception], *keys: str) -> str:
    """Presses keys, and returns what is on the screen then."""
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(pilot.app)


def rows(text: str) -> list[str]:
    """Returns the rows of output on the screen, without their marks."""
    lines = text.splitlines()
    heading = next(index for index, line in enumerate(lines) if line.strip().endswith("OUTPUT"))
    return [line[2:] for line in lines[heading + 1 : -1] if line.strip()]


def cursor_row(text: str) -> str:
    """Returns the row that the cursor is on."""
    return next(line[2:] for line in text.splitlines() if line.startswith("▸"))


async def test_lines_of_all_servers_are_there_in_their_order_and_the_newest_is_followed() -> None:
    async with output_screen() as (pilot, servers):
        shown = screen_text(pilot.app)
        assert "following the newest   line 11 of 11" in shown
        assert rows(shown)[3].startswith("Payments      2026-11-23 14:00:01,118 WARNING shop.bank")
        servers.output.keep("Orders", "one more")
        shown = await wait_for_text(pilot, "line 12 of 12")
        assert cursor_row(shown) == "Orders        one more"


async def test_going_up_is_not_following_and_new_lines_are_counted() -> None:
    async with output_screen() as (pilot, servers):
        before = await press(pilot, "up", "up")
        assert "‖ paused   line 9 of 11" in before
        for number in range(1_200):
            servers.output.keep("Orders", f"line {number}")
        shown = await wait_for_text(pilot, "‖ paused   +1,200 new (f to follow)")
        assert rows(shown) == rows(before)

        shown = await press(pilot, "f")
        assert "following the newest   line 1,211 of 1,211" in shown
        assert cursor_row(shown).endswith("line 1199")


async def test_space_pauses_and_follows_again() -> None:
    async with output_screen() as (pilot, servers):
        assert "‖ paused" in await press(pilot, "space")
        servers.output.keep("Orders", "new")
        await wait_for_text(pilot, "+1 new")
        assert "following the newest   line 12 of 12" in await press(pilot, "space")


async def test_first_and_last_lines_are_one_key_away() -> None:
    async with output_screen(size=SMALL) as (pilot, _):
        assert "Orders is serving" in cursor_row(await press(pilot, "g", *["right"] * 3))
        assert "‖ paused   line 1 of 11" in screen_text(pilot.app)
        assert "following the newest   line 11 of 11" in await press(pilot, "G")


async def test_long_lines_can_be_shifted() -> None:
    async with output_screen(size=SMALL) as (pilot, _):
        assert "localhost:50051" not in screen_text(pilot.app)
        shown = await press(pilot, *["right"] * 4)
        assert "localhost:50051" in shown
        assert "OUTPUT  (from character 65)" in shown
        assert "2026-11-23" in await press(pilot, *["left"] * 4)


async def test_the_output_of_one_server_is_shown_and_then_that_of_the_next() -> None:
    async with output_screen() as (pilot, servers):
        shown = await press(pilot, "right_square_bracket")
        assert len(rows(shown)) == 3
        assert not any("Payments" in row for row in rows(shown))
        shown = await press(pilot, "right_square_bracket", "right_square_bracket")
        assert rows(shown)[-1] == "AssertionError: Order 55e0 already paid"
        servers.output.keep("Orders", "not wanted")
        servers.output.keep("Payments", "wanted")
        shown = await wait_for_text(pilot, "line 8 of 8")
        assert cursor_row(shown) == "wanted"
        assert len(rows(await press(pilot, "right_square_bracket"))) == 13
        assert len(rows(await press(pilot, "left_square_bracket"))) == 8


async def test_a_server_is_chosen_from_a_list_or_with_the_mouse() -> None:
    async with output_screen() as (pilot, _):
        await press(pilot, "s")
        assert "Show the output of" in screen_text(pilot.app)
        shown = await press(pilot, "down", "down", "enter")
        assert len(rows(shown)) == 1
        assert "Reservations is serving" in cursor_row(shown)
        column = shown.splitlines()[2].index("Payments")
        await pilot.click(offset=(column + 1, 2))
        await wait_for_text(pilot, "line 7 of 7")


async def test_a_place_names_the_server_whose_output_is_shown() -> None:
    async with output_screen() as (pilot, _):
        await press(pilot, "up", "slash", *"paid", "enter")
        pilot.app.screen.post_message(Open(OutputPlace("Payments")))
        shown = await wait_for_text(pilot, "following the newest   line 7 of 7")
        assert len(pilot.app.screen_stack) == 3
        assert len(rows(shown)) == 7


async def test_only_warnings_and_errors_are_shown_with_their_tracebacks() -> None:
    async with output_screen() as (pilot, servers):
        shown = await press(pilot, "w")
        assert "only warnings and errors" in shown
        assert [row[14:] for row in rows(shown)] == [
            "2026-11-23 14:00:01,118 WARNING shop.bank: no answer in 0.5 s",
            "2026-11-23 14:00:01,640 ERROR shop.bank: Order 55e0 is not paid",
            "Traceback (most recent call last):",
            '  File "shop/payments.py", line 41, in policy',
            "    raise AssertionError(f'Order {order_id} already paid')",
            "AssertionError: Order 55e0 already paid",
        ]
        servers.output.keep("Orders", "2026-11-23 14:00:02,003 INFO all is well")
        servers.output.keep("Orders", "2026-11-23 14:00:02,004 ERROR nothing is")
        assert "nothing is" in cursor_row(await wait_for_text(pilot, "line 7 of 7"))
        assert len(rows(await press(pilot, "w"))) == 13


async def test_a_text_is_found_from_the_newest_upwards_and_forgotten() -> None:
    async with output_screen() as (pilot, servers):
        shown = await press(pilot, "slash", *"SERVING", "enter")
        assert "/SERVING: 1 of 3" in shown
        assert "Payments is serving" in cursor_row(shown)
        assert "Reservations is serving" in cursor_row(await press(pilot, "n"))
        assert "Orders is serving" in cursor_row(await press(pilot, "n"))
        # Round at the end.
        assert "/SERVING: 1 of 3" in await press(pilot, "n")
        assert "Orders is serving" in cursor_row(await press(pilot, "N"))
        servers.output.keep("Orders", "serving again")
        await wait_for_text(pilot, "+1 new")
        assert "/SERVING: 1 of 4" in await press(pilot, "f")

        shown = await press(pilot, "escape")
        assert "/SERVING" not in shown
        assert "OUTPUT" in shown
        assert "OUTPUT" not in await press(pilot, "escape")


async def test_a_text_that_is_not_there_is_said_not_to_be() -> None:
    async with output_screen() as (pilot, _):
        shown = await press(pilot, "slash", *"no such text", "enter")
        assert "/no such text: not found" in shown
        assert "line 11 of 11" in await press(pilot, "n")


async def test_lines_that_are_not_kept_are_counted() -> None:
    system = the_example()
    servers = FakeServers(system, ServerOutput(max_lines=100))
    for number in range(1_400):
        servers.output.keep("Orders", f"line {number}")
    servers.output.keep("Payments", "the only one")
    async with output_screen(system=system, servers=servers) as (pilot, _):
        await wait_for_text(pilot, "line 101 of 101   1,300 older lines not kept")
        shown = await press(pilot, "left_square_bracket")
        assert rows(shown) == ["the only one"]
        assert "not kept" not in shown


async def test_a_whole_record_is_shown_and_copied() -> None:
    async with output_screen() as (pilot, _):
        await press(pilot, *["up"] * 3, "enter")
        shown = await wait_for_text(pilot, "Payments, 5 lines", "ERROR shop.bank")
        assert "AssertionError: Order 55e0 already paid" in shown
        await pilot.press("y")
        await wait_for_text(pilot, "copied the record")
        assert pilot.app.clipboard.count("\n") == 4
        await pilot.press("escape")
        await wait_for_text(pilot, "line 8 of 11")


async def test_a_line_is_copied_as_it_was_written() -> None:
    async with output_screen() as (pilot, _):
        await pilot.press("up", "y")
        await wait_for_text(pilot, "copied 2026-11-23")
        assert pilot.app.clipboard.endswith("12 orders, [/red] \x1b[2J\u202e")


async def test_text_is_selected_with_the_mouse() -> None:
    async with output_screen() as (pilot, _):
        line = next(
            index
            for index, text in enumerate(screen_text(pilot.app).splitlines())
            if "WARNING" in text
        )
        await pilot.mouse_down(offset=(16, line))
        await pilot.hover(offset=(26, line))
        await pilot.mouse_up(offset=(26, line))
        assert pilot.app.screen.get_selected_text() == "2026-11-23"


async def test_what_can_be_done_to_servers_is_told_on_a_small_screen_too() -> None:
    async with output_screen(size=SMALL) as (pilot, _):
        assert "R restart …  X stop …" in screen_text(pilot.app).splitlines()[-1]


async def test_a_restart_asks_first_and_cancel_has_the_focus() -> None:
    async with output_screen() as (pilot, servers):
        await press(pilot, "left_square_bracket", "R")
        shown = screen_text(pilot.app)
        assert "Restart the server of Payments?" in shown
        assert "The events of Payments are in its memory only: they are lost." in shown
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "cancel"
        await press(pilot, "enter")
        assert servers.changes == []

        await pilot.press("R", "right", "enter")
        await wait_for_text(pilot, "the server of Payments was restarted, in")
        assert servers.changes == [("restart", "Payments")]


async def test_a_stopped_server_is_said_to_be_stopped() -> None:
    async with output_screen() as (pilot, servers):
        await press(pilot, "left_square_bracket", "X")
        assert "It is down until it is restarted." in screen_text(pilot.app)
        await pilot.press("right", "enter")
        shown = await wait_for_text(pilot, "Payments ○ stopped by you")
        assert "the server of Payments was stopped by you 3s ago" in shown
        assert servers.changes == [("stop", "Payments")]


async def test_which_server_is_asked_where_the_output_of_all_is_shown() -> None:
    async with output_screen() as (pilot, servers):
        await press(pilot, *["up"] * 3, "R")
        assert "Restart the server of" in screen_text(pilot.app)
        # The one whose line the cursor is on.
        assert "Restart the server of Payments?" in await press(pilot, "enter")
        await pilot.press("right", "enter")
        await wait_for(lambda: servers.changes == [("restart", "Payments")], "it is restarted")


async def test_a_restart_that_fails_says_why() -> None:
    async with output_screen() as (pilot, servers):
        servers.error = f"the server of Payments was not restarted: {UNKIND}"
        await pilot.press("left_square_bracket", "R", "right", "enter")
        await wait_for_text(pilot, "the server of Payments was not restarted: [/red]")


async def test_the_screen_can_be_used_while_a_server_restarts() -> None:
    async with output_screen() as (pilot, servers):
        servers.may_finish.clear()
        await pilot.press("left_square_bracket", "R", "right", "enter")
        await wait_for(lambda: bool(servers.changes), "it is being restarted")
        servers.output.keep("Payments", "I am back")
        await wait_for_text(pilot, "I am back")
        await pilot.press("escape")
        servers.may_finish.set()
        # Told wherever one is by now.
        await wait_for_text(pilot, "the server of Payments was restarted, in")


async def test_servers_are_left_alone_where_nothing_may_be_changed() -> None:
    async with output_screen(is_read_only=True) as (pilot, servers):
        shown = await press(pilot, "left_square_bracket", "R")
        assert "Restart the server of" not in shown
        await press(pilot, "X")
        assert len(pilot.app.screen_stack) == 3
        assert servers.changes == []


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_unkind_output_is_shown_as_text(size: tuple[int, int]) -> None:
    system = the_example()
    servers = FakeServers(system)
    servers.output.keep("Orders", UNKIND)
    servers.output.keep("Orders", "\t".join("abc"))
    servers.output.keep("Payments", "🎉" * 500)
    servers.output.keep("Payments", "שלום " * 500)
    servers.output.keep("", "x" * 1_000_000)
    async with output_screen(system=system, servers=servers, size=size) as (pilot, _):
        shown = screen_text(pilot.app)
        assert "console" in cursor_row(shown)
        assert "\x1b" not in shown + await press(pilot, "g")
        shown = await press(pilot, "f")
        assert "\u202e" not in shown
        if size != TINY:
            assert "[/red] [bold]x[/]" in shown
        shown = await press(pilot, *["right"] * 20)
        assert all(len(line) <= size[0] for line in shown.splitlines() if line.isascii())
        await press(pilot, "enter")
        await wait_for_text(pilot, "console, 1 line")


async def test_looking_at_many_new_lines_takes_little_time() -> None:
    async with output_screen() as (pilot, servers):
        for number in range(30_000):
            servers.output.keep(("Orders", "Payments")[number % 2], f"line {number}")
        await wait_for_text(pilot, "line 29999")
        await wait_for_text(pilot, "older lines not kept")
        await press(pilot, "slash", *"line 299", "enter")
        await wait_for_text(pilot, "/line 299: 1 of ")
