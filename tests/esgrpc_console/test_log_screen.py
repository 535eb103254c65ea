"""The log, driven by keys."""

from __future__ import annotations

from collections.abc import Sequence

from esgrpc_console.system_view import (
    EventPage,
    RequestFailed,
)
from tests.esgrpc_console.fake_system import (
    FakeSystem,
    an_application,
    an_event,
    console_on,
    the_example,
)
from tests.esgrpc_console.screen_reading import SMALL, WIDE, screen_text, wait_for_text


async def test_the_log_follows_the_newest_event() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        system.record("Orders", *(an_event(n) for n in range(13, 1001)))
        shown = await wait_for_text(pilot, "1,000  14:")
        assert "12  14:" not in shown


async def test_the_log_stays_where_the_cursor_is_and_tells_of_what_is_new() -> None:
    system = the_example()
    system.record("Orders", *(an_event(n) for n in range(13, 101)))
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "100  14:")
        await pilot.press("l", "up", "up")
        await wait_for_text(pilot, "‖ not following")
        system.record("Orders", *(an_event(n) for n in range(101, 301)))
        shown = await wait_for_text(pilot, "+200 new (f to follow)")
        assert "300  14:" not in shown
        await pilot.press("f")
        await wait_for_text(pilot, "300  14:", "following the newest")


async def test_the_whole_log_can_be_paged_through() -> None:
    system = the_example()
    system.record("Orders", *(an_event(n) for n in range(13, 451)))
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "450  14:")
        await pilot.press("l", "g")
        await wait_for_text(pilot, " 1  14:", "+250 new")
        seen: set[int] = set()
        is_at_end = False
        while not is_at_end:
            await pilot.press("pagedown")
            await pilot.pause()
            shown = screen_text(app)
            seen |= {int(line.split()[0]) for line in shown.splitlines() if "  14:0" in line}
            is_at_end = "following the newest" in shown
    assert seen >= set(range(35, 451))


async def test_enter_on_an_event_shows_all_of_it() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("l", "enter")
        await wait_for_text(pilot, "Orders #12", '"originator_version": 1', "version 1")
        await pilot.press("escape")
        await wait_for_text(pilot, "FOLLOWER")


async def test_what_was_recorded_while_the_log_was_hidden_is_there_when_it_is_shown() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("m")
        await wait_for_text(pilot, "COMMANDS")
        system.record("Orders", an_event(13))
        await wait_for_text(pilot, "  13  ")
        await pilot.press("l")
        await wait_for_text(pilot, "13  14:")


async def test_what_was_recorded_while_another_screen_was_shown_is_there_afterwards() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Everywhere")
        system.record("Orders", an_event(13))
        await pilot.press("escape")
        await wait_for_text(pilot, "13  14:")


async def test_a_log_that_cannot_be_read_says_why_and_goes_on_when_it_can() -> None:
    system = UnreadableSystem()
    system.state.put(an_application("Orders", 50051))
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "the log can't be read: disk I/O error")
        system.is_readable = True
        system.record("Orders", an_event(1))
        await wait_for_text(pilot, "1  14:", "following the newest")


class UnreadableSystem(FakeSystem):
    """Can't read its logs for a while."""

    is_readable = False

    async def read_events(
        self,
        application: str,
        *,
        start: int | None = None,
        limit: int = 100,
        is_backwards: bool = False,
        topics: Sequence[str] = (),
        originator_id: str = "",
    ) -> EventPage:
        if not self.is_readable:
            raise RequestFailed("disk I/O error")
        return await super().read_events(
            application, start=start, limit=limit, is_backwards=is_backwards
        )
