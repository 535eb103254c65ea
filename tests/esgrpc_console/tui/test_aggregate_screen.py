"""One aggregate: its events, and its state at every version."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from esgrpc_console.system_view import AggregateView
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.tui.places import AggregatePlace, ApplicationPlace
from esgrpc_console.tui.version_search import find_version
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import NOW, FakeSystem, an_application, an_event
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.slow_system import SlowSystem
from tests.esgrpc_console.tui.log_screens import (
    cursor_line,
    opened,
    place_of_text,
    type_text,
    with_events,
)

ORDER = "7b1c4f0e-0000-0000-0000-0000000091aa"
STATES: tuple[dict[str, JsonValue], ...] = (
    {"is_reserved": False, "is_paid": False, "reservation_id": None},
    {"is_reserved": True, "is_paid": False, "reservation_id": "1f0a"},
    {"is_reserved": True, "is_paid": True, "reservation_id": "1f0a"},
)


def add_order(system: FakeSystem, *states: dict[str, JsonValue], every: int = 1) -> FakeSystem:
    """Records an order's events, and lets the system know its states."""
    log = system.logs.get("Orders", [])
    head = log[-1].id if log else 0
    kinds = ("Created", "Reserved", "Paid")
    for version, state in enumerate(states or STATES, 1):
        event = an_event(head + version * every)
        topic = f"eventsourcing_grpc.example:Order.{kinds[min(version, 3) - 1]}"
        system.record(
            "Orders",
            replace(event, topic=topic, originator_id=ORDER, originator_version=version),
        )
        system.aggregates.setdefault(ORDER, []).append(
            AggregateView("eventsourcing_grpc.example:Order", ORDER, version, json.dumps(state))
        )
    return system


def a_system() -> FakeSystem:
    """Returns a system with an order that is paid."""
    return add_order(with_events(FakeSystem(), 5))


async def test_the_newest_state_is_shown_with_what_has_changed() -> None:
    async with opened(a_system(), AggregatePlace("Orders", ORDER), WIDE) as pilot:
        await wait_for_text(
            pilot,
            f"Order {ORDER}   in Orders   version 3 of 3",
            "changed from version 2",
            "~ is_paid  false → true",
            "state at version 3",
            '~   "is_paid": true,',
        )
        assert "Order.Paid" in cursor_line(pilot.app)


async def test_each_version_has_its_state() -> None:
    async with opened(a_system(), AggregatePlace("Orders", ORDER), WIDE) as pilot:
        await wait_for_text(pilot, "state at version 3")
        await pilot.press("up")
        await wait_for_text(
            pilot,
            "version 2 of 3",
            "~ is_reserved  false → true",
            '~ reservation_id  null → "1f0a"',
        )
        await pilot.press("up")
        await wait_for_text(pilot, "version 1 of 3", "state at version 1")
        assert "changed from" not in screen_text(pilot.app)


async def test_a_version_can_be_opened_and_gone_to() -> None:
    async with opened(a_system(), AggregatePlace("Orders", ORDER, 1), SMALL) as pilot:
        await wait_for_text(pilot, "version 1 of 3", "state at version 1")
        await pilot.press("colon")
        await wait_for_text(pilot, "Go to a version, 1 to 3")
        type_text(pilot, "x")
        await pilot.press("enter")
        await wait_for_text(pilot, "'x' is no version: give a number like 3")
        type_text(pilot, "2")
        await pilot.press("enter")
        await wait_for_text(pilot, "version 2 of 3", "state at version 2")


