import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from time import monotonic

import pytest
from eventsourcing.utils import EnvType, get_topic

from esgrpc_console.system_view import (
    CallFailed,
    FollowingState,
    Health,
    LogFilter,
    RequestFailed,
    SystemUnreachable,
    SystemView,
    find_problems,
)
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.example import system as example
from eventsourcing_grpc.server_process import ServerProcess
from tests.esgrpc_console.conftest import QUICK, Servers, free_addresses, stop, wait_for
from tests.esgrpc_console.shop import UNKIND, Complaints, Shop, failing_system, system


def _is_all_well(view: SystemView) -> bool:
    applications = view.state.applications.values()
    followings = view.state.followings
    return all(application.health is Health.SERVING for application in applications) and all(
        following.state is FollowingState.LIVE and following.lag == 0 for following in followings
    )


async def test_one_address_is_enough_for_a_whole_system(view: SystemView, servers: Servers) -> None:
    await wait_for(lambda: _is_all_well(view), "all three serve, all four followings are live")
    assert list(view.state.applications) == ["Orders", "Payments", "Reservations"]
    assert len(view.state.followings) == 4
    orders = view.state.applications["Orders"]
    assert orders.address == servers["Orders"].address
    assert orders.leads == ("Payments", "Reservations")
    assert [method.name for method in orders.methods if method.is_command] == ["create_new_order"]


async def test_what_is_called_is_seen_to_travel(view: SystemView) -> None:
    await wait_for(lambda: _is_all_well(view), "all is well")
    result = await view.call_method("Orders", "create_new_order", {})
    order_id = json.loads(result.result)

    def is_paid() -> bool:
        status = view.state.applications["Orders"].status
        return status is not None and status.head == 3

    await wait_for(is_paid, "the head of Orders is 3")
    page = await view.read_events("Orders")
    assert [event.short_topic for event in page.events] == [
        "Order.Created",
        "Order.Reserved",
        "Order.Paid",
    ]
    assert {event.originator_id for event in page.events} == {order_id}
    assert page.is_end
    await wait_for(lambda: _is_all_well(view), "all have caught up")
    paid = await view.call_method("Orders", "is_order_paid", {"order_id": order_id})
    assert paid.result == "true"


async def test_events_are_read_page_by_page_in_both_directions(view: SystemView) -> None:
    for _ in range(3):
        await view.call_method("Orders", "create_new_order", {})

    def has_nine() -> bool:
        status = view.state.applications["Orders"].status
        return status is not None and status.head == 9

    await wait_for(has_nine, "nine events")
    first = await view.read_events("Orders", limit=5)
    rest = await view.read_events("Orders", start=first.read_through + 1, limit=5)
    assert [event.id for event in (*first.events, *rest.events)] == list(range(1, 10))
    assert rest.is_end
    backwards = await view.read_events("Orders", limit=2, is_backwards=True)
    assert [event.id for event in backwards.events] == [9, 8]
    assert not backwards.is_end


async def test_a_wrong_argument_is_told_by_its_name(view: SystemView) -> None:
    with pytest.raises(CallFailed) as caught:
        await view.call_method("Orders", "get_order", {"order_id": "x"})
    assert "UUID" in caught.value.violations["order_id"]


async def test_an_exception_of_the_application_is_told_with_class_and_traceback(
    view: SystemView,
) -> None:
    missing = "00000000-0000-0000-0000-000000000001"
    with pytest.raises(CallFailed) as caught:
        await view.call_method("Orders", "get_order", {"order_id": missing})
    assert caught.value.error_class == "AggregateNotFoundError"
    assert missing in caught.value.message
    assert "Traceback" in caught.value.traceback


async def test_a_method_that_is_not_exposed_cannot_be_called(view: SystemView) -> None:
    with pytest.raises(CallFailed, match="close"):
        await view.call_method("Orders", "close", {})


async def test_a_lost_server_is_stale_with_age_and_reason_and_is_found_again(
    view: SystemView, servers: Servers
) -> None:
    await wait_for(lambda: _is_all_well(view), "all is well")
    server = servers["Payments"]
    before = monotonic()
    server.stop(wait=True)
    await wait_for(
        lambda: view.state.applications["Payments"].health is Health.UNREACHABLE, "it is lost"
    )
    lost = view.state.applications["Payments"]
    assert lost.why
    assert lost.stale_since is not None
    assert before - 1 < lost.stale_since < monotonic()
    assert lost.status is not None
    stale = {(f.follower, f.leader) for f in view.state.followings if f.stale_since is not None}
    assert stale == {("Payments", "Orders")}

    def is_head_stale() -> bool:
        return any(
            (f.follower, f.leader) == ("Orders", "Payments") and f.head_stale_since is not None
            for f in view.state.followings
        )

    await wait_for(is_head_stale, "the follower of what is lost shows its head as stale")
    server.start()
    await wait_for(lambda: _is_all_well(view), "it is found again")
    assert view.state.applications["Payments"].stale_since is None


