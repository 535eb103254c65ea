"""Logs, aggregates and traces of servers that run in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from textual.pilot import Pilot

from esgrpc_console.system_view import SystemView
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from esgrpc_console.tui.places import AggregatePlace, ApplicationPlace, Open, Place, TracePlace
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders
from tests.esgrpc_console.conftest import QUICK, Servers, free_addresses, wait_for
from tests.esgrpc_console.screen_reading import WIDE, screen_text, wait_for_text
from tests.esgrpc_console.shop import UNKIND, Shop
from tests.esgrpc_console.tui.log_screens import cursor_line, shown_ids, type_text

LOG = ApplicationPlace("Orders")


@asynccontextmanager
async def opened(
    view: SystemView, place: Place, size: tuple[int, int] = WIDE
) -> AsyncIterator[Pilot[Exception]]:
    """Opens the console on a system, and goes to a place when it is known."""

    async def open_system() -> SystemView:
        return view

    app = ConsoleApp(SystemToShow("example", open_system))
    async with app.run_test(size=size, notifications=True) as pilot:
        await view.wait_until_heard()
        await wait_for_text(pilot, "APPLICATION")
        app.screen.post_message(Open(place))
        yield pilot


async def new_orders(server: GrpcApplicationServer, count: int) -> list[UUID]:
    """Creates orders, and lets the event loop go on meanwhile."""
    application = server.application
    assert isinstance(application, Orders)

    def create() -> list[UUID]:
        return [application.create_new_order() for _ in range(count)]

    return await asyncio.to_thread(create)


async def test_a_log_is_followed_paused_and_followed_again(
    servers: Servers, view: SystemView
) -> None:
    async with opened(view, LOG) as pilot:
        await new_orders(servers["Orders"], 1)
        await wait_for_text(pilot, "Order.Created", "Order.Reserved", "Order.Paid", "following")
        await pilot.press("k")
        await wait_for_text(pilot, "‖ paused")
        before = shown_ids(pilot.app)
        await new_orders(servers["Orders"], 20)
        await wait_for_text(pilot, "+60 new (f to follow)", "head 63")
        assert shown_ids(pilot.app) == before
        await pilot.press("f")
        await wait_for(lambda: shown_ids(pilot.app)[-1:] == [63], "the newest")


async def test_servers_choose_what_a_filter_lets_through(
    servers: Servers, view: SystemView
) -> None:
    async with opened(view, LOG) as pilot:
        first, *_ = await new_orders(servers["Orders"], 30)
        await wait_for_text(pilot, "head 90")
        await wait_for(lambda: 90 in shown_ids(pilot.app), "the newest")
        await pilot.press("i")
        type_text(pilot, str(first).upper())
        await pilot.press("enter")
        await wait_for(lambda: len(shown_ids(pilot.app)) == 3, "its three events")
        await wait_for_text(pilot, "Order.Created", "Order.Reserved", "Order.Paid")
        await pilot.press("x", "T")
        await wait_for_text(pilot, "Order.Reserved  eventsourcing_grpc.example")
        await pilot.press("down", "down", "space", "enter")
        await wait_for_text(pilot, "topics: Order.Reserved")
        await wait_for(lambda: len(shown_ids(pilot.app)) == 30, "the reservations")


async def test_a_text_is_searched_for_in_states(servers: Servers, view: SystemView) -> None:
    orders = await new_orders(servers["Orders"], 30)
    async with opened(view, ApplicationPlace("Reservations")) as pilot:
        await wait_for_text(pilot, "head 30")
        await pilot.press("slash")
        type_text(pilot, str(orders[4]))
        await pilot.press("enter")
        await wait_for_text(pilot, "1 found · searched 30 of 30 · done", f'"{orders[4]}"')
        assert "•" in cursor_line(pilot.app)


async def test_places_are_gone_to(servers: Servers, view: SystemView) -> None:
    await new_orders(servers["Orders"], 400)
    async with opened(view, LOG) as pilot:
        await wait_for_text(pilot, "head 1,200", "1,200  ")
        await pilot.press("g")
        await wait_for(lambda: shown_ids(pilot.app)[:2] == [1, 2], "the first")
        await pilot.press("colon")
        type_text(pilot, "50%")
        await pilot.press("enter")
        await wait_for(lambda: "   600  " in cursor_line(pilot.app), "the middle")
        await pilot.press("G")
        await wait_for(lambda: " 1,200  " in cursor_line(pilot.app), "the newest")


async def test_the_log_goes_on_without_a_gap_when_the_server_is_back(
    servers: Servers, view: SystemView
) -> None:
    await new_orders(servers["Orders"], 5)
    async with opened(view, LOG) as pilot:
        await wait_for(lambda: 15 in shown_ids(pilot.app), "the newest")
        server = servers["Orders"]
        await asyncio.to_thread(server.stop, wait=True)
        await wait_for_text(pilot, "old: ", "stale for", " 15  ")
        # The same application, with its log in memory: nothing is lost.
        server.start()
        await new_orders(server, 5)
        await wait_for(lambda: shown_ids(pilot.app)[-1:] == [30], "the newest")
        assert shown_ids(pilot.app) == list(range(1, 31))
        await wait_for_text(pilot, "following the newest")


async def test_an_order_is_traced_through_three_applications(
    servers: Servers, view: SystemView
) -> None:
    order_id, *_ = await new_orders(servers["Orders"], 10)
    async with opened(view, LOG) as pilot:
        await wait_for(lambda: 30 in shown_ids(pilot.app), "the newest")
        await pilot.press("g")
        await wait_for(lambda: shown_ids(pilot.app)[0] == 1, "the first")
        await pilot.press("t")
        await wait_for_text(
            pilot,
            f"everything that mentions {order_id}",
            "5 events in 3 applications",
            "searched 30 + 10 + 10   done",
            "Order.Created",
            f"order_id {order_id}",
        )
        shown = screen_text(pilot.app)
        names = ("Order.Created", "Reservation.Created", "Order.Reserved", "Payment.Created")
        places = [shown.index(name) for name in (*names, "Order.Paid")]
        assert places == sorted(places)


async def test_an_aggregate_tells_what_each_event_has_changed(
    servers: Servers, view: SystemView
) -> None:
    order_id, *_ = await new_orders(servers["Orders"], 3)
    orders = servers["Orders"].application
    assert isinstance(orders, Orders)
    # What is opened shows the events that there are then.
    await wait_for(lambda: orders.is_order_paid(order_id), "it is paid")
    async with opened(view, AggregatePlace("Orders", str(order_id), 2)) as pilot:
        await wait_for_text(
            pilot,
            f"Order {order_id}   in Orders   version 2 of 3",
            "~ is_reserved  false → true",
            "~ reservation_id  null → ",
            "state at version 2",
        )
        await pilot.press("down")
        await wait_for_text(pilot, "~ is_paid  false → true", "~ payment_id  null → ")
        await pilot.press("t")
        await wait_for_text(pilot, "5 events in 3 applications")


async def test_an_aggregate_that_is_not_there_is_told_in_words(
    servers: Servers, view: SystemView
) -> None:
    await new_orders(servers["Orders"], 1)
    async with opened(view, AggregatePlace("Orders", str(UUID(int=7)))) as pilot:
        await wait_for_text(pilot, "there are no such events", "✗ the state at its newest version")


async def test_unkind_events_are_shown_as_text() -> None:
    server = GrpcApplicationServer(Shop, free_addresses(("Shop",)))
    server.start()
    try:
        shop = server.application
        assert isinstance(shop, Shop)
        item = await asyncio.to_thread(shop.label)
        await asyncio.to_thread(shop.label, "x" * 1_000_000)
        async with (
            SystemView(server.address, env={}, options=QUICK) as view,
            opened(view, ApplicationPlace("Shop")) as pilot,
        ):
            await wait_for_text(pilot, "Item.Labelled", "1,000,000 characters")
            await pilot.press("up")
            await wait_for_text(pilot, "[/red] [bold]", "{curly} 你好")
            await pilot.press("slash")
            type_text(pilot, "{curly}")
            await pilot.press("enter")
            await wait_for_text(pilot, "1 found · searched 2 of 2")
            await pilot.press("escape", "A")
            shown = await wait_for_text(pilot, f"Item {item}", '"label": "[/red] [bold]')
            assert "\x1b" not in shown
            pilot.app.screen.post_message(Open(TracePlace(UNKIND)))
            await wait_for_text(pilot, "1 event in 1 application", "label [/red]")
    finally:
        await asyncio.to_thread(server.stop)
        server.wait_for_termination()
