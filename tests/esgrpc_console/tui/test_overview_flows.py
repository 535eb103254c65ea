"""The overview of real servers: what is said when they go away and come back, and what keys do."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from esgrpc_console.system_view import SystemView
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.esgrpc_console.conftest import QUICK, Servers, free_addresses, wait_for
from tests.esgrpc_console.screen_reading import WIDE, screen_text, wait_for_text
from tests.esgrpc_console.tui.fragile import Shop, Stock
from tests.esgrpc_console.tui.fragile import system as fragile_system
from tests.esgrpc_console.tui.overviews import press


@pytest.fixture
def fragile_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """A shop, and a stock that fails on its first item."""
    monkeypatch.setattr(Stock, "is_broken", True)
    env = free_addresses(("Shop", "Stock"))
    running = {
        cls.name: GrpcApplicationServer(cls, env, system=fragile_system) for cls in (Shop, Stock)
    }
    for server in running.values():
        server.start()
    shop = running["Shop"].application
    assert isinstance(shop, Shop)
    for label in ("tea", "milk"):
        shop.add(label)
    yield running
    for server in running.values():
        server.stop()
    for server in running.values():
        server.wait_for_termination()


@asynccontextmanager
async def a_console_on(view: SystemView) -> AsyncIterator[Pilot[Exception]]:
    """The console, with its overview shown."""

    async def open_system() -> SystemView:
        return view

    app = ConsoleApp(SystemToShow("the system", open_system))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await wait_for_text(pilot, "APPLICATION", "FOLLOWER")
        yield pilot


@asynccontextmanager
async def a_fragile_console(servers: Servers) -> AsyncIterator[Pilot[Exception]]:
    """The console on a follower that fails, with the cursor on it."""
    async with (
        SystemView(servers["Shop"].address, env={}, options=QUICK) as view,
        a_console_on(view) as pilot,
    ):
        await wait_for_text(pilot, "✗ failing", "ValueError: the shelf is full")
        await press(pilot, "tab")
        await wait_for_text(pilot, "s skip")
        yield pilot


async def answer(pilot: Pilot[Exception], question: str, reason: str) -> None:
    """Waits for a question, and says why it is to be done."""
    await wait_for_text(pilot, question)
    await press(pilot, "shift+tab", *reason, "enter", "enter")


async def test_a_server_that_is_gone_is_stale_and_is_live_again_when_it_is_back(
    servers: Servers, view: SystemView
) -> None:
    async with a_console_on(view) as pilot:
        await wait_for_text(pilot, "● all is well: 3 applications, 4 followings, all caught up")
        servers["Payments"].stop(wait=True)
        shown = await wait_for_text(
            pilot, "○ Payments has been unreachable on", "reconnecting 1", "○ unreachable"
        )
        assert "s old: " in shown
        servers["Payments"].start()
        await wait_for_text(pilot, "● all is well: 3 applications, 4 followings, all caught up")
        assert "reconnecting 0" in screen_text(pilot.app)


async def test_what_happens_is_seen_without_a_key(servers: Servers, view: SystemView) -> None:
    orders = servers["Orders"].application
    async with a_console_on(view) as pilot:
        await wait_for_text(pilot, "● all is well")
        for _ in range(5):
            orders.create_new_order()  # type: ignore[attr-defined]
        # Fifteen events of orders, and five of each of the others, in tables and drawing.
        shown = await wait_for_text(pilot, "● serving           15", "all caught up")
        assert "│       15 " in shown


async def test_a_failing_follower_is_retried(
    fragile_servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventsourcing_grpc")
    async with a_fragile_console(fragile_servers) as pilot:
        await press(pilot, "r")
        await wait_for_text(pilot, "Let Stock try Shop #1 again now?")
        monkeypatch.setattr(Stock, "is_broken", False)
        await answer(pilot, "Let Stock try Shop #1 again now?", "there is room again")
        await wait_for_text(pilot, "● all is well: 2 applications, 1 following, all caught up")
    # It may have tried by itself just before: then the server says so.
    assert "there is room again" in caplog.text


async def test_an_event_is_skipped(fragile_servers: Servers) -> None:
    async with a_fragile_console(fragile_servers) as pilot:
        await press(pilot, "s")
        await wait_for_text(pilot, "Skip Shop #1 in Stock?", "Item.Added", '"label": "tea"')
        await answer(pilot, "Skip Shop #1 in Stock?", "not ours")
        await wait_for_text(pilot, "Stock has skipped Shop #1", "failing on Shop #2")


async def test_a_follower_is_paused_and_resumed(
    fragile_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_fragile_console(fragile_servers) as pilot:
        await press(pilot, "p")
        await answer(pilot, "Pause Stock in following Shop?", "looking into it")
        await wait_for_text(pilot, "‖ paused", "Stock has paused following Shop for", "R resume")
        monkeypatch.setattr(Stock, "is_broken", False)
        await press(pilot, "R")
        await answer(pilot, "Let Stock go on following Shop?", "mended")
        await wait_for_text(pilot, "● all is well: 2 applications, 1 following, all caught up")


async def test_what_a_server_refuses_is_told(
    fragile_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_fragile_console(fragile_servers) as pilot:
        await press(pilot, "s")
        await wait_for_text(pilot, "Skip Shop #1 in Stock?")
        monkeypatch.setattr(Stock, "is_broken", False)
        following = fragile_servers["Stock"].followings[0]
        await wait_for(lambda: following.status().position == 2, "it has gone on by itself")
        await answer(pilot, "Skip Shop #1 in Stock?", "not ours")
        await wait_for_text(pilot, "skip of Shop in Stock failed:")
