"""An application's screen: its line, and its four panes."""

from __future__ import annotations

from dataclasses import replace

from esgrpc_console.system_view import ApplicationStatus
from esgrpc_console.tui.places import AggregatePlace, ApplicationPlace, Open
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import NOW, an_event, the_example
from tests.esgrpc_console.screen_reading import SMALL, WIDE, screen_text, wait_for_text
from tests.esgrpc_console.tui.log_screens import opened, place_of_text, shown_ids, type_text

LOG = ApplicationPlace("Orders")
PANES = (
    ("1", "1 Log", "topics: all"),
    ("2", "2 Methods", "create_new_order"),
    ("3", "3 Followings", "FOLLOWER"),
    ("4", "4 Aggregates", "LAST EVENT"),
)


async def test_panes_are_a_key_or_a_click_away() -> None:
    async with opened(the_example(), LOG, WIDE) as pilot:
        for key, _, content in PANES:
            await pilot.press(key)
            await wait_for_text(pilot, content)
        for _, name, content in PANES:
            await pilot.click(offset=place_of_text(pilot.app, name))
            await wait_for_text(pilot, content)


async def test_it_says_how_the_application_is() -> None:
    system = the_example()
    async with opened(system, LOG, WIDE) as pilot:
        await wait_for_text(pilot, "Orders   ● serving   head 12   +0/s   localhost:50051")
        system.state.hear("Orders", ApplicationStatus(12_402, events_per_second=310.2))
        await wait_for_text(pilot, "head 12,402   +310/s")
        system.state.lose("Orders", "connection refused", since=NOW - 72)
        await wait_for_text(pilot, "○ unreachable   stale for 1m 12s: connection refused")


async def test_the_next_application_is_a_key_away() -> None:
    async with opened(the_example(), LOG, WIDE) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("right_square_bracket")
        await wait_for_text(pilot, "Payments   ● serving", "Payment.Created")
        await pilot.press("left_square_bracket")
        await wait_for_text(pilot, "Orders   ● serving", "12  14:")
        await pilot.press("escape")
        await wait_for_text(pilot, "APPLICATION")


async def test_the_same_screen_shows_another_part_when_that_is_wanted() -> None:
    async with opened(the_example(), LOG, SMALL) as pilot:
        await wait_for_text(pilot, "following the newest")
        await pilot.press("4")
        await wait_for_text(pilot, "LAST EVENT")
        pilot.app.screen.post_message(Open(ApplicationPlace("Orders", "log", 5)))
        await wait_for_text(pilot, "▸      5  14:", "‖ paused")
        pilot.app.screen.post_message(
            Open(ApplicationPlace("Orders", originator_id=an_event(7).originator_id))
        )
        await wait_for(lambda: shown_ids(pilot.app) == [7], "one aggregate's events")
        pilot.app.screen.post_message(Open(ApplicationPlace("Orders", "log", 5)))
        await wait_for_text(pilot, "▸      5  14:", "aggregate: all", "12  14:")


async def test_the_aggregates_that_changed_last_are_listed() -> None:
    system = the_example()
    changed = replace(
        an_event(13, "eventsourcing_grpc.example:Order.Paid"),
        originator_id=an_event(2).originator_id,
        originator_version=2,
    )
    async with opened(system, ApplicationPlace("Orders", "aggregates"), SMALL) as pilot:
        shown = await wait_for_text(pilot, "12 aggregates of all 12 events", "AGGREGATE")
        rows = [line for line in shown.splitlines() if "00000000-" in line]
        assert rows[0].split()[:4] == ["▸", "Order", an_event(12).originator_id, "1"]
        assert rows[-1].split()[1] == an_event(1).originator_id
    system.record("Orders", changed)
    async with opened(system, ApplicationPlace("Orders", "aggregates"), SMALL) as pilot:
        shown = await wait_for_text(pilot, "12 aggregates of all 13 events")
        rows = [line for line in shown.splitlines() if "00000000-" in line]
        assert rows[0].split()[:5] == ["▸", "Order", changed.originator_id, "2", "Paid"]


async def test_an_aggregate_of_the_list_is_opened_traced_and_filtered_by() -> None:
    place = ApplicationPlace("Orders", "aggregates")
    aggregate = an_event(11).originator_id
    async with opened(the_example(), place, SMALL) as pilot:
        await wait_for_text(pilot, "12 aggregates")
        await pilot.press("down", "c")
        assert pilot.app.clipboard == aggregate
        await pilot.press("enter")
        await wait_for_text(pilot, f"Order {aggregate}   in Orders")
        await pilot.press("escape", "t")
        await wait_for_text(pilot, f"everything that mentions {aggregate[:12]}")
        await pilot.press("escape", "a")
        await wait_for(lambda: shown_ids(pilot.app) == [11], "its events")


async def test_an_aggregate_is_shown_by_the_id_that_is_typed() -> None:
    place = ApplicationPlace("Orders", "aggregates")
    async with opened(the_example(), place, SMALL) as pilot:
        await wait_for_text(pilot, "12 aggregates")
        await pilot.press("colon")
        await wait_for_text(pilot, "Show the aggregate of Orders with this ID")
        type_text(pilot, an_event(4).originator_id)
        await pilot.press("enter")
        await wait_for_text(pilot, f"Order {an_event(4).originator_id}   in Orders")
        shown = pilot.app.screen
        pilot.app.screen.post_message(Open(AggregatePlace("Orders", an_event(4).originator_id, 1)))
        await pilot.pause()
        assert pilot.app.screen is shown


async def test_a_following_is_opened() -> None:
    async with opened(the_example(), ApplicationPlace("Orders", "followings"), WIDE) as pilot:
        shown = await wait_for_text(pilot, "FOLLOWER", "← Payments", "← Orders")
        assert sum("● live" in line for line in shown.splitlines()) == 4
        await pilot.press("enter")
        await wait_for(lambda: "4 Aggregates" not in screen_text(pilot.app), "another screen")


async def test_an_application_that_is_not_there_is_told() -> None:
    async with opened(the_example(), ApplicationPlace("Nobody"), WIDE) as pilot:
        await wait_for_text(pilot, "✗ there is no application Nobody", "1 Log")
        for key, _, _ in PANES:
            await pilot.press(key)
            await pilot.pause()


async def test_where_nothing_is_selected_it_is_asked_what_to_trace() -> None:
    system = the_example()
    system.logs["Orders"] = []
    async with opened(system, LOG, SMALL) as pilot:
        await wait_for_text(pilot, "nothing has been recorded yet")
        await pilot.press("t")
        await wait_for_text(pilot, "Trace everything that mentions")
        await pilot.press("escape", "4")
        await wait_for_text(pilot, "there are no aggregates yet")
        await pilot.press("t")
        await wait_for_text(pilot, "Trace everything that mentions")
