"""Tests of what is shown until a system can be watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from esgrpc_console.system_view import SystemOperations
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import the_example
from tests.esgrpc_console.screen_reading import SMALL, TINY, UNKIND, WIDE, wait_for_text


class _Opening:
    """A system that takes as long to be opened as a test wants."""

    def __init__(self) -> None:
        self.may_finish = asyncio.Event()
        self.is_cancelled = False
        self.lines: list[str] = []

    async def open(self) -> SystemOperations:
        """Opens it."""
        try:
            await self.may_finish.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return the_example()

    def progress(self) -> tuple[str, Sequence[str]]:
        """Tells what is waited for."""
        return "starting 3 servers …", self.lines

    def console(self) -> ConsoleApp:
        """Returns the console on it."""
        return ConsoleApp(SystemToShow(UNKIND, self.open, self.progress))


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_it_says_what_is_waited_for_and_what_servers_say(size: tuple[int, int]) -> None:
    opening = _Opening()
    app = opening.console()
    async with app.run_test(size=size) as pilot:
        await wait_for_text(pilot, "starting 3 servers …", "[/red]")
        opening.lines.append(f"Orders: {UNKIND}")
        await wait_for_text(pilot, "Orders: [/red]")
        opening.may_finish.set()
        await wait_for_text(pilot, "all is well")


@pytest.mark.parametrize("key", ["escape", "q", "ctrl+c", "ctrl+q"])
async def test_it_is_cancelled_with_any_key_that_people_try(key: str) -> None:
    opening = _Opening()
    app = opening.console()
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "esc cancel")
        await pilot.press(key)
        await wait_for(lambda: not app.is_running, "the console ends")
    assert app.return_value is None
    assert opening.is_cancelled


async def test_why_it_can_not_be_opened_is_what_the_console_ends_with() -> None:
    async def fail() -> SystemOperations:
        msg = "no"
        raise RuntimeError(msg)

    app = ConsoleApp(SystemToShow("shop", fail))
    async with app.run_test(size=SMALL):
        await wait_for(lambda: not app.is_running, "the console ends")
    assert isinstance(app.return_value, RuntimeError)
