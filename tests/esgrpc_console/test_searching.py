import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from esgrpc_console.system_view import (
    LogFilter,
    LogReplaced,
    LogSearch,
    OptionError,
    RequestFailed,
    SearchProgress,
    SystemView,
    Trace,
    words,
)
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Reservation, system
from tests.esgrpc_console.conftest import QUICK, Servers, free_addresses, stop, wait_for
from tests.esgrpc_console.fake_system import EPOCH, FakeSystem, an_application, an_event
from tests.esgrpc_console.shop import UNKIND, Shop
from tests.esgrpc_console.shop import system as shop
from tests.esgrpc_console.slow_system import SlowSystem

PAID = LogFilter(topics=("shop:Order.Paid",))


def _log(system: FakeSystem, length: int = 1000, every: int = 250) -> None:
    topics = ("shop:Order.Created", "shop:Order.Paid")
    system.state.put(an_application("Orders", 50051))
    system.record("Orders", *(an_event(n, topics[n % every == 0]) for n in range(1, length + 1)))


async def _ids(search: LogSearch) -> list[int]:
    return [event.id async for event in search]


async def _create_orders(view: SystemView, count: int) -> list[str]:
    ids = [
        json.loads((await view.call_method("Orders", "create_new_order", {})).result)
        for _ in range(count)
    ]

    def are_paid() -> bool:
        status = view.state.applications["Orders"].status
        return status is not None and status.head == 3 * count

    await wait_for(are_paid, "all orders are paid")
    return ids


async def test_the_newest_is_found_first() -> None:
    system = SlowSystem()
    _log(system)
    assert await _ids(LogSearch(system, "Orders", PAID)) == [1000, 750, 500, 250]
    assert await _ids(LogSearch(system, "Orders", PAID, start=600)) == [500, 250]


async def test_the_oldest_is_found_first_when_that_is_wanted() -> None:
    system = SlowSystem()
    _log(system)
    search = LogSearch(system, "Orders", PAID, is_backwards=False)
    assert await _ids(search) == [250, 500, 750, 1000]
    later = LogSearch(system, "Orders", PAID, is_backwards=False, start=251)
    assert await _ids(later) == [500, 750, 1000]
    assert later.progress == SearchProgress(750, 750, is_done=True)


async def test_a_search_tells_how_far_it_is() -> None:
    system = SlowSystem()
    _log(system)
    search = LogSearch(system, "Orders", PAID)
    assert search.progress == SearchProgress(0, 0, is_done=False)
    told = [search.progress async for _ in search]
    assert told == [SearchProgress(looked_at, 1000, False) for looked_at in (100, 300, 600, 800)]
    assert search.progress == SearchProgress(1000, 1000, is_done=True)


async def test_a_search_of_an_empty_log_is_done_at_once() -> None:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    search = LogSearch(system, "Orders", PAID)
    assert await _ids(search) == []
    assert search.progress.is_done


async def test_closing_a_search_ends_what_is_being_read() -> None:
    system = SlowSystem()
    _log(system)
    system.may_answer = asyncio.Semaphore(0)
    search = LogSearch(system, "Orders", PAID)
    searching = asyncio.create_task(_ids(search))
    await wait_for(lambda: system.requests != [], "it has asked")
    await search.aclose()
    assert await asyncio.wait_for(searching, 1) == []
    assert await _ids(search) == []


async def test_cancelling_whoever_searches_ends_the_search() -> None:
    system = SlowSystem()
    _log(system)
    system.may_answer = asyncio.Semaphore(0)
    searching = asyncio.create_task(_ids(LogSearch(system, "Orders", PAID)))
    await wait_for(lambda: system.requests != [], "it has asked")
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching


async def test_a_log_that_cannot_be_read_ends_the_search() -> None:
    system = SlowSystem()
    _log(system)
    system.failure = RequestFailed("disk I/O error")
    with pytest.raises(RequestFailed, match="disk I/O error"):
        await _ids(LogSearch(system, "Orders", PAID))


async def test_a_server_that_stays_away_is_given_up_when_patience_ends(
    view: SystemView, servers: Servers
) -> None:
    await stop(servers["Orders"])
    with pytest.raises(RequestFailed):
        await _ids(LogSearch(view, "Orders", PAID, patience=0.0))


async def test_a_search_goes_on_where_it_was_when_the_server_comes_back(
    view: SystemView, servers: Servers
) -> None:
    servers["Reservations"].application.save(*(Reservation(uuid4()) for _ in range(250)))
    search = LogSearch(view, "Reservations", LogFilter(text="reservation"))
    async with aclosing(search):
        found = [(await anext(search)).id]
        await stop(servers["Reservations"])
        rest = asyncio.create_task(_ids(search))
        await wait_for(lambda: search.note != "", "it is said that it waits")
        assert not rest.done()
        servers["Reservations"].start()
        found.extend(await rest)
    assert found == list(range(250, 0, -1))


async def test_a_search_waits_for_a_server_that_is_away_and_says_so(
    view: SystemView, servers: Servers
) -> None:
    await _create_orders(view, 2)
    await stop(servers["Orders"])
    search = LogSearch(view, "Orders", LogFilter(text="order"))
    searching = asyncio.create_task(_ids(search))
    await wait_for(lambda: search.note.startswith("Orders can't be reached: "), "it is said")
    servers["Orders"].start()
    assert await searching == [6, 5, 4, 3, 2, 1]
    assert search.note == ""


