import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eventsourcing.utils import EnvType, get_topic

from esgrpc_console.system_view import (
    Description,
    EventView,
    LogFilter,
    LogReplaced,
    ServerUnavailable,
    SystemView,
    tail_log,
)
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.server_process import ServerProcess
from tests.esgrpc_console.conftest import QUICK, free_addresses, stop, wait_for
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event
from tests.esgrpc_console.shop import UNKIND, Item, Shop, system
from tests.esgrpc_console.slow_system import SlowSystem


class Reader:
    """Reads events, and what is said meanwhile, in a task."""

    def __init__(self, events: AsyncIterator[EventView]) -> None:
        self.ids: list[int] = []
        self.said: list[str] = []
        self.task = asyncio.create_task(self._read(events))

    async def _read(self, events: AsyncIterator[EventView]) -> None:
        async for event in events:
            self.ids.append(event.id)

    async def stop(self) -> None:
        """Ends the reading."""
        self.task.cancel()
        await asyncio.wait([self.task])


def _system(ids: range) -> SlowSystem:
    slow = SlowSystem(looked_at=10)
    slow.state.put(an_application("Orders", 50051))
    slow.record("Orders", *(an_event(n) for n in ids))
    return slow


@pytest.fixture
def env() -> EnvType:
    return free_addresses(("Shop",))


@pytest.fixture
def server(env: EnvType) -> Iterator[GrpcApplicationServer]:
    server = GrpcApplicationServer(Shop, env, system=system)
    server.start()
    yield server
    server.stop(wait=True)


@pytest.fixture
async def view(server: GrpcApplicationServer) -> AsyncIterator[SystemView]:
    async with SystemView(server.address, env={}, options=QUICK) as view:
        yield view


def _label(server: GrpcApplicationServer, count: int) -> None:
    server.application.save(*(Item(UNKIND) for _ in range(count)))


async def test_it_ends_at_the_end_of_the_log_when_not_following() -> None:
    slow = _system(range(1, 36))
    events = [event async for event in tail_log(slow, "Orders", is_following=False)]
    assert [event.id for event in events] == list(range(1, 36))
    after = [event.id async for event in tail_log(slow, "Orders", 30, is_following=False)]
    assert after == list(range(31, 36))


async def test_it_goes_on_with_what_is_recorded() -> None:
    slow = _system(range(1, 6))
    reader = Reader(tail_log(slow, "Orders", after=3))
    await wait_for(lambda: reader.ids == [4, 5], "the rest of the log is read")
    slow.record("Orders", *(an_event(n) for n in (6, 9, 50)))
    await wait_for(lambda: reader.ids == [4, 5, 6, 9, 50], "what is recorded is read")
    await reader.stop()


async def test_it_has_only_what_the_filter_wants() -> None:
    slow = _system(range(1, 6))
    paid = "shop:Order.Paid"
    reader = Reader(tail_log(slow, "Orders", filter=LogFilter(topics=(paid,))))
    slow.record("Orders", *(an_event(n, paid if n % 50 == 0 else "x:Y") for n in range(6, 151)))
    await wait_for(lambda: reader.ids == [50, 100, 150], "all that are wanted are read")
    await reader.stop()


async def test_an_idle_log_is_not_read_again_and_again() -> None:
    slow = _system(range(1, 6))
    reader = Reader(tail_log(slow, "Orders"))
    await wait_for(lambda: len(reader.ids) == 5, "the log is read")
    slow.requests.clear()
    for port in range(50):
        slow.state.put(an_application("Payments", port))
        await asyncio.sleep(0)
    assert slow.requests == []
    await reader.stop()


async def test_states_are_left_out_when_they_are_not_wanted() -> None:
    slow = _system(range(1, 3))
    tail = tail_log(slow, "Orders", is_following=False, with_state=False)
    assert {event.state async for event in tail} == {""}


async def test_no_event_is_lost_or_repeated_over_a_restart(
    view: SystemView, server: GrpcApplicationServer
) -> None:
    _label(server, 700)
    said: list[str] = []
    async with aclosing(tail_log(view, "Shop", say=said.append)) as tail:
        ids = [(await anext(tail)).id]
        await stop(server)
        reader = Reader(tail)
        await wait_for(lambda: bool(said), "it is said that the server is away")
        _label(server, 300)
        server.start()
        await wait_for(lambda: len(reader.ids) == 999, "all are read")
        await reader.stop()
    assert ids + reader.ids == list(range(1, 1001))
    assert said[0].startswith("Shop can't be reached: ")
    assert said[-1] == ""


async def test_a_tail_that_waits_goes_on_after_a_restart(
    view: SystemView, server: GrpcApplicationServer
) -> None:
    _label(server, 3)
    said: list[str] = []
    reader = Reader(tail_log(view, "Shop", say=said.append))
    await wait_for(lambda: reader.ids == [1, 2, 3], "the log is read")
    await stop(server)
    await wait_for(lambda: bool(said), "it is said that the server is away")
    server.start()
    _label(server, 2)
    await wait_for(lambda: reader.ids == [1, 2, 3, 4, 5], "what is recorded is read")
    assert said[-1] == ""
    await reader.stop()