async def test_what_is_recorded_meanwhile_is_shown() -> None:
    system = a_system()
    async with opened(system, AggregatePlace("Orders", ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "version 3 of 3", "state at version 3")
        event = replace(an_event(20), originator_id=ORDER, originator_version=4)
        system.aggregates[ORDER].append(AggregateView("x:Order", ORDER, 4, '{"is_sent": true}'))
        system.record("Orders", event)
        await wait_for_text(pilot, "version 4 of 4", "+ is_sent  true", "- is_paid  true")


async def test_a_state_that_cannot_be_had_says_why() -> None:
    system = a_system()
    del system.aggregates[ORDER]
    async with opened(system, AggregatePlace("Orders", ORDER, 2), SMALL) as pilot:
        await wait_for_text(
            pilot, "✗ the state at version 2 can't be shown: Orders has no aggregate", "Order.Paid"
        )


async def test_a_state_that_could_not_be_read_is_read_when_its_server_is_back() -> None:
    system = a_system()
    states = system.aggregates.pop(ORDER)
    async with opened(system, AggregatePlace("Orders", ORDER, 2), SMALL) as pilot:
        await wait_for_text(pilot, "✗ the state at version 2 can't be shown", "Order.Paid")
        application = system.state.applications["Orders"]
        system.state.lose("Orders", "connection refused", since=NOW - 1)
        await wait_for_text(pilot, "○ 1s old")
        system.aggregates[ORDER] = states
        system.state.put(application)
        await wait_for_text(pilot, "state at version 2")


async def test_an_aggregate_that_is_not_there_says_so() -> None:
    async with opened(a_system(), AggregatePlace("Orders", "nobody"), SMALL) as pilot:
        await wait_for_text(
            pilot, "there are no such events", "✗ the state at its newest version can't be shown"
        )
        await pilot.press("c")
        assert pilot.app.clipboard == "nobody"
        await pilot.press("t")
        await wait_for_text(pilot, "everything that mentions nobody")


async def test_state_and_command_line_are_copied() -> None:
    async with opened(a_system(), AggregatePlace("Orders", ORDER, 2), SMALL) as pilot:
        await wait_for_text(pilot, "state at version 2")
        await pilot.press("s")
        await wait_for_text(pilot, "copied the state at version 2")
        assert json.loads(pilot.app.clipboard) == STATES[1]
        await pilot.press("S")
        assert pilot.app.clipboard == (
            f"esgrpc-console aggregate ADDRESS Orders {ORDER} --version 2"
        )


async def test_from_an_event_its_aggregate_is_a_key_away() -> None:
    place = ApplicationPlace("Orders", "log", 7)
    async with opened(a_system(), place, SMALL) as pilot:
        await wait_for_text(pilot, "▸      7  14:")
        await pilot.press("A")
        await wait_for_text(pilot, f"Order {ORDER}", "version 2 of 3", "state at version 2")


async def test_a_server_that_is_away_is_told() -> None:
    system = a_system()
    async with opened(system, AggregatePlace("Orders", ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "state at version 3")
        system.state.lose("Orders", "connection refused", since=NOW - 12)
        await wait_for_text(pilot, "○ 12s old: connection refused", "state at version 3")


async def test_of_many_events_only_some_are_read() -> None:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    states: list[dict[str, JsonValue]] = [{"n": n} for n in range(1, 3_001)]
    add_order(system, *states, every=3)
    async with opened(system, AggregatePlace("Orders", ORDER, 700), SMALL) as pilot:
        await wait_for_text(pilot, "~ n  699 → 700", "version 700 of 3,000")
        await wait_for(lambda: cursor_line(pilot.app).startswith("▸   700 "), "the cursor there")
        await pilot.press("G")
        await wait_for_text(pilot, "~ n  2999 → 3000", "version 3,000 of 3,000")


@pytest.mark.parametrize("version", [1, 2, 57, 200, 299, 300])
@pytest.mark.parametrize("every", [1, 2, 7])
async def test_the_event_of_a_version_is_found_without_reading_all(
    version: int, every: int
) -> None:
    system = with_events(SlowSystem(), 10)
    states: list[dict[str, JsonValue]] = [{"n": n} for n in range(1, 301)]
    add_order(system, *states, every=every)
    found = await find_version(system, "Orders", ORDER, version)
    by_id = {event.id: event for event in system.logs["Orders"]}
    assert found is not None
    assert by_id[found].originator_version == version


async def test_of_an_aggregate_without_events_no_version_is_found() -> None:
    assert await find_version(a_system(), "Orders", "nobody", 1) is None


async def test_unkind_states_do_no_harm() -> None:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    big = "x" * 1_000_000
    add_order(system, {UNKIND: UNKIND}, {UNKIND: "[/red]", "\x1b": [1]}, {"big": big}, {"big": 1})
    for size in (WIDE, TINY):
        async with opened(system, AggregatePlace("Orders", ORDER), size) as pilot:
            await wait_for_text(pilot, "version 4 of 4"[: size[0] // 3])
            for _ in range(4):
                await pilot.press("up")
                await pilot.pause(0.2)
                shown = screen_text(pilot.app)
                assert "\x1b" not in shown
                assert "\u202e" not in shown


async def test_an_event_is_opened_by_a_double_click() -> None:
    async with opened(a_system(), AggregatePlace("Orders", ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "state at version 3")
        place = place_of_text(pilot.app, "Order.Reserved")
        await pilot.click(offset=place, times=2)
        await wait_for_text(pilot, "in         Orders #7")
