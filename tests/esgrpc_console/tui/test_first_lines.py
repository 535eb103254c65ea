"""The lines at the top of every screen: which system this is, and what is wrong with it."""

from __future__ import annotations

import pytest

from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace
from esgrpc_console.tui.screens.application_screen import ApplicationScreen
from esgrpc_console.tui.screens.follower_screen import FollowerScreen
from tests.esgrpc_console.fake_system import the_example
from tests.esgrpc_console.screen_reading import SMALL, TINY, WIDE, screen_text, wait_for_text
from tests.esgrpc_console.tui.overviews import (
    a_console,
    a_failing_following,
    a_troubled_system,
    an_overview,
    follow,
    press,
)

BOTH_SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["160x45", "80x24"])


def first_lines(shown: str) -> tuple[str, str]:
    """Returns the line that names the system, and the one that says how it is."""
    header, headline, *_ = shown.splitlines()
    return header.strip(), headline.strip()


@BOTH_SIZES
async def test_the_first_line_says_that_all_is_well(size: tuple[int, int]) -> None:
    async with an_overview(the_example(), size) as pilot:
        _, headline = first_lines(screen_text(pilot.app))
        assert headline == "● all is well: 3 applications, 4 followings, all caught up"


@BOTH_SIZES
async def test_the_first_line_says_what_is_wrong(size: tuple[int, int]) -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())
    async with an_overview(system, size) as pilot:
        _, headline = first_lines(screen_text(pilot.app))
        assert headline.startswith("✗ Payments has been failing on Orders #8 for 2m 10s: Assert")


async def test_the_first_line_names_the_keys_that_help() -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())
    async with an_overview(system) as pilot:
        _, headline = first_lines(screen_text(pilot.app))
        assert headline.endswith("   (! to see it, r to retry, s to skip)")
        # A row of followers has these keys for itself.
        shown = await press(pilot, "tab")
        assert first_lines(shown)[1].endswith("(! to see it)")
        shown = await press(pilot, "tab")
        assert first_lines(shown)[1].endswith("(⏎ to see it, r to retry, s to skip)")


async def test_the_first_line_names_the_keys_that_are_configured() -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())
    keys = {"headline.retry": "f5", "app.problem": "f6"}
    async with an_overview(system, keys=keys) as pilot:
        _, headline = first_lines(screen_text(pilot.app))
        assert headline.endswith("(f6 to see it, f5 to retry, s to skip)")


async def test_the_cause_comes_before_its_consequences() -> None:
    async with an_overview(a_troubled_system()) as pilot:
        _, headline = first_lines(screen_text(pilot.app))
        assert headline.startswith(
            "○ Reservations has been unreachable on localhost:50052 for 12s: "
            "connection refused  (and 1 more)"
        )


async def test_problems_are_told_one_after_the_other() -> None:
    async with an_overview(a_troubled_system()) as pilot:
        shown = await press(pilot, "shift+tab", "down")
        assert "✗ Payments has been failing" in first_lines(shown)[1]
        assert "(2 of 2)" in first_lines(shown)[1]
        # What is new is no reason to tell another one.
        pilot.app.screen.query_one("Headline").refresh()
        shown = await press(pilot, "down")
        assert "○ Reservations" in first_lines(shown)[1]
        shown = await press(pilot, "up")
        assert "✗ Payments" in first_lines(shown)[1]
        shown = await press(pilot, "tab")
        assert "○ Reservations" in first_lines(shown)[1]


@pytest.mark.parametrize("how", ["exclamation_mark", "enter", "click"])
async def test_the_cause_is_one_key_away(how: str) -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())
    async with an_overview(system) as pilot:
        match how:
            case "click":
                await pilot.click("Headline", offset=(5, 0))
            case "enter":
                await pilot.press("shift+tab", "enter")
            case key:
                await pilot.press(key)
        await pilot.pause()
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")


async def test_the_cause_may_be_an_application() -> None:
    async with an_overview(a_troubled_system()) as pilot:
        await press(pilot, "shift+tab", "enter")
        assert isinstance(pilot.app.screen, ApplicationScreen)
        assert pilot.app.screen.place == ApplicationPlace("Reservations")


async def test_where_nothing_is_wrong_the_first_line_has_no_keys() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "shift+tab", "enter")
        assert isinstance(pilot.app.screen, FollowerScreen)


async def test_the_header_names_the_system_and_counts_what_there_is() -> None:
    async with an_overview(the_example()) as pilot:
        header, _ = first_lines(screen_text(pilot.app))
        assert header.startswith("esgrpc-console  eventsourcing_grpc.example:system")
        assert header.endswith("3 applications   4 followings   14:02:09   reconnecting 0")


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_the_header_always_names_the_context_and_what_it_allows(
    size: tuple[int, int],
) -> None:
    app = a_console(the_example(), context="production", colour="red", is_read_only=True)
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, "APPLICATION")
        header, _ = first_lines(shown)
        assert "@production" in header
        assert "read-only" in header


async def test_the_header_has_the_colour_of_the_context() -> None:
    app = a_console(the_example(), context="production", colour="red")
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "@production")
        x = screen_text(app).splitlines()[0].index("@production")
        background = app.screen.get_style_at(x, 0).bgcolor
        assert background is not None
        assert background.triplet == (255, 0, 0)


async def test_a_colour_that_is_none_keeps_nobody_from_working() -> None:
    app = a_console(the_example(), context="production", colour="redd")
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "@production")


async def test_a_short_header_still_says_what_is_away() -> None:
    async with an_overview(a_troubled_system(), TINY) as pilot:
        header, _ = first_lines(screen_text(pilot.app))
        assert header.startswith("eventsourcing_")
        assert header.endswith("reconnecting 1")
