"""Pictures of logs, events, aggregates and traces, at a fixed time."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace

from textual.pilot import Pilot

from esgrpc_console.system_view import AggregateView
from esgrpc_console.system_view.parameters import JsonObject
from esgrpc_console.tui.places import (
    AggregatePlace,
    ApplicationPlace,
    Open,
    Place,
    TracePlace,
)
from tests.esgrpc_console.fake_system import NOW, FakeSystem, an_event, console_on, the_example
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.log_screens import type_text
from tests.esgrpc_console.tui.snapshots import SIZES, Compare, stop_blinking

ORDER = "7b1c4f0e-5a33-4c5e-9d21-2f5a3c0e91aa"
RESERVATION = "1f0a2b4c-9d8e-5f70-8f11-6ab4848483e9"
Steps = Callable[[Pilot[Exception]], Coroutine[object, object, None]]


def a_shop() -> FakeSystem:
    """Returns the example with an order that was reserved and paid last."""
    system = the_example()
    created: JsonObject = {
        "is_reserved": False,
        "is_paid": False,
        "reservation_id": None,
        "amount": 12.50,
    }
    reserved = created | {"is_reserved": True, "reservation_id": RESERVATION}
    states = (created, reserved, reserved | {"is_paid": True})
    system.aggregates[ORDER] = [
        AggregateView(
            "eventsourcing_grpc.example:Order",
            ORDER,
            version,
            json.dumps({"id": ORDER, "version": version, **state}),
        )
        for version, state in enumerate(states, 1)
    ]
    events: tuple[tuple[str, str, JsonObject], ...] = (
        ("Orders", "Order.Created", {"originator_topic": "eventsourcing_grpc.example:Order"}),
        ("Reservations", "Reservation.Created", {"order_id": ORDER}),
        ("Orders", "Order.Reserved", {"reservation_id": RESERVATION}),
        ("Payments", "Payment.Created", {"order_id": ORDER}),
        ("Orders", "Order.Paid", {"payment_id": None, "amount": 12.50}),
    )
    version = 0
    for n, (application, topic, attributes) in enumerate(events, 20):
        is_order = application == "Orders"
        version += is_order
        event = an_event(n, f"eventsourcing_grpc.example:{topic}")
        of = (ORDER, version) if is_order else (event.originator_id, 1)
        state = {"originator_id": of[0], "originator_version": of[1], **attributes}
        last = system.logs[application][-1].id
        event = replace(
            event,
            id=last + 1,
            originator_id=of[0],
            originator_version=of[1],
            state=json.dumps(state),
        )
        system.record(application, event)
    return system


def compare(
    snap_compare: Compare,
    size: tuple[int, int],
    system: FakeSystem,
    place: Place,
    steps: Steps,
    beside: str = "",
) -> bool:
    """Compares a place after some steps with the picture that is kept.

    :param beside: what is fetched for the row under the cursor, where there is room for it.
    """

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "Orders")
        pilot.app.screen.post_message(Open(place))
        await steps(pilot)
        if size[0] > 100:
            await wait_for_text(pilot, beside)
        stop_blinking(pilot)
        await pilot.pause()

    return snap_compare(console_on(system), terminal_size=size, run_before=run_before)


@SIZES
def test_a_log_that_is_followed(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     15", "following the newest")

    assert compare(snap_compare, size, a_shop(), ApplicationPlace("Orders"), steps, "payment_id")


@SIZES
def test_a_log_that_is_paused(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_shop()

    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     15")
        await pilot.press("up", "up")
        await wait_for_text(pilot, "▸     13", "paused")
        system.record("Orders", *(an_event(n) for n in range(16, 1_220)))
        await wait_for_text(pilot, "+1,204 new")

    assert compare(
        snap_compare, size, system, ApplicationPlace("Orders"), steps, "originator_topic"
    )


@SIZES
def test_a_log_that_was_searched_and_filtered(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     15")
        await pilot.press("a")
        await wait_for_text(pilot, "aggregate: 7b1c4f0e…91aa")
        await pilot.press("slash")
        type_text(pilot, "reservation")
        await pilot.press("enter")
        await wait_for_text(pilot, "1 found · searched 15 of 15 · done", "▸•    14")

    assert compare(
        snap_compare, size, a_shop(), ApplicationPlace("Orders"), steps, f'"{RESERVATION}"'
    )


@SIZES
def test_a_log_of_a_server_that_is_away(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = a_shop()
    log = system.logs["Orders"]
    log[-2] = replace(log[-2], state="", error="ModuleNotFoundError: No module named 'shop'")

    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     15")
        await pilot.press("up")
        await wait_for_text(
            pilot, "▸     14", *(["✗ ModuleNotFoundError"] if size[0] > 100 else [])
        )
        system.state.lose("Orders", "connection refused", since=NOW - 72)
        await wait_for_text(pilot, "1m 12s old: connection refused")

    assert compare(snap_compare, size, system, ApplicationPlace("Orders"), steps)


@SIZES
def test_topics_to_choose(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     15")
        if size[0] > 100:
            await wait_for_text(pilot, "payment_id")
        await pilot.press("T")
        await wait_for_text(pilot, "topics of Orders to show")
        await pilot.press("down", "space")
        await wait_for_text(pilot, "✓ Order.Paid")

    assert compare(snap_compare, size, a_shop(), ApplicationPlace("Orders"), steps)


@SIZES
def test_an_event(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "▸     14", "paused")
        if size[0] > 100:
            await wait_for_text(pilot, RESERVATION)
        await pilot.press("enter")
        await wait_for_text(pilot, "esc close", f'"reservation_id": "{RESERVATION}"')

    assert compare(snap_compare, size, a_shop(), ApplicationPlace("Orders", "log", 14), steps)


@SIZES
def test_an_aggregate(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "version 2 of 3", "~ is_reserved", "▸     2")

    assert compare(snap_compare, size, a_shop(), AggregatePlace("Orders", ORDER, 2), steps)


@SIZES
def test_the_aggregates_of_an_application(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "13 aggregates of all 15 events")

    assert compare(snap_compare, size, a_shop(), ApplicationPlace("Orders", "aggregates"), steps)


@SIZES
def test_the_followings_of_an_application(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "← Reservations")

    assert compare(snap_compare, size, a_shop(), ApplicationPlace("Orders", "followings"), steps)


@SIZES
def test_a_trace(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "5 events in 3 applications", "done", "order_id 7b1c")

    assert compare(snap_compare, size, a_shop(), TracePlace(ORDER), steps)
