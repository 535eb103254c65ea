import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from esgrpc_console.system_view import (
    Description,
    End,
    LogFilter,
    LogWindow,
    RequestFailed,
    SystemView,
)
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event
from tests.esgrpc_console.slow_system import SlowSystem


def _log_with_few_paid(system: FakeSystem, length: int = 1000, every: int = 250) -> LogWindow:
    system.state.put(an_application("Orders", 50051))
    topics = ("shop:Order.Created", "shop:Order.Paid")
    system.record("Orders", *(an_event(n, topics[n % every == 0]) for n in range(1, length + 1)))
    return LogWindow(system, "Orders", filter=LogFilter(topics=("shop:Order.Paid",)))


def _window(ids: range | list[int], max_events: int = 400) -> tuple[FakeSystem, LogWindow]:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    if ids:
        system.record("Orders", *(an_event(n) for n in ids))
    return system, LogWindow(system, "Orders", max_events=max_events)


def _ids(window: LogWindow) -> list[int]:
    return [event.id for event in window.events]


async def test_an_empty_log_is_an_empty_window() -> None:
    _, window = _window([])
    await window.jump(End.LAST)
    assert _ids(window) == []
    assert window.is_at_first
    assert await window.read_older() == 0
    assert await window.read_newer() == 0


async def test_it_opens_at_the_end_and_reads_back_to_the_first() -> None:
    _, window = _window(range(1, 451), max_events=600)
    await window.jump(End.LAST)
    assert _ids(window) == list(range(251, 451))
    assert await window.read_older() == 200
    assert await window.read_older() == 50
    assert _ids(window) == list(range(1, 451))
    assert await window.read_older() == 0


async def test_it_never_holds_more_than_its_size() -> None:
    _, window = _window(range(1, 2001))
    await window.jump(End.LAST)
    for _ in range(9):
        await window.read_older()
        assert len(window.events) <= 400
    assert _ids(window) == list(range(1, 401))
    assert window.newer == 1600
    await window.read_newer()
    assert _ids(window) == list(range(201, 601))


async def test_it_catches_up_with_what_is_recorded() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    system.record("Orders", an_event(4), an_event(5))
    window.hear_head(5)
    assert await window.catch_up() == 2
    assert _ids(window) == [1, 2, 3, 4, 5]
    assert await window.catch_up() == 0


async def test_it_jumps_when_it_has_fallen_far_behind() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    system.record("Orders", *(an_event(n) for n in range(4, 3001)))
    window.hear_head(3000)
    await window.catch_up()
    assert _ids(window) == list(range(2801, 3001))


async def test_gaps_in_the_ids_are_normal() -> None:
    system, window = _window([3, 7, 20])
    await window.jump(End.LAST)
    assert _ids(window) == [3, 7, 20]
    system.record("Orders", an_event(31))
    window.hear_head(31)
    await window.catch_up()
    assert _ids(window) == [3, 7, 20, 31]
    assert window.is_at_first


async def test_it_starts_anew_when_the_log_is_another() -> None:
    system, window = _window(range(1, 10))
    await window.jump(End.LAST)
    system.logs["Orders"] = [an_event(1)]
    window.hear_head(1)
    await window.catch_up()
    assert _ids(window) == [1]


async def test_the_first_events_are_a_jump_away() -> None:
    _, window = _window(range(1, 1001))
    await window.jump(End.LAST)
    await window.jump(End.FIRST)
    assert _ids(window)[0] == 1
    assert window.is_at_first
    assert window.newer == 800


@pytest.mark.parametrize("wanted", [1, 500, 777, 1000])
async def test_an_id_is_in_the_middle_of_the_window(wanted: int) -> None:
    _, window = _window(range(1, 1001))
    assert await window.go_to(wanted) == wanted
    first, last = max(1, wanted - 100), min(1000, wanted + 99)
    assert _ids(window) == list(range(first, last + 1))
    assert window.newer == 1000 - last
    assert window.is_at_first is (first == 1)


@pytest.mark.parametrize(("wanted", "found"), [(1, 3), (8, 20), (20, 20), (21, 31), (32, 31)])
async def test_an_id_that_does_not_exist_is_gone_to_all_the_same(wanted: int, found: int) -> None:
    _, window = _window([3, 7, 20, 31])
    assert await window.go_to(wanted) == found
    assert _ids(window) == [3, 7, 20, 31]


@pytest.mark.parametrize("wanted", [-1, 0, 10**30])
async def test_an_id_that_no_log_has_is_no_error(wanted: int) -> None:
    system, window = _window([3, 7])
    assert await window.go_to(wanted) in {3, 7}
    system.record("Orders", an_event(8))
    window.hear_head(8)
    assert await window.catch_up() == 1
    assert _ids(window) == [3, 7, 8]


async def test_going_to_an_id_of_an_empty_log_finds_nothing() -> None:
    _, window = _window([])
    assert await window.go_to(5) == 0
    assert _ids(window) == []


