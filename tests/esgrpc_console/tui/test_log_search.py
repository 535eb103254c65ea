"""Searching a log for a text."""

from __future__ import annotations

from dataclasses import replace

from esgrpc_console.system_view import RequestFailed
from esgrpc_console.tui.places import ApplicationPlace
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import FakeSystem
from tests.esgrpc_console.screen_reading import SMALL, UNKIND, WIDE, screen_text, wait_for_text
from tests.esgrpc_console.slow_system import SlowSystem
from tests.esgrpc_console.tui.log_screens import (
    cursor_line,
    opened,
    shown_ids,
    type_text,
    with_events,
)

LOG = ApplicationPlace("Orders")


def with_notes(system: FakeSystem, *ids: int) -> FakeSystem:
    """Lets some events have a note in their state."""
    log = system.logs["Orders"]
    for notification_id in ids:
        log[notification_id - 1] = replace(
            log[notification_id - 1], state='{"note": "for Ada Lovelace"}'
        )
    return system


async def test_the_whole_log_is_searched_and_hits_are_gone_to() -> None:
    system = with_notes(with_events(FakeSystem(), 3_000), 5, 700, 2_950)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "3,000  14:")
        await pilot.press("slash")
        await wait_for_text(pilot, "Search the whole log")
        type_text(pilot, "ada love")
        await pilot.press("enter")
        await wait_for_text(pilot, "/ada love   3 found · searched 3,000 of 3,000 · done")
        await wait_for(lambda: "• 2,950" in cursor_line(pilot.app), "the newest hit")
        await pilot.press("n")
        await wait_for(lambda: "•   700" in cursor_line(pilot.app), "the one before")
        await pilot.press("n")
        await wait_for(lambda: "•     5" in cursor_line(pilot.app), "the oldest")
        await pilot.press("n")
        await pilot.press("N", "N")
        await wait_for(lambda: "• 2,950" in cursor_line(pilot.app), "the newest again")


async def test_what_was_found_is_marked_in_the_event() -> None:
    system = with_notes(with_events(FakeSystem(), 30), 29)
    async with opened(system, LOG, WIDE) as pilot:
        await wait_for_text(pilot, " 30  14:")
        await pilot.press("slash")
        type_text(pilot, "lovelace")
        await pilot.press("enter")
        shown = await wait_for_text(pilot, "Lovelace", "1 found")
        y = next(n for n, line in enumerate(shown.splitlines()) if "Lovelace" in line)
        x = shown.splitlines()[y].index("Lovelace")
        assert pilot.app.screen.get_style_at(x, y).reverse
        assert not pilot.app.screen.get_style_at(x - 2, y).reverse


async def test_a_search_tells_how_far_it_is_and_can_be_stopped_and_forgotten() -> None:
    system = with_events(SlowSystem(), 1_000)
    with_notes(system, 950, 10)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "1,000  14:")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("slash")
        type_text(pilot, "lovelace")
        await pilot.press("enter")
        await wait_for_text(pilot, "searching …")
        for _ in range(3):
            system.may_answer.release()
        await wait_for_text(pilot, "1 found · searched 300 of 1,000", "esc stop")
        await pilot.press("escape")
        await wait_for_text(pilot, "1 found · searched 300 of 1,000 · stopped", "esc forget")
        for _ in range(100):
            system.may_answer.release()
        await pilot.press("escape")
        await wait_for(lambda: "lovelace" not in screen_text(pilot.app), "nothing of it")
        assert "•" not in screen_text(pilot.app)
        await pilot.press("escape")
        await wait_for_text(pilot, "APPLICATION")


async def test_what_was_found_until_a_search_is_stopped_is_not_lost() -> None:
    system = with_events(SlowSystem(), 1_000)
    with_notes(system, 950, 949, 948)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "1,000  14:")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("slash")
        type_text(pilot, "lovelace")
        await pilot.press("enter")
        await wait_for_text(pilot, "searching …")
        system.may_answer.release()
        await wait_for_text(pilot, "found · searched 100 of 1,000")
        await pilot.press("escape")
        await wait_for_text(pilot, "3 found · searched 100 of 1,000 · stopped")


async def test_the_next_hit_is_gone_to_as_soon_as_it_is_found() -> None:
    system = with_events(SlowSystem(), 1_000)
    with_notes(system, 950, 450)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "1,000  14:")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("slash")
        type_text(pilot, "lovelace")
        await pilot.press("enter")
        for _ in range(3):
            system.may_answer.release()
        await wait_for(lambda: "•   950" in cursor_line(pilot.app), "the first hit")
        await pilot.press("n")
        for _ in range(100):
            system.may_answer.release()
        await wait_for(lambda: "•   450" in cursor_line(pilot.app), "the second hit")


async def test_a_search_rests_when_it_has_found_many() -> None:
    system = with_events(FakeSystem(), 3_000)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "3,000  14:")
        await pilot.press("slash")
        type_text(pilot, "order.created")
        await pilot.press("enter")
        await wait_for_text(pilot, "1,000 found", "resting")
        await pilot.press("colon")
        type_text(pilot, "2200")
        await pilot.press("enter")
        await wait_for(lambda: " 2,200  14:" in cursor_line(pilot.app), "the place")
        await pilot.press("n")
        await wait_for_text(pilot, "2,000 found", "resting")


async def test_only_what_was_found_can_be_shown() -> None:
    system = with_notes(with_events(FakeSystem(), 500), 5, 400, 490)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "500  14:")
        await pilot.press("slash")
        type_text(pilot, "lovelace")
        await pilot.press("enter")
        await wait_for_text(pilot, "3 found")
        await pilot.press("F")
        await wait_for_text(pilot, "text: lovelace")
        await wait_for(lambda: shown_ids(pilot.app) == [5, 400, 490], "these alone")
        await pilot.press("F")
        await wait_for_text(pilot, "text: –", "489  14:")


async def test_a_search_that_fails_says_why() -> None:
    system = with_events(SlowSystem(), 50)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "50  14:")
        system.failure = RequestFailed("disk I/O error")
        await pilot.press("slash")
        type_text(pilot, "x")
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ disk I/O error")


async def test_unkind_text_is_searched_for_as_it_is() -> None:
    system = with_events(FakeSystem(), 50)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "50  14:")
        await pilot.press("slash")
        type_text(pilot, UNKIND)
        await pilot.press("enter")
        shown = await wait_for_text(pilot, "0 found · searched 50 of 50 · done", "/[/red]")
        assert "\x1b" not in shown
