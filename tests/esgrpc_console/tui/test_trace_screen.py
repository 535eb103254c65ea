"""Everything that mentions a text, in all applications, by time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from esgrpc_console.system_view import RequestFailed
from esgrpc_console.tui.places import TracePlace
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import EPOCH, FakeSystem, an_application, an_event
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.slow_system import SlowSystem
from tests.esgrpc_console.tui.log_screens import cursor_line, opened, type_text, with_events

ORDER = an_event(3).originator_id


def a_shop(system: FakeSystem) -> FakeSystem:
    """Lets a system have an order that was reserved and paid, among others."""
    with_events(system, 10)
    for name, port, head in (("Payments", 50052, 8), ("Reservations", 50053, 9)):
        system.state.put(an_application(name, port, head=head))
        kind = name.removesuffix("s")
        log = [an_event(n + 50, f"shop:{kind}.Created") for n in range(1, head + 1)]
        system.logs[name] = [replace(event, id=event.id - 50) for event in log]
    mention = json.dumps({"originator_version": 1, "order_id": ORDER})
    at = EPOCH + timedelta(milliseconds=33)
    for name, notification_id, after in (("Reservations", 9, 11), ("Payments", 8, 1_511)):
        event = system.logs[name][notification_id - 1]
        system.logs[name][notification_id - 1] = replace(
            event, state=mention, timestamp=at + timedelta(milliseconds=after)
        )
    return system


async def test_all_that_mentions_an_id_is_listed_by_time() -> None:
    async with opened(a_shop(FakeSystem()), TracePlace(ORDER), WIDE) as pilot:
        shown = await wait_for_text(
            pilot,
            f"everything that mentions {ORDER}",
            "3 events in 3 applications",
            "searched 10 + 8 + 9   done",
        )
        rows = [line for line in shown.splitlines() if " 14:0" in line[:8]]
        assert "Orders" in rows[0]
        assert "Order.Created" in rows[0]
        assert "its originator ID" in rows[0]
        assert "+11 ms" in rows[1]
        assert f"order_id {ORDER}" in rows[1]
        assert "+1.5 s" in rows[2]
        assert "Payment.Created" in rows[2]


async def test_enter_opens_the_event() -> None:
    async with opened(a_shop(FakeSystem()), TracePlace(ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        await pilot.press("down", "enter")
        await wait_for_text(pilot, "in         Reservations #9", f'"order_id": "{ORDER}"')
        await pilot.press("escape", "L")
        await wait_for_text(pilot, "▸      9  14:", "‖ paused")


async def test_an_id_in_it_is_traced_further() -> None:
    system = a_shop(FakeSystem())
    async with opened(system, TracePlace(ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        await pilot.press("down", "t")
        reservation = system.logs["Reservations"][8].originator_id
        await wait_for_text(pilot, f"everything that mentions {reservation[:12]}", "done")
        await pilot.press("escape")
        await wait_for_text(pilot, f"everything that mentions {ORDER[:12]}")


async def test_what_is_found_is_shown_as_it_comes_and_the_search_can_be_stopped() -> None:
    system = a_shop(SlowSystem(looked_at=2))
    assert isinstance(system, SlowSystem)
    async with opened(system, TracePlace(ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("r")
        await wait_for_text(pilot, "nothing found yet", "searched 0 + 0 + 0")
        for _ in range(3):
            system.may_answer.release()
        await wait_for_text(
            pilot, "searched 2 + 2 + 2 of 10 + 8 + 9", "Reservation.Created", "Payment.Created"
        )
        assert "Order.Created" not in screen_text(pilot.app)
        await pilot.press("escape")
        await wait_for_text(pilot, "searched 2 + 2 + 2   not all", "everything that mentions")
        await pilot.press("escape")
        await wait_for_text(pilot, "APPLICATION")


async def test_the_cursor_stays_on_its_event_while_older_ones_come() -> None:
    system = a_shop(SlowSystem(looked_at=2))
    assert isinstance(system, SlowSystem)
    async with opened(system, TracePlace(ORDER), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("r")
        for _ in range(3):
            system.may_answer.release()
        await wait_for_text(pilot, "Payment.Created")
        await pilot.press("down")
        assert "Payment.Created" in cursor_line(pilot.app)
        for _ in range(30):
            system.may_answer.release()
        await wait_for_text(pilot, "Order.Created", "done")
        assert "Payment.Created" in cursor_line(pilot.app)


async def test_an_application_that_cannot_be_searched_is_told() -> None:
    system = a_shop(SlowSystem())
    assert isinstance(system, SlowSystem)
    system.failure = RequestFailed("disk I/O error")
    async with opened(system, TracePlace(ORDER), WIDE) as pilot:
        await wait_for_text(pilot, "not all", "Orders was not looked through: disk I/O error")


async def test_that_nothing_mentions_it_is_told() -> None:
    async with opened(a_shop(FakeSystem()), TracePlace("nobody"), SMALL) as pilot:
        await wait_for_text(pilot, "nothing mentions it", "0 events in 0 applications", "done")


async def test_only_the_newest_are_kept_and_that_is_told() -> None:
    system = with_events(FakeSystem(), 1_500)
    async with opened(system, TracePlace("order.created"), WIDE) as pilot:
        await wait_for_text(
            pilot, "1,000 events in 1 application", "the newest 1,000 events are shown"
        )


async def test_something_else_can_be_typed() -> None:
    async with opened(a_shop(FakeSystem()), TracePlace("nobody"), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        await pilot.press("slash")
        await wait_for_text(pilot, "Trace everything that mentions")
        type_text(pilot, ORDER)
        await pilot.press("enter")
        await wait_for_text(pilot, "3 events in 3 applications")


async def test_the_command_line_that_traces_the_same_is_copied() -> None:
    async with opened(a_shop(FakeSystem()), TracePlace("a b"), SMALL) as pilot:
        await wait_for_text(pilot, "done")
        await pilot.press("S")
        assert pilot.app.clipboard == "esgrpc-console trace ADDRESS 'a b'"


async def test_unkind_mentions_do_no_harm() -> None:
    system = a_shop(FakeSystem())
    log = system.logs["Payments"]
    log[0] = replace(log[0], state=json.dumps({UNKIND: f"{UNKIND} mentions {ORDER}"}))
    log[1] = replace(log[1], state=json.dumps({"x": [ORDER, "y" * 1_000_000]}), timestamp=None)
    for size in (WIDE, SMALL, TINY):
        async with opened(system, TracePlace(ORDER), size) as pilot:
            await wait_for_text(pilot, "done")
            await wait_for(lambda: bool(cursor_line(pilot.app)), "a cursor")
            shown = screen_text(pilot.app)
            assert "\x1b" not in shown
            assert "\u202e" not in shown
    async with opened(system, TracePlace(UNKIND), SMALL) as pilot:
        assert "\x1b" not in await wait_for_text(pilot, "done")