async def test_what_can_not_be_understood_is_not_shown_as_current(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        msg = "a newer protocol"
        raise ValueError(msg)

    monkeypatch.setattr("esgrpc_console.system_view.connection.status_from", fail)
    async with SystemView(servers["Orders"].address, env={}, options=QUICK) as view:
        assert await view.wait_until_heard()
        for application in view.state.applications.values():
            assert application.health is Health.UNREACHABLE
            assert (
                application.why == "what it says can't be understood: ValueError: a newer protocol"
            )


async def test_requests_after_leaving_fail_with_words(servers: Servers) -> None:
    async with SystemView(servers["Orders"].address, env={}, options=QUICK) as view:
        pass
    with pytest.raises(RequestFailed, match="the connection to the system has been closed"):
        await view.read_events("Orders")


async def test_requests_to_a_lost_server_fail_with_words(
    view: SystemView, servers: Servers
) -> None:
    servers["Orders"].stop(wait=True)
    with pytest.raises(RequestFailed):
        await view.read_events("Orders")
    with pytest.raises(CallFailed):
        await view.call_method("Orders", "create_new_order", {})


async def test_an_address_without_a_server_is_one_clear_error() -> None:
    (address,) = free_addresses(("Nobody",)).values()
    with pytest.raises(SystemUnreachable, match=f"{address}: connection refused"):
        async with SystemView(address, env={}):
            pass


async def test_an_unknown_application_is_one_clear_error(view: SystemView) -> None:
    with pytest.raises(RequestFailed, match="Nobody"):
        await view.read_events("Nobody")


async def test_leaving_ends_every_task(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    with caplog.at_level(logging.WARNING):
        async with SystemView(servers["Orders"].address, env={}, options=QUICK) as view:
            await wait_for(lambda: _is_all_well(view), "all is well")
    # What grpcio has begun for the calls that were cancelled ends by itself.
    await wait_for(lambda: asyncio.all_tasks() == before, "every task has ended")
    said = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    # grpc.aio says this, and means nothing by it, where a process has had several event loops, as
    # one that runs tests has: https://github.com/grpc/grpc/pull/36096.
    assert not [text for text in said if "PollerCompletionQueue._handle_events" not in text]


async def test_a_system_of_one_application_is_a_system() -> None:
    server = GrpcApplicationServer(Shop, free_addresses(("Shop",)), system=system)
    server.start()
    try:
        async with SystemView(server.address, env={}, options=QUICK) as view:
            result = await view.call_method("Shop", "echo", {"text": UNKIND})
            assert json.loads(result.result) == UNKIND
            long = await view.call_method("Shop", "much", {"characters": 10_000_000})
            assert len(long.result) == 10_000_002
            assert list(view.state.applications) == ["Shop"]
    finally:
        server.stop(wait=True)


async def test_a_policy_that_raises_is_told_with_its_event_and_error() -> None:
    env = free_addresses(("Shop", "Complaints"))
    servers = [GrpcApplicationServer(cls, env, system=failing_system) for cls in (Shop, Complaints)]
    for server in servers:
        server.start()
    try:
        async with SystemView(servers[0].address, env={}, options=QUICK) as view:
            await view.call_method("Shop", "label", {})
            await wait_for(
                lambda: [f.state for f in view.state.followings] == [FollowingState.FAILING],
                "the only following is failing",
            )
            (following,) = view.state.followings
            assert following.status is not None
            error = following.status.last_error
            assert error is not None
            assert (error.error_class, error.notification_id) == ("OutOfStockError", 1)
            assert error.message == UNKIND
            assert following.lag == 1
            (problem,) = find_problems(view.state, now=monotonic())
            assert problem.text.startswith("Complaints has been failing on Shop #1 for 0s: OutOfSt")
    finally:
        for server in servers:
            server.stop(wait=True)


async def test_a_frozen_server_is_stale_within_seconds() -> None:
    process = ServerProcess(
        "Shop", {**free_addresses(("Shop",)), "APPLICATION_TOPIC": get_topic(Shop)}
    )
    process.start()
    try:
        process.wait_until_serving()
        async with SystemView(process.address, env={}, options=QUICK) as view:
            await wait_for(lambda: _is_all_well(view), "it serves")
            os.kill(process.pid, signal.SIGSTOP)
            frozen_at = monotonic()
            await wait_for(
                lambda: view.state.applications["Shop"].health is Health.UNREACHABLE, "it is stale"
            )
            assert monotonic() - frozen_at < 10
            os.kill(process.pid, signal.SIGCONT)
            await wait_for(lambda: _is_all_well(view), "it serves again")
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.stop()


async def test_a_wait_ends_when_what_was_called_before_has_been_followed(
    view: SystemView,
) -> None:
    for _ in range(5):
        await view.call_method("Orders", "create_new_order", {})
        condition = await view.wait_until(lambda condition: condition.is_caught_up, timeout=15)
        assert condition.is_healthy
        pages = [await view.read_events(name) for name in ("Orders", "Payments", "Reservations")]
        orders, payments, reservations = (page.head for page in pages)
        assert orders == 3 * payments == 3 * reservations
    assert orders == 15


async def test_a_wait_that_takes_too_long_says_what_is_wrong(
    view: SystemView, servers: Servers
) -> None:
    await wait_for(lambda: _is_all_well(view), "all is well")
    await stop(servers["Payments"])
    with pytest.raises(TimeoutError, match=r"as it is wanted after 0\.5 s: Payments has been unre"):
        await view.wait_until(lambda condition: condition.is_caught_up, timeout=0.5)


async def test_a_wait_goes_on_when_what_was_lost_comes_back(
    view: SystemView, servers: Servers
) -> None:
    await stop(servers["Payments"])
    await view.call_method("Orders", "create_new_order", {})
    waiting = asyncio.create_task(view.wait_until(lambda c: c.is_caught_up, timeout=30))
    await wait_for(
        lambda: view.state.applications["Payments"].health is Health.UNREACHABLE, "it is lost"
    )
    assert not waiting.done()
    servers["Payments"].start()
    assert (await waiting).is_healthy
    assert (await view.read_events("Payments")).head == 1


async def test_a_wait_for_what_never_comes_tells_that_nothing_is_wrong(view: SystemView) -> None:
    await wait_for(lambda: _is_all_well(view), "all is well")
    with pytest.raises(TimeoutError, match="nothing is wrong with it"):
        await view.wait_until(lambda _: False, timeout=0.2)


async def test_a_wait_may_be_for_one_follower_and_for_one_look(
    view: SystemView, servers: Servers
) -> None:
    await stop(servers["Payments"])
    await wait_for(
        lambda: view.state.applications["Payments"].health is Health.UNREACHABLE, "it is lost"
    )
    condition = await view.wait_until(lambda c: c.is_caught_up, 0, follower="Reservations")
    assert condition == await view.wait_until(lambda c: c.is_healthy, 0, follower="Reservations")
    with pytest.raises(TimeoutError, match="after 0 s: Payments has been unreachable"):
        await view.wait_until(lambda c: c.is_healthy, 0)
    with pytest.raises(RequestFailed, match="there is no application 'Nobody' in this system"):
        await view.wait_until(lambda c: c.is_healthy, follower="Nobody")


async def test_a_follower_of_a_log_that_was_replaced_is_not_caught_up(
    view: SystemView, servers: Servers, example_env: EnvType
) -> None:
    await view.call_method("Orders", "create_new_order", {})
    await view.wait_until(lambda condition: condition.is_caught_up)
    await view.pause_following("Payments", "Orders", "a test")
    await stop(servers["Orders"])
    servers["Orders"] = GrpcApplicationServer(Orders, example_env, system=example)
    servers["Orders"].start()
    await view.wait_until(lambda condition: condition.is_healthy, follower="Payments")
    with pytest.raises(TimeoutError, match="the log of Orders could not be read, or is shorter"):
        await view.wait_until(lambda condition: condition.is_caught_up, 1, follower="Payments")


async def test_everything_is_heard_soon_after_connecting(servers: Servers) -> None:
    async with SystemView(servers["Orders"].address, env={}) as view:
        assert await view.wait_until_heard()
        assert {a.health for a in view.state.applications.values()} == {Health.SERVING}
        assert all(following.status for following in view.state.followings)


async def test_what_cannot_be_reached_is_not_waited_for(servers: Servers) -> None:
    await stop(servers["Payments"])
    async with SystemView(servers["Orders"].address, env={}) as view:
        assert await view.wait_until_heard()
        assert view.state.applications["Payments"].health is Health.UNREACHABLE


async def test_scripts_trace_search_and_tail(view: SystemView) -> None:
    order_id = json.loads((await view.call_method("Orders", "create_new_order", {})).result)
    await view.wait_until(lambda condition: condition.is_caught_up)
    trace = await view.trace(order_id)
    assert [traced.application for traced in trace.events] == [
        "Orders",
        "Reservations",
        "Orders",
        "Payments",
        "Orders",
    ]
    found = [event.id async for event in view.search("Orders", LogFilter(text="Paid"))]
    assert found == [3]
    tail = [event.id async for event in view.tail("Orders", after=1, is_following=False)]
    assert tail == [2, 3]


def test_importing_it_is_quick_and_needs_no_terminal() -> None:
    program = (
        "import sys, esgrpc_console.system_view; "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('textual', 'rich', 'click', 'pydantic', 'platformdirs')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
