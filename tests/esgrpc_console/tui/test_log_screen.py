"""The log, driven by keys and by the mouse."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from textual import events
from textual.app import App

from esgrpc_console.system_view import Description, EventPage, FollowingState, RequestFailed
from esgrpc_console.tui.places import ApplicationPlace
from esgrpc_console.tui.widgets.log_view import LogView
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    EPOCH,
    NOW,
    FakeSystem,
    a_following,
    an_application,
    an_event,
    the_example,
)
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.slow_system import SlowSystem
from tests.esgrpc_console.tui.log_screens import (
    a_system,
    cursor_line,
    opened,
    place_of_text,
    shown_ids,
    type_text,
    with_events,
)

LOG = ApplicationPlace("Orders")


def colour_of(app: App[Exception], text: str) -> object:
    """Returns the colour of the beginning of a text on the screen."""
    return app.screen.get_style_at(*place_of_text(app, text)).color


async def test_the_log_opens_at_the_newest_event_and_follows() -> None:
    system = a_system(12)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:", "● following the newest")
        system.record("Orders", *(an_event(n) for n in range(13, 1_001)))
        await wait_for_text(pilot, "1,000  14:")
        assert shown_ids(pilot.app) == list(range(1_000 - len(shown_ids(pilot.app)) + 1, 1_001))
        assert "1,000" in cursor_line(pilot.app)


async def test_it_stays_where_the_cursor_is_and_tells_of_what_is_new() -> None:
    system = a_system(100)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "100  14:")
        await pilot.press("up", "up")
        await wait_for_text(pilot, "‖ paused")
        shown = shown_ids(pilot.app)
        system.record("Orders", *(an_event(n) for n in range(101, 1_305)))
        await wait_for_text(pilot, "‖ paused   +1,204 new (f to follow)", "head 1,304")
        assert shown_ids(pilot.app) == shown
        assert " 98  14:" in cursor_line(pilot.app)
        await pilot.press("f")
        await wait_for_text(pilot, "1,304  14:", "following the newest")


async def test_space_stays_and_follows() -> None:
    async with opened(a_system(100), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "following the newest")
        await pilot.press("space")
        await wait_for_text(pilot, "‖ paused")
        await pilot.press("space")
        await wait_for_text(pilot, "following the newest")


async def test_the_whole_log_can_be_paged_through_without_a_gap() -> None:
    async with opened(a_system(1_400), LOG, WIDE) as pilot:
        await wait_for_text(pilot, "1,400  14:")
        await pilot.press("g")
        await wait_for_text(pilot, " 1  14:", "paused")
        seen = shown_ids(pilot.app)
        while "following the newest" not in screen_text(pilot.app):
            await pilot.press("pagedown")
            await pilot.pause()
            ids = shown_ids(pilot.app)
            assert ids[0] <= seen[-1] + 1
            seen += [found for found in ids if found > seen[-1]]
        assert seen == list(range(1, 1_401))


async def test_holding_a_key_goes_on_through_the_log() -> None:
    async with opened(a_system(1_400), LOG, WIDE) as pilot:
        await wait_for_text(pilot, "1,400  14:")
        for _ in range(4):
            await pilot.press(*["pageup"] * 10)
            ids = shown_ids(pilot.app)
            assert ids == list(range(ids[0], ids[0] + len(ids)))
        await wait_for_text(pilot, "▸      1  14:")


async def test_the_ends_are_a_key_away() -> None:
    async with opened(a_system(5_000), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "5,000  14:")
        await pilot.press("g")
        await wait_for_text(pilot, "▸      1  14:", "‖ paused")
        await pilot.press("G")
        await wait_for_text(pilot, "▸  5,000  14:", "following the newest")


@pytest.mark.parametrize(
    ("typed", "found"),
    [("1,500", 1_500), ("#2500", 2_500), ("50%", 2_500), ("0", 1), ("99999", 5_000)],
)
async def test_an_id_or_a_part_of_the_log_can_be_gone_to(typed: str, found: int) -> None:
    async with opened(a_system(5_000), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "5,000  14:")
        await pilot.press("colon")
        await wait_for_text(pilot, "Go to an event of the log, 1 to 5,000")
        type_text(pilot, typed)
        await pilot.press("enter")
        await wait_for_text(pilot, f"{found:,}  14:", "‖ paused")
        await wait_for(lambda: f" {found:,}  14:" in cursor_line(pilot.app), "the cursor there")


async def test_what_is_no_place_is_told_where_it_is_typed() -> None:
    async with opened(a_system(10), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "10  14:")
        await pilot.press("colon")
        type_text(pilot, "abc")
        await pilot.press("enter")
        await wait_for_text(pilot, "'abc' is no place: give an ID like 12,398")


async def test_the_log_can_be_opened_at_an_event() -> None:
    async with opened(a_system(5_000), ApplicationPlace("Orders", "log", 1_234), SMALL) as pilot:
        await wait_for_text(pilot, "▸  1,234  14:", "‖ paused")


async def test_topics_are_chosen_from_a_list() -> None:
    async with opened(the_example(), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("T")
        await wait_for_text(pilot, "topics of Orders to show", "Order.Reserved")
        await pilot.press("down", "space", "enter")
        await wait_for_text(pilot, "topics: Order.Paid")
        await wait_for(lambda: shown_ids(pilot.app) == [3, 6, 9, 12], "only these")
        await pilot.press("x")
        await wait_for_text(pilot, "topics: all")
        await wait_for(lambda: len(shown_ids(pilot.app)) == 12, "all")


async def test_a_filter_goes_on_with_what_is_recorded() -> None:
    system = the_example()
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("T", "down", "space", "enter")
        await wait_for(lambda: shown_ids(pilot.app) == [3, 6, 9, 12], "only these")
        topic = "eventsourcing_grpc.example:Order.Paid"
        system.record("Orders", an_event(13), an_event(14, topic), an_event(15))
        await wait_for(lambda: shown_ids(pilot.app) == [3, 6, 9, 12, 14], "the new one")


async def test_one_aggregate_is_shown_alone_and_the_place_stays() -> None:
    system = a_system(50)
    of_seven = an_event(7).originator_id
    system.record("Orders", *(replace(an_event(n), originator_id=of_seven) for n in (51, 60)))
    async with opened(system, ApplicationPlace("Orders", "log", 51), SMALL) as pilot:
        await wait_for_text(pilot, "▸     51  14:")
        await pilot.press("a")
        await wait_for(lambda: shown_ids(pilot.app) == [7, 51, 60], "its events alone")
        assert " 51  14:" in cursor_line(pilot.app)
        await wait_for_text(pilot, "aggregate: 00000000…0007")
        await pilot.press("a")
        await wait_for_text(pilot, "aggregate: all", "50  14:")
        assert " 51  14:" in cursor_line(pilot.app)


async def test_an_aggregate_can_be_typed() -> None:
    system = a_system(50)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "50  14:")
        await pilot.press("i")
        type_text(pilot, an_event(7).originator_id)
        await pilot.press("enter")
        await wait_for(lambda: shown_ids(pilot.app) == [7], "its event alone")
        await pilot.press("i")
        type_text(pilot, "nobody")
        await pilot.press("enter")
        await wait_for_text(pilot, "there are no such events")


async def test_a_long_look_for_few_events_tells_how_far_it_is() -> None:
    system = with_events(SlowSystem(), 1_000)
    topic = "eventsourcing_grpc.example:Order.Paid"
    system.record("Orders", an_event(1_001, topic))
    system.state.put(an_application("Orders", 50051, head=1_001))
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "1,001  14:")
        await pilot.press("T")
        await wait_for_text(pilot, "Order.Paid")
        while not system.may_answer.locked():
            await system.may_answer.acquire()
        await pilot.press("down", "space", "enter")
        system.may_answer.release()
        await wait_for_text(pilot, "◐ looking at 902 of 1,001", "1,001  14:")
        for _ in range(30):
            system.may_answer.release()
        await wait_for_text(pilot, "● following the newest")
        assert shown_ids(pilot.app) == [1_001]


async def test_the_selected_event_is_shown_beside_a_wide_log_only() -> None:
    async with opened(the_example(), LOG, (110, 30)) as pilot:
        await wait_for_text(pilot, "12  14:", "Order.Paid", '"originator_version": 1')
        await pilot.press("up")
        await wait_for_text(pilot, "in         Orders #11")
    async with opened(the_example(), LOG, (109, 30)) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.pause(0.2)
        assert "originator_version" not in screen_text(pilot.app)


async def test_events_that_cannot_be_decoded_are_marked_and_say_why() -> None:
    system = a_system(3)
    system.record("Orders", replace(an_event(4), state="", error="unknown topic shop:Gone"))
    async with opened(system, LOG, WIDE) as pilot:
        await wait_for_text(pilot, "✗ Order.Created", "✗ unknown topic shop:Gone")


async def test_events_of_other_days_have_their_date() -> None:
    system = a_system(2)
    long_ago = replace(an_event(1), timestamp=EPOCH - timedelta(days=400))
    system.logs["Orders"][0] = long_ago
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "2025-10-19 14:", " 2  ")
        lines = {line[8:32] for line in screen_text(pilot.app).splitlines() if "  14:0" in line}
        assert lines


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_events_of_the_first_and_last_day_there_are_can_be_shown(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    system = a_system(2)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    system.logs["Orders"] = [
        replace(an_event(1), timestamp=first),
        replace(an_event(2), timestamp=last),
    ]
    async with opened(system, LOG) as pilot:
        await wait_for_text(pilot, "1-01-01 ", "9999-12-31 ", "following the newest")
        await pilot.press("up")
        await wait_for_text(pilot, "‖ paused", "time       1-01-01 ")


async def test_a_pause_stays_though_the_newest_was_asked_for_before() -> None:
    system = with_events(SlowSystem(looked_at=1_000), 500)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "500  14:", "following the newest")
        await pilot.press("g")
        await wait_for_text(pilot, "▸      1  14:", "‖ paused")
        system.may_answer = asyncio.Semaphore(0)
        await pilot.press("f")
        await wait_for_text(pilot, "following the newest")
        await pilot.press("k")
        await wait_for_text(pilot, "‖ paused")
        system.may_answer.release()
        await wait_for_text(pilot, "▸    500  14:")
        assert "‖ paused" in screen_text(pilot.app)


async def test_nothing_is_new_where_the_log_was_opened_at_an_event() -> None:
    system = a_system(2_000)
    async with opened(system, replace(LOG, notification_id=7), SMALL) as pilot:
        await wait_for_text(pilot, "▸      7  14:", "‖ paused")
        assert " new " not in screen_text(pilot.app)
        system.record("Orders", *(an_event(n) for n in range(2_001, 2_011)))
        await wait_for_text(pilot, "‖ paused   +10 new")


async def test_what_is_shown_of_a_server_that_is_away_is_dim_and_says_how_old_it_is() -> None:
    system = a_system(100)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "100  14:", "following")
        colour = colour_of(pilot.app, " 99  14:")
        system.state.lose("Orders", "connection refused", since=NOW - 12)
        await wait_for_text(pilot, "○ 12s old: connection refused", " 99  14:")
        assert colour_of(pilot.app, " 99  14:") != colour
        log = [an_event(n) for n in range(101, 151)]
        system.logs["Orders"] += log
        system.state.put(an_application("Orders", 50051, head=150))
        await wait_for_text(pilot, "150  14:", "following the newest")
        ids = shown_ids(pilot.app)
        assert ids == list(range(ids[0], 151))
        assert colour_of(pilot.app, "149  14:") == colour


async def test_another_log_is_shown_from_its_newest_event_and_that_is_told() -> None:
    system = a_system(100)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "100  14:", "following")
        await pilot.press("up")
        await wait_for_text(pilot, "paused")
        system.logs["Orders"] = [an_event(n) for n in range(1, 4)]
        system.state.put(an_application("Orders", 50051, head=3))
        await wait_for_text(pilot, "≠ the log of Orders")
        await wait_for(lambda: shown_ids(pilot.app) == [1, 2, 3], "the new log")
        await wait_for_text(pilot, "following the newest")


async def test_an_event_of_another_log_is_shown_though_its_id_is_the_same() -> None:
    system = a_system(3)
    async with opened(system, LOG) as pilot:
        await wait_for_text(pilot, "following", "in         Orders #3", "Order.Created")
        other = "eventsourcing_grpc.example:Order.Paid"
        system.logs["Orders"] = [an_event(n, other) for n in range(1, 4)]
        system.state.describe("Orders", Description(started_at=EPOCH))
        await wait_for_text(pilot, "≠ the log of Orders", f"topic      {other}")


async def test_an_event_that_could_not_be_read_is_read_when_its_server_is_back() -> None:
    system = with_events(SlowSystem(), 5)
    async with opened(system, LOG) as pilot:
        await wait_for_text(pilot, "following", "in         Orders #5")
        application = system.state.applications["Orders"]
        system.failure = RequestFailed("connection refused")
        await pilot.press("up")
        await wait_for_text(pilot, "it can't be read: connection refused")
        system.state.lose("Orders", "connection refused", since=NOW - 1)
        await wait_for_text(pilot, "○ 1s old: connection refused")
        system.failure = None
        system.state.put(application)
        await wait_for_text(pilot, "in         Orders #4")


async def test_a_log_goes_on_after_something_that_nobody_expected() -> None:
    system = with_events(_Failing(), 5)
    system.is_failing = True
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "✗ the log can't be read: KeyError: 'eggs'")
        system.is_failing = False
        system.record("Orders", an_event(6))
        await wait_for_text(pilot, " 6  14:", "following the newest")


class _Failing(FakeSystem):
    is_failing = False

    async def read_events(self, application: str, **options: object) -> EventPage:
        if self.is_failing:
            msg = "eggs"
            raise KeyError(msg)
        return await super().read_events(application, **options)  # type: ignore[arg-type]


async def test_a_log_that_cannot_be_read_says_why_and_goes_on_when_it_can() -> None:
    system = with_events(SlowSystem(), 5)
    system.failure = RequestFailed("disk I/O error")
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(
            pilot, "✗ the log can't be read: disk I/O error", "nothing could be read yet"
        )
        system.failure = None
        system.record("Orders", an_event(6))
        await wait_for_text(pilot, "6  14:", "following the newest")


async def test_an_empty_log_says_so() -> None:
    async with opened(a_system(0), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "nothing has been recorded yet")


async def test_nothing_is_read_while_another_pane_is_shown() -> None:
    system = with_events(SlowSystem(), 12)
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("2")
        await wait_for_text(pilot, "no methods")
        asked = len(system.requests)
        for n in range(13, 16):
            system.record("Orders", an_event(n))
            await pilot.pause(0.3)
        await wait_for_text(pilot, "head 15")
        assert len(system.requests) == asked
        await pilot.press("1")
        await wait_for_text(pilot, "15  14:")


async def test_a_row_that_is_clicked_is_selected_and_twice_opened() -> None:
    async with opened(a_system(40), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "40  14:")
        place = place_of_text(pilot.app, "35  14:")
        await pilot.click(offset=place)
        await wait_for_text(pilot, "‖ paused")
        assert " 35  14:" in cursor_line(pilot.app)
        await pilot.click(offset=place, times=2)
        await wait_for_text(pilot, "in         Orders #35")


async def test_the_wheel_scrolls() -> None:
    async with opened(a_system(400), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "400  14:")
        view = pilot.app.screen.query_one(LogView)
        view.post_message(events.MouseScrollUp(view, 10, 10, 0, -1, 0, False, False, False))
        await wait_for_text(pilot, "‖ paused")
        assert " 397  14:" in cursor_line(pilot.app)


async def test_a_click_on_the_scrollbar_goes_to_that_part_of_the_log() -> None:
    async with opened(a_system(10_000), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "10,000  14:")
        lines = screen_text(pilot.app).splitlines()
        bar = [y for y, line in enumerate(lines) if line[-1:] in {"│", "┃"} and len(line) == 80]
        middle = bar[len(bar) // 2]
        await pilot.click(offset=(79, middle))
        await wait_for_text(pilot, "‖ paused")
        await wait_for(lambda: 4_000 < min(shown_ids(pilot.app)) < 6_000, "the middle")


async def test_the_line_of_the_filter_can_be_clicked() -> None:
    async with opened(the_example(), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.click(offset=place_of_text(pilot.app, "all   aggregate"))
        await wait_for_text(pilot, "topics of Orders to show")
        await pilot.press("escape")
        await pilot.click(offset=place_of_text(pilot.app, "following the newest"))
        await wait_for_text(pilot, "‖ paused")


async def test_text_is_selected_with_the_mouse() -> None:
    async with opened(a_system(40), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "40  14:")
        start = place_of_text(pilot.app, "35  14:")
        end = place_of_text(pilot.app, "  14:02:09.525")
        await pilot.mouse_down(offset=start)
        await pilot.hover(offset=end)
        await pilot.mouse_up(offset=end)
        selected = pilot.app.screen.get_selected_text() or ""
        lines = selected.splitlines()
        assert lines[0].startswith("35  14:02:09")
        assert lines[1].startswith("36  14:")
        assert lines[2] == "37"


async def test_what_is_selected_is_copied() -> None:
    async with opened(the_example(), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("c")
        assert pilot.app.clipboard == an_event(12).originator_id
        await pilot.press("Y")
        assert pilot.app.clipboard == "esgrpc-console log ADDRESS Orders --after 11 --limit 1"
        await pilot.press("y")
        await wait_for_text(pilot, "copied Orders #12")
        assert '"id": 12,' in pilot.app.clipboard
        assert '"originator_version": 1\n  }' in pilot.app.clipboard


async def test_unkind_topics_and_ids_do_no_harm() -> None:
    system = a_system(1)
    system.record(
        "Orders",
        replace(an_event(2), topic=f"shop:{UNKIND}" * 20, originator_id=UNKIND),
        replace(an_event(3), topic="", originator_id="x" * 100_000, timestamp=None),
        replace(an_event(4), originator_id="🙂" * 50, topic="\u202eabc:👩"),
    )
    for size in (WIDE, SMALL, TINY):
        async with opened(system, LOG, size) as pilot:
            await wait_for_text(pilot, "   4  ")
            for key in ("up", "up", "T", "escape", "a", "a", "enter", "escape"):
                await pilot.press(key)
                await pilot.pause()
                shown = screen_text(pilot.app)
                assert "\x1b" not in shown
                assert "\u202e" not in shown
            await wait_for_text(pilot, "   3  ")


async def test_it_can_be_used_on_a_tiny_screen() -> None:
    system = the_example()
    system.state.put(
        an_application(
            "Orders",
            50051,
            follows=["Payments"],
            head=12,
            followings=[a_following("Payments", 1, 4, FollowingState.FAILING)],
        )
    )
    async with opened(system, LOG, TINY) as pilot:
        await wait_for_text(pilot, "12  14:")
        for key in ("up", "slash", "escape", "colon", "escape", "T", "escape", "3", "4", "2", "1"):
            await pilot.press(key)
            await pilot.pause()
        await wait_for_text(pilot, "14:")
