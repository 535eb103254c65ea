"""One event, over the screen that it was opened from."""

from __future__ import annotations

import json
from dataclasses import replace

from esgrpc_console.tui.places import ApplicationPlace, EventPlace
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event, the_example
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.tui.log_screens import a_system, opened

LOG = ApplicationPlace("Orders")


async def test_enter_on_an_event_shows_all_of_it() -> None:
    async with opened(the_example(), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("enter")
        await wait_for_text(
            pilot,
            "in         Orders #12",
            "topic      eventsourcing_grpc.example:Order.Paid",
            f"aggregate  {an_event(12).originator_id}",
            "version    1",
            '"originator_version": 1',
        )
        await pilot.press("escape")
        await wait_for_text(pilot, "topics: all")


async def test_the_events_around_it_are_a_key_away() -> None:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    system.record("Orders", an_event(3), an_event(8), an_event(20))
    async with opened(system, EventPlace("Orders", 8), SMALL) as pilot:
        await wait_for_text(pilot, "in         Orders #8")
        await pilot.press("right")
        await wait_for_text(pilot, "in         Orders #20")
        await pilot.press("right")
        await wait_for_text(pilot, "there is no further event")
        await pilot.press("left", "left")
        await wait_for_text(pilot, "in         Orders #3")


async def test_its_aggregate_its_trace_and_its_log_can_be_opened() -> None:
    async with opened(the_example(), EventPlace("Orders", 8), SMALL) as pilot:
        await wait_for_text(pilot, "in         Orders #8")
        await pilot.press("t")
        await wait_for_text(pilot, f"everything that mentions {an_event(8).originator_id[:20]}")
        await pilot.press("escape")
        await wait_for_text(pilot, "in         Orders #8")
        await pilot.press("A")
        await wait_for_text(pilot, "in Orders", "VER")
        await pilot.press("escape", "L")
        await wait_for_text(pilot, "▸      8  14:", "‖ paused")


async def test_it_is_copied_as_json() -> None:
    async with opened(the_example(), EventPlace("Orders", 8), SMALL) as pilot:
        await wait_for_text(pilot, "in         Orders #8")
        await pilot.press("y")
        await wait_for(lambda: bool(pilot.app.clipboard), "something copied")
        assert json.loads(pilot.app.clipboard) == {
            "application": "Orders",
            "id": 8,
            "topic": an_event(8, "eventsourcing_grpc.example:Order.Reserved").topic,
            "originator_id": an_event(8).originator_id,
            "originator_version": 1,
            "timestamp": "2026-11-23T14:02:09.206000+00:00",
            "error": "",
            "state": {"originator_version": 1},
        }


async def test_an_event_that_is_not_there_says_so() -> None:
    async with opened(a_system(3), EventPlace("Orders", 99), SMALL) as pilot:
        await wait_for_text(pilot, "it can't be read: Orders has no event #99")


async def test_a_state_of_a_megabyte_is_shown_in_part() -> None:
    system = a_system(1)
    state = json.dumps({"text": "x" * 1_000_000, "lines": list(range(60_000)), "end": 1})
    system.record("Orders", replace(an_event(2), state=state))
    async with opened(system, EventPlace("Orders", 2), SMALL) as pilot:
        await wait_for_text(pilot, "xxxxx")
        await pilot.press("pagedown")
        await wait_for_text(pilot, "1,000,000 characters")
        await pilot.press("end")
        await wait_for_text(pilot, f"of {len(state):,} characters")
        await pilot.press("y")
        await wait_for_text(pilot, "Orders #2 is too long")


async def test_unkind_states_do_no_harm() -> None:
    system = a_system(1)
    states = (
        json.dumps({UNKIND: UNKIND, "a\nb": ["[/red]", "\x1b[31m"]}, ensure_ascii=False),
        "[" * 3_000,
        '{"a": "🙂👩‍👩‍👧 \\ud800 \u202e abc"}',
        "no [json] \x1b[2J at all",
        '""',
    )
    for n, state in enumerate(states, 2):
        system.record("Orders", replace(an_event(n), state=state))
    for size in (WIDE, TINY):
        async with opened(system, EventPlace("Orders", 2), size) as pilot:
            for n in range(2, 2 + len(states)):
                await wait_for_text(pilot, f"#{n}")
                shown = screen_text(pilot.app)
                assert "\x1b" not in shown
                assert "\u202e" not in shown
                await pilot.press("right")