async def test_no_event_is_lost_or_repeated_when_the_server_is_killed(tmp_path: Path) -> None:
    env = {
        **free_addresses(("Shop",)),
        "APPLICATION_TOPIC": get_topic(Shop),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "shop.db"),
    }
    process = _start(env)
    try:
        async with SystemView(process.address, env={}, options=QUICK) as view:
            reader = Reader(tail_log(view, "Shop"))
            for _ in range(3):
                await view.call_method("Shop", "label", {})
            await wait_for(lambda: reader.ids == [1, 2, 3], "what is recorded is read")
            os.kill(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.has_stopped.wait, 5)
            process = await asyncio.to_thread(_start, env)
            await view.wait_until(lambda condition: condition.is_healthy)
            for _ in range(3):
                await view.call_method("Shop", "label", {})
            await wait_for(lambda: len(reader.ids) >= 6, "it goes on")
            await reader.stop()
        assert reader.ids == [1, 2, 3, 4, 5, 6]
    finally:
        process.stop()


def _start(env: dict[str, str]) -> ServerProcess:
    process = ServerProcess("Shop", env)
    process.start()
    process.wait_until_serving()
    return process


async def test_a_log_that_is_shorter_than_before_is_an_error(
    view: SystemView, server: GrpcApplicationServer, env: EnvType
) -> None:
    _label(server, 3)
    reader = Reader(tail_log(view, "Shop"))
    await wait_for(lambda: reader.ids == [1, 2, 3], "the log is read")
    await stop(server)
    empty = GrpcApplicationServer(Shop, env, system=system)
    empty.start()
    try:
        with pytest.raises(
            LogReplaced,
            match=r"the log of Shop is shorter than #3: it ends at #0\. Its store was",
        ):
            await asyncio.wait_for(reader.task, 10)
    finally:
        await stop(empty)
    assert reader.ids == [1, 2, 3]


async def test_another_log_that_has_grown_longer_is_an_error(
    view: SystemView, server: GrpcApplicationServer, env: EnvType
) -> None:
    _label(server, 3)
    reader = Reader(tail_log(view, "Shop"))
    await wait_for(lambda: reader.ids == [1, 2, 3], "the log is read")
    await stop(server)
    another = GrpcApplicationServer(Shop, env, system=system)
    _label(another, 9)
    another.start()
    try:
        with pytest.raises(LogReplaced, match="another than before: #3 is another event"):
            await asyncio.wait_for(reader.task, 10)
    finally:
        await stop(another)
    assert reader.ids == [1, 2, 3]


async def test_another_log_that_comes_without_any_sign_of_it_is_an_error() -> None:
    slow = _system(range(1, 6))
    reader = Reader(tail_log(slow, "Orders"))
    await wait_for(lambda: len(reader.ids) == 5, "the log is read")
    slow.logs["Orders"] = [replace(an_event(n), originator_id="x") for n in range(1, 9)]
    slow.record("Orders", an_event(9))
    with pytest.raises(LogReplaced, match="another than before: #5 is another event"):
        await asyncio.wait_for(reader.task, 5)
    assert reader.ids == [1, 2, 3, 4, 5]


async def test_a_position_beyond_the_log_is_an_error() -> None:
    with pytest.raises(LogReplaced, match="it ends at #5"):
        async for _ in tail_log(_system(range(1, 6)), "Orders", after=1000):
            pass


async def test_a_server_that_stays_away_ends_a_tail_that_does_not_follow() -> None:
    slow = _system(range(1, 36))
    slow.lose_connection(100)
    said: list[str] = []
    tail = tail_log(slow, "Orders", is_following=False, patience=0.1, say=said.append)
    with pytest.raises(ServerUnavailable, match="connection refused"):
        await anext(tail)
    assert said == ["Orders can't be reached: connection refused"]


async def test_a_started_server_with_the_same_log_is_no_error() -> None:
    slow = _system(range(1, 6))
    slow.state.describe("Orders", Description(started_at=datetime(2026, 11, 23, tzinfo=UTC)))
    reader = Reader(tail_log(slow, "Orders"))
    await wait_for(lambda: len(reader.ids) == 5, "the log is read")
    slow.state.describe("Orders", Description(started_at=datetime(2026, 11, 24, tzinfo=UTC)))
    slow.record("Orders", an_event(6))
    await wait_for(lambda: reader.ids == [1, 2, 3, 4, 5, 6], "it goes on")
    slow.logs["Orders"] = [replace(event, originator_id="x") for event in slow.logs["Orders"]]
    slow.state.describe("Orders", Description(started_at=datetime(2026, 11, 25, tzinfo=UTC)))
    with pytest.raises(LogReplaced):
        await asyncio.wait_for(reader.task, 5)


async def test_an_empty_log_is_waited_on() -> None:
    fake = FakeSystem()
    fake.state.put(an_application("Orders", 50051))
    reader = Reader(tail_log(fake, "Orders"))
    await asyncio.sleep(0)
    fake.record("Orders", an_event(1))
    await wait_for(lambda: reader.ids == [1], "the first event is read")
    await reader.stop()