async def test_a_search_does_not_go_on_in_another_log() -> None:
    slow = SlowSystem()
    _log(slow)
    search = LogSearch(slow, "Orders", PAID)
    assert (await anext(search)).id == 1000
    slow.lose_connection()
    slow.logs["Orders"] = [replace(event, originator_id="x") for event in slow.logs["Orders"]]
    with pytest.raises(LogReplaced, match="the log of Orders is another"):
        await _ids(search)


async def test_everything_that_mentions_an_order_is_traced_through_all_applications(
    view: SystemView,
) -> None:
    order_id, *_ = await _create_orders(view, 3)
    trace = Trace(view, order_id.replace("-", "").upper())
    await trace.run()
    found = [(traced.application, traced.event.short_topic) for traced in trace.events]
    assert found == [
        ("Orders", "Order.Created"),
        ("Reservations", "Reservation.Created"),
        ("Orders", "Order.Reserved"),
        ("Payments", "Payment.Created"),
        ("Orders", "Order.Paid"),
    ]
    mentions = {traced.application: traced.mention for traced in trace.events}
    assert mentions == {
        "Orders": "",
        "Reservations": f"order_id {order_id}",
        "Payments": f"order_id {order_id}",
    }
    assert {traced.event.state for traced in trace.events} == {""}
    assert trace.notes == []
    assert {name: (p.looked_at, p.of, p.is_done) for name, p in trace.progress.items()} == {
        "Orders": (9, 9, True),
        "Payments": (3, 3, True),
        "Reservations": (3, 3, True),
    }


async def test_an_application_that_is_away_is_told_and_does_not_end_a_trace(
    view: SystemView, servers: Servers
) -> None:
    (order_id,) = await _create_orders(view, 1)
    await stop(servers["Payments"])
    trace = Trace(view, order_id, patience=0.0)
    await trace.run()
    assert {traced.application for traced in trace.events} == {"Orders", "Reservations"}
    (note,) = trace.notes
    assert note.startswith("Payments was not looked through: ")


def _two_logs(length: int) -> FakeSystem:
    system = FakeSystem()
    for port, name in enumerate(("Orders", "Payments")):
        system.state.put(an_application(name, port))
        times = (EPOCH + timedelta(seconds=2 * n + port) for n in range(1, length + 1))
        system.record(
            name, *(replace(an_event(n), timestamp=time) for n, time in enumerate(times, 1))
        )
    return system


async def test_the_newest_are_kept_and_it_is_said_that_there_are_more() -> None:
    trace = Trace(_two_logs(100), "order", max_events=5)
    await trace.run()
    assert [(traced.application, traced.event.id) for traced in trace.events] == [
        ("Payments", 98),
        ("Orders", 99),
        ("Payments", 99),
        ("Orders", 100),
        ("Payments", 100),
    ]
    assert trace.notes == ["the newest 5 events are shown"]
    assert all(progress.is_done for progress in trace.progress.values())


async def test_events_without_a_time_are_beside_their_neighbours() -> None:
    system = _two_logs(3)
    system.logs["Orders"] = [
        replace(event, timestamp=None) if event.id != 2 else event
        for event in system.logs["Orders"]
    ]
    trace = Trace(system, "order")
    await trace.run()
    assert [(traced.application, traced.event.id) for traced in trace.events] == [
        ("Payments", 1),
        ("Orders", 1),
        ("Orders", 2),
        ("Orders", 3),
        ("Payments", 2),
        ("Payments", 3),
    ]


async def test_there_must_be_something_to_look_for() -> None:
    with pytest.raises(OptionError, match="nothing to look for"):
        Trace(FakeSystem(), " ")


async def test_what_is_found_stays_when_a_trace_is_cancelled() -> None:
    system = SlowSystem()
    _log(system)
    system.may_answer = asyncio.Semaphore(2)
    trace = Trace(system, "paid")
    running = asyncio.create_task(trace.run())
    await wait_for(lambda: len(system.requests) == 3, "it has asked three times")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [traced.event.id for traced in trace.events] == [1000]


async def test_a_trace_of_a_lost_store_finds_what_is_there_now(
    view: SystemView, servers: Servers
) -> None:
    (order_id,) = await _create_orders(view, 1)
    address = servers["Orders"].address
    await stop(servers["Orders"])
    env = {
        f"{name.upper()}_GRPC_SERVER_ADDRESS": server.address for name, server in servers.items()
    }
    another = GrpcApplicationServer(Orders, env, system=system)
    assert another.address == address
    another.start()
    try:
        trace = Trace(view, order_id)
        await trace.run()
        assert "Orders" not in {traced.application for traced in trace.events}
    finally:
        await stop(another)


@pytest.fixture
async def shop_view() -> AsyncIterator[SystemView]:
    server = GrpcApplicationServer(Shop, free_addresses(("Shop",)), system=shop)
    server.start()
    async with SystemView(server.address, env={}, options=QUICK) as view:
        yield view
    await stop(server)


async def test_unkind_content_is_found_and_told_as_it_is(shop_view: SystemView) -> None:
    await shop_view.call_method("Shop", "label", {})
    trace = await shop_view.trace("{CURLY}")
    (traced,) = trace.events
    assert traced.mention == f"label {UNKIND}"
    assert words.line(traced.mention).isprintable()


async def test_a_state_of_a_megabyte_is_searched_and_not_kept(shop_view: SystemView) -> None:
    await shop_view.call_method("Shop", "label", {"label": "x" * 1_000_000 + "needle"})
    await shop_view.call_method("Shop", "label", {"label": "x" * 1_000_000})
    trace = await shop_view.trace("Needle")
    assert [(traced.event.id, traced.event.state) for traced in trace.events] == [(1, "")]
