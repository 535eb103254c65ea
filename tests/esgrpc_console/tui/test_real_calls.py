"""Calls of a real application: large, slow, hostile, refused."""

from __future__ import annotations

from esgrpc_console.system_view import SystemView
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.screen_reading import screen_text, wait_for_text
from tests.esgrpc_console.tui.methods import address  # noqa: F401 (a fixture)
from tests.esgrpc_console.tui.methods import system  # noqa: F401 (a fixture)
from tests.esgrpc_console.tui.methods import (
    field,
    form,
    methods_of,
    paste,
)


async def test_thirty_arguments_reach_the_application(system: SystemView) -> None:  # noqa: F811
    async with methods_of(system, "EveryType", "take_many", size=(100, 30)) as pilot:
        for number in range(1, 11):
            await pilot.press(str(number % 10), "down")
        field(pilot, "p26").enter()
        await pilot.press("g", "f5")
        await wait_for_text(
            pilot, "(1, 0, '', False, <Colour.GREEN: 'green'>, None, Decimal('1.10'"
        )


async def test_wrong_arguments_are_marked_where_they_are(
    system: SystemView,  # noqa: F811
) -> None:
    async with methods_of(system, "EveryType", "take_model", size=(100, 30)) as pilot:
        await pilot.press("x", "down", "down", "y", "down", "right", "enter")
        lines = (await wait_for_text(pilot, "✗ not called", "Input should be a valid date")).split(
            "\n"
        )
        (row,) = [row for row, line in enumerate(lines) if "since" in line and "date |" in line]
        assert "Input should be a valid date" in lines[row + 1]
        assert "✗" in lines[row]
        assert "✓" in lines[row - 2]


async def test_what_is_not_given_is_asked_for_by_the_server(
    system: SystemView,  # noqa: F811
) -> None:
    async with methods_of(system, "EveryType", "take_int", size=(100, 30)) as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "Field required", "✗ not called: see the arguments")
        await pilot.press("7", "enter")
        shown = await wait_for_text(pilot, '"7"')
        assert "not called" not in shown


async def test_what_an_exception_says_harms_nothing(system: SystemView) -> None:  # noqa: F811
    async with methods_of(system, "EveryType", "refuse", size=(100, 30)) as pilot:
        await pilot.press("enter")
        await wait_for_text(
            pilot,
            "✗ ValueError",
            "[/red] [bold]x[/] ␛[2J␇� {curly} $accent 你好",
            "Traceback (most recent call last):",
        )


async def test_an_argument_of_a_megabyte_is_counted(system: SystemView) -> None:  # noqa: F811
    async with methods_of(system, "EveryType", "measure", size=(100, 30)) as pilot:
        await paste(pilot, "é" * 500_000 + "x" * 500_000)
        await pilot.press("enter")
        await wait_for(lambda: "1000000" in screen_text(pilot.app), "the number of characters")


async def test_a_result_of_ten_megabytes_is_shown_in_part(
    system: SystemView,  # noqa: F811
) -> None:
    async with methods_of(system, "EveryType", "much", size=(100, 30)) as pilot:
        await pilot.press(*"10000000", "enter")
        shown = await wait_for_text(pilot, "✓", "y copies all")
        assert "10,040,000 characters" in shown


async def test_a_slow_call_is_given_up(system: SystemView) -> None:  # noqa: F811
    async with methods_of(system, "EveryType", "wait", size=(100, 30)) as pilot:
        await pilot.press(*"0.7", "enter")
        await wait_for_text(pilot, "calling …", "CALLING   wait")
        await pilot.press("escape")
        await wait_for_text(pilot, "given up", "It may have been carried out all the same.")
        assert form(pilot).has_focus_within
        await pilot.press("backspace", "0", "enter")
        await wait_for_text(pilot, '"done"')
