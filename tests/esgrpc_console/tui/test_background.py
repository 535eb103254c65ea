"""Work beside the handling of keys: what goes wrong in it is told, and ends nothing else."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App
from textual.widgets import Static

from esgrpc_console.tui.background import background
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.screen_reading import wait_for_text


class Worker(Static):
    """Works, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    @background("work")
    async def work(self, what: str) -> None:
        """Waits for a moment, and does it."""
        await asyncio.sleep(0.01)
        if what == "fail":
            msg = "[/red] eggs"
            raise KeyError(msg)
        self.done.append(what)


class Workers(App[Exception]):
    """Has one."""

    def on_mount(self) -> None:
        """Shows it."""
        self.mount(Worker())


async def test_what_fails_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Workers()
    async with app.run_test(size=(100, 20), notifications=True) as pilot:
        worker = app.query_one(Worker)
        worker.work("fail")
        await wait_for_text(pilot, "the console failed at something: KeyError:", "'[/red] eggs'")
        assert "eggs" in caplog.text
        worker.work("go on")
        await wait_for(lambda: worker.done == ["go on"], "it works again")


async def test_newer_work_takes_the_place_of_older() -> None:
    app = Workers()
    async with app.run_test():
        worker = app.query_one(Worker)
        worker.work("old")
        await worker.work("new").wait()
        assert worker.done == ["new"]