async def test_going_to_an_id_takes_two_requests_at_the_same_time() -> None:
    system = SlowSystem(looked_at=500)
    _log_with_few_paid(system)
    window = LogWindow(system, "Orders")
    system.may_answer = asyncio.Semaphore(0)
    going = asyncio.create_task(window.go_to(500))
    await wait_for(lambda: len(system.requests) == 2, "both are asked for")
    system.may_answer.release()
    system.may_answer.release()
    assert await going == 500
    assert len(system.requests) == 2


async def test_a_filter_is_looked_for_through_the_whole_log() -> None:
    window = _log_with_few_paid(SlowSystem())
    await window.jump(End.LAST)
    assert _ids(window) == [250, 500, 750, 1000]
    assert window.is_at_first
    await window.jump(End.FIRST)
    assert _ids(window) == [250, 500, 750, 1000]
    assert window.newer == 0
    assert await window.go_to(500) == 500
    assert _ids(window) == [250, 500, 750, 1000]


async def test_a_long_read_tells_how_far_it_is_and_keeps_what_it_had_when_cancelled() -> None:
    system = SlowSystem()
    window = _log_with_few_paid(system)
    system.may_answer = asyncio.Semaphore(4)
    reading = asyncio.create_task(window.jump(End.LAST))
    await wait_for(lambda: window.looked_through == 601, "four pages are there")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert window.looked_through is None
    assert _ids(window) == [750, 1000]
    assert not window.is_at_first
    system.may_answer = asyncio.Semaphore(1_000)
    await window.read_older()
    assert _ids(window) == [250, 500, 750, 1000]


async def test_a_window_with_a_filter_catches_up_from_where_it_was() -> None:
    system = SlowSystem()
    window = _log_with_few_paid(system)
    await window.jump(End.LAST)
    system.requests.clear()
    system.record("Orders", *(an_event(n) for n in range(1001, 1500)))
    window.hear_head(1499)
    assert await window.catch_up() == 0
    assert [start for start, _ in system.requests] == [1001, 1101, 1201, 1301, 1401]
    assert window.newer == 0


async def test_an_older_head_is_old_news_while_the_log_is_the_same() -> None:
    _, window = _window(range(1, 11))
    await window.jump(End.LAST)
    window.hear_head(8)
    assert _ids(window) == list(range(1, 11))
    await window.catch_up()
    assert _ids(window) == list(range(1, 11))
    assert window.replacements == 0


async def test_a_replaced_log_that_has_grown_longer_is_not_taken_for_the_old_one() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    started_at = datetime(2026, 11, 23, tzinfo=UTC)
    system.state.describe("Orders", Description(started_at=started_at))
    window.hear_head(3)
    await window.catch_up()
    assert window.replacements == 0
    system.state.describe("Orders", Description(started_at=started_at.replace(day=24)))
    system.logs["Orders"] = [replace(an_event(n), originator_id="other") for n in range(1, 9)]
    window.hear_head(8)
    await window.catch_up()
    assert [event.originator_id for event in window.events] == ["other"] * 8
    assert window.replacements == 1


async def test_a_window_that_has_read_of_two_logs_is_begun_anew() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    # The other log is read before its server has told that it was started again.
    system.logs["Orders"] = [replace(an_event(n), originator_id="other") for n in range(1, 9)]
    window.hear_head(8)
    await window.catch_up()
    assert len({event.originator_id for event in window.events}) > 1
    system.state.describe("Orders", Description(started_at=datetime(2026, 11, 24, tzinfo=UTC)))
    await window.catch_up()
    assert [event.originator_id for event in window.events] == ["other"] * 8


async def test_a_window_stays_where_it_is_when_the_log_cannot_be_read() -> None:
    system = SlowSystem()
    _log_with_few_paid(system)
    window = LogWindow(system, "Orders")
    await window.go_to(500)
    before = _ids(window)
    system.failure = RequestFailed("disk I/O error")
    for read in (window.jump(End.LAST), window.go_to(3), window.read_older(), window.catch_up()):
        with pytest.raises(RequestFailed):
            await read
    assert _ids(window) == before
    assert window.looked_through is None


async def test_a_window_on_a_server_has_no_states(view: SystemView) -> None:
    for _ in range(3):
        await view.call_method("Orders", "create_new_order", {})
    window = LogWindow(view, "Orders")

    def has_nine() -> bool:
        status = view.state.applications["Orders"].status
        return status is not None and status.head == 9

    await wait_for(has_nine, "nine events")
    assert await window.go_to(5) == 5
    assert _ids(window) == list(range(1, 10))
    assert {event.state for event in window.events} == {""}
    (order_id,) = {event.originator_id for event in window.events if event.id == 5}
    of_order = LogWindow(view, "Orders", filter=LogFilter(originator_id=order_id))
    await of_order.jump(End.FIRST)
    assert {event.originator_id for event in of_order.events} == {order_id}
    assert len(of_order.events) == 3
    paid = LogWindow(view, "Orders", filter=LogFilter(text="order.PAID"))
    await paid.jump(End.LAST)
    assert {event.short_topic for event in paid.events} == {"Order.Paid"}
