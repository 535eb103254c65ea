"""Screens are left as quickly as they are opened: nothing that they have begun may mind."""

from __future__ import annotations

import asyncio

import pytest

from esgrpc_console.tui.places import (
    AggregatePlace,
    ApplicationPlace,
    FollowingPlace,
    Open,
    OutputPlace,
    Place,
    TracePlace,
)
from tests.esgrpc_console.fake_servers import FakeServers, some_output
from tests.esgrpc_console.fake_system import console_on
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.followings import a_failing_following, a_system_with

PLACES: list[Place] = [
    ApplicationPlace("Orders", "log"),
    ApplicationPlace("Orders", "methods"),
    ApplicationPlace("Orders", "followings"),
    ApplicationPlace("Orders", "aggregates"),
    FollowingPlace("Payments", "Orders"),
    AggregatePlace("Orders", "00000000-0000-0001-0001-000100010001"),
    TracePlace("00000000-0000-0001-0001-000100010001"),
    OutputPlace("Payments"),
]


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda place: getattr(place, "tab", type(place).__name__)
)
async def test_a_place_may_be_left_before_it_is_shown(place: Place) -> None:
    system = a_system_with(a_failing_following())
    servers = FakeServers(system)
    some_output(servers.output)
    app = console_on(system, servers=servers)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_text(pilot, "FOLLOWER")
        # At once, and in the midst of being laid out.
        for delay in (0.0, 0.001, 0.01, 0.03, 0.06):
            for _ in range(2):
                app.screen.post_message(Open(place))
                await asyncio.sleep(delay)
                app.action_overview()
                await asyncio.sleep(0)
        await pilot.pause()
        app.action_overview()
        await wait_for_text(pilot, "FOLLOWER")
        assert app.is_running
