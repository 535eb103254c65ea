from dataclasses import replace
from datetime import UTC, datetime

import pytest

from esgrpc_console.system_view import Description, EventCache, RequestFailed
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event

BYTES = 10_000
OLD, NEW = "x" * BYTES, "y" * BYTES


@pytest.fixture
def system() -> FakeSystem:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    system.record("Orders", *(replace(an_event(n), state=OLD) for n in range(1, 10)))
    return system


def _change(system: FakeSystem) -> None:
    """Changes every event, so that it is seen which ones are read again."""
    system.logs["Orders"] = [replace(event, state=NEW) for event in system.logs["Orders"]]


async def test_an_event_is_read_once(system: FakeSystem) -> None:
    cache = EventCache(system)
    assert (await cache.get("Orders", 5)).state == OLD
    _change(system)
    assert (await cache.get("Orders", 5)).state == OLD
    assert (await cache.get("Orders", 6)).state == NEW


async def test_those_that_were_not_wanted_for_longest_make_room(system: FakeSystem) -> None:
    cache = EventCache(system, max_bytes=2 * BYTES + 1000)
    for wanted in (1, 2, 1, 3):
        await cache.get("Orders", wanted)
    _change(system)
    states = [(await cache.get("Orders", wanted)).state for wanted in (3, 1, 2)]
    assert states == [OLD, OLD, NEW]


async def test_an_event_that_there_is_no_room_for_is_had_all_the_same(system: FakeSystem) -> None:
    cache = EventCache(system, max_bytes=BYTES // 2)
    assert (await cache.get("Orders", 5)).state == OLD
    _change(system)
    assert (await cache.get("Orders", 5)).state == NEW


@pytest.mark.parametrize("missing", [0, 10, 10**30])
async def test_an_event_that_does_not_exist_is_an_error(system: FakeSystem, missing: int) -> None:
    with pytest.raises(RequestFailed, match=f"Orders has no event #{missing:,}"):
        await EventCache(system).get("Orders", missing)


async def test_events_are_read_again_from_a_server_that_was_started_again(
    system: FakeSystem,
) -> None:
    cache = EventCache(system)
    await cache.get("Orders", 5)
    _change(system)
    system.state.describe("Orders", Description(started_at=datetime(2026, 11, 23, tzinfo=UTC)))
    assert (await cache.get("Orders", 5)).state == NEW
