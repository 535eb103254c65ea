"""The overview, on systems in a state that a test has chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from esgrpc_console.system_view import FollowingState, SystemState
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace
from esgrpc_console.tui.screens.application_screen import ApplicationScreen
from esgrpc_console.tui.screens.follower_screen import FollowerScreen
from tests.esgrpc_console.fake_system import (
    NOW,
    FakeSystem,
    a_following,
    an_application,
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
from tests.esgrpc_console.tui.large_system import a_large_system
from tests.esgrpc_console.tui.overviews import (
    a_console,
    a_failing_following,
    a_troubled_system,
    an_overview,
    applications,
    follow,
    followings,
    press,
    rows,
)

BOTH_SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["160x45", "80x24"])


@BOTH_SIZES
async def test_both_tables_and_the_drawing_are_shown(size: tuple[int, int]) -> None:
    async with an_overview(the_example(), size) as pilot:
        shown = screen_text(pilot.app)
        assert applications(shown) == ["Orders", "Payments", "Reservations"]
        assert followings(shown) == [
            "Orders ← Payments",
            "Orders ← Reservations",
            "Payments ← Orders",
            "Reservations ← Orders",
        ]
        assert "│ ● Orders ├────── 0 ─▶│ ● Payments     │" in shown


async def test_the_tables_tell_what_servers_say() -> None:
    system = the_example()
    orders = system.state.applications["Orders"]
    assert orders.status is not None
    system.state.hear(
        "Orders",
        replace(
            orders.status,
            head=12_402,
            events_per_second=310.4,
            calls_per_second=120,
            errors_per_second=0.2,
            p50_seconds=0.0008,
            p99_seconds=0.1234,
            serving_since=NOW - 187_300,
        ),
    )
    async with an_overview(system) as pilot:
        shown = await wait_for_text(pilot, "12,402")
        row = " ".join(rows(shown, "APPLICATION")[0])
        assert row == "Orders localhost:50051 ● serving 12,402 310 120 0.8 123 0.2 2d 4h"


async def test_rates_of_the_last_seconds_are_bars() -> None:
    clock = _Clock()
    system = FakeSystem()
    system.state = SystemState(clock)
    system.state.put(an_application("Orders", 50051))
    for second, head in enumerate([0, 0, 10, 30, 70, 150]):
        clock.reading = NOW + second
        status = system.state.applications["Orders"].status
        assert status is not None
        system.state.hear("Orders", replace(status, head=head))
    async with an_overview(system) as pilot:
        await wait_for_text(pilot, "▁▂▃▅█")


@pytest.mark.parametrize(
    ("growth", "shown"), [(310.2, "▲ 310/s"), (-2.5, "▼ 2.5/s"), (0.0, "0/s"), (None, "–")]
)
async def test_lags_are_said_to_grow_or_shrink(growth: float | None, shown: str) -> None:
    clock = _Clock()
    system = FakeSystem()
    system.state = SystemState(clock)
    system.state.put(an_application("Orders", 50051))
    system.state.put(an_application("Payments", 50053, follows=["Orders"]))
    status = system.state.applications["Payments"].status
    assert status is not None
    for second in (0, 10) if growth is not None else (0,):
        clock.reading = NOW + second
        following = a_following("Orders", 0, round(1_000 + second * (growth or 0)))
        system.state.hear("Payments", replace(status, followings=(following,)))
    async with an_overview(system) as pilot:
        await wait_for_text(pilot, "Payments")
        row = rows(screen_text(pilot.app), "FOLLOWER")[0]
        assert shown in " ".join(row)
        if growth is not None and growth < 0:
            assert "6m 30s" in " ".join(row)


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_numbers_are_never_cut(size: tuple[int, int]) -> None:
    system = the_example()
    great = 18_446_744_073_709_551_615
    following = a_following("Payments", great, great)
    system.state.put(
        an_application("Orders", 50051, head=great, follows=["Payments"], followings=[following])
    )
    async with an_overview(system, size) as pilot:
        for line in screen_text(pilot.app).splitlines():
            assert "18,446" not in line or f"{great:,}" in line


async def test_stale_rows_say_for_how_long_and_why() -> None:
    system = the_example()
    async with an_overview(system) as pilot:
        system.state.lose("Payments", "connection refused", since=NOW - 12)
        shown = await wait_for_text(
            pilot, "Payments has been unreachable on localhost:50053 for 12s: connection refused"
        )
        row = " ".join(rows(shown, "APPLICATION")[1])
        assert row == "Payments localhost:50053 ○ unreachable 4 12s old: connection refused"
        row = " ".join(rows(shown, "FOLLOWER")[2])
        assert "○ stale" in row
        assert "12s old: connection refused" in row
        assert "reconnecting 1" in shown


async def test_an_application_that_was_never_heard_of_has_no_old_numbers() -> None:
    system = the_example()
    payments = system.state.applications["Payments"]
    system.state.put(replace(payments, status=None))
    system.state.lose("Payments", "no answer in time", since=NOW - 3)
    async with an_overview(system, SMALL) as pilot:
        row = rows(screen_text(pilot.app), "APPLICATION")[1]
        assert " ".join(row[3:]) == "– not heard for 3s: no answer in time"


async def test_ages_grow_while_nothing_else_changes() -> None:
    system = the_example()
    clock = _Clock()
    app = a_console(system, clock=clock)
    system.state.lose("Payments", "connection refused", since=NOW - 12)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "12s old")
        clock.reading = NOW + 48
        await wait_for_text(pilot, "1m 0s old")


async def test_servers_are_said_to_run_for_longer_while_nothing_else_changes() -> None:
    system = the_example()
    clock = _Clock()
    status = system.state.applications["Orders"].status
    assert status is not None
    system.state.hear("Orders", replace(status, serving_since=NOW - 10))
    app = a_console(system, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "10s")
        clock.reading = NOW + 200
        await wait_for_text(pilot, "3m")


async def test_the_tables_are_sorted_by_any_column_and_the_heading_says_so() -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following(head=12_402))
    async with an_overview(system) as pilot:
        assert "FOLLOWER▲" in screen_text(pilot.app)
        await press(pilot, "tab", "L")
        shown = await wait_for_text(pilot, "LAG▼")
        assert followings(shown)[0] == "Payments ← Orders"
        shown = await press(pilot, "L")
        assert "LAG▲" in shown
        assert followings(shown)[-1] == "Payments ← Orders"
        shown = await press(pilot, "D")
        assert "LEADER▲" in shown
        assert [row.split()[2] for row in followings(shown)] == [
            "Orders",
            "Orders",
            "Payments",
            "Reservations",
        ]
        shown = await press(pilot, "S")
        assert followings(shown)[0] == "Payments ← Orders"


async def test_each_column_has_a_letter() -> None:
    async with an_overview(the_example()) as pilot:
        for table, letters in (("applications", "DTHECPMXUA"), ("followers", "DSPHLTBECXF")):
            for letter in letters:
                first = await press(pilot, letter)
                second = await press(pilot, letter)
                assert first.count("▼") != second.count("▼"), (table, letter)
            await press(pilot, "tab")


async def test_a_heading_that_is_clicked_sorts() -> None:
    async with an_overview(the_example()) as pilot:
        heading = screen_text(pilot.app).splitlines()[2]
        await pilot.click("ApplicationsTable", offset=(heading.index("HEAD "), 0))
        shown = await wait_for_text(pilot, "HEAD▼")
        await pilot.click("ApplicationsTable", offset=(heading.index("HEAD "), 0))
        shown = await wait_for_text(pilot, "HEAD▲")
        assert applications(shown) == ["Payments", "Reservations", "Orders"]


async def test_the_cursor_stays_on_its_row_wherever_the_row_goes() -> None:
    system = the_example()
    async with an_overview(system) as pilot:
        await press(pilot, "tab", "down", "down", "L")
        await wait_for_text(pilot, "LAG▼")
        following = a_following("Orders", 4, 1_004, FollowingState.CATCHING_UP)
        follow(system, "Payments", following)
        shown = await wait_for_text(pilot, "1,000")
        assert followings(shown)[0] == "Payments ← Orders"
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")


async def test_a_filter_shows_what_has_a_text_and_says_how_many_that_are() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "slash", *"pay")
        shown = await wait_for_text(pilot, "1 of 3 applications")
        assert "/pay" in shown
        assert applications(shown) == ["Payments"]
        assert len(followings(shown)) == 4
        shown = await press(pilot, "enter", "tab", "slash", *"!live")
        shown = await wait_for_text(pilot, "0 of 4 followings", "no row has that")
        assert applications(shown) == ["Payments"]
        shown = await press(pilot, "escape")
        assert len(followings(shown)) == 4
        assert "1 of 3 applications" in shown
        shown = await press(pilot, "shift+tab", "shift+tab", "escape")
        assert len(applications(shown)) == 3
        assert "of 3 applications" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Orders",
            {
                "Orders ← Payments",
                "Orders ← Reservations",
                "Payments ← Orders",
                "Reservations ← Orders",
            },
        ),
        ("already paid", {"Payments ← Orders"}),
        ("FAILING", {"Payments ← Orders"}),
        ("!payments", {"Orders ← Reservations", "Reservations ← Orders"}),
    ],
)
async def test_followers_are_filtered_by_names_states_and_errors(
    text: str, shown: set[str]
) -> None:
    system = the_example()
    follow(system, "Payments", a_failing_following())
    async with an_overview(system) as pilot:
        keys = ["space" if character == " " else character for character in text]
        await press(pilot, "tab", "slash", *keys)
        await wait_for_text(pilot, f"{len(shown)} of 4")
        assert set(followings(screen_text(pilot.app))) == shown


async def test_the_selected_row_survives_a_filter() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "down", "slash", *"res")
        await wait_for_text(pilot, "1 of 3 applications")
        await press(pilot, "escape")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, ApplicationScreen)
        assert pilot.app.screen.place.application == "Payments"


async def test_new_rows_are_filtered_too() -> None:
    system = the_example()
    async with an_overview(system) as pilot:
        await press(pilot, "slash", *"pay", "enter")
        system.state.put(an_application("Prepayments", 50054))
        system.state.put(an_application("Stock", 50055))
        shown = await wait_for_text(pilot, "2 of 5")
        assert applications(shown) == ["Payments", "Prepayments"]


async def test_followings_of_one_application_are_filtered_and_sorted_too() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "down", "f")
        shown = await wait_for_text(pilot, "Orders    ← Payments", "Payments  ← Orders")
        assert "Reservations" not in "".join(followings(shown))
        shown = await press(pilot, "P")
        assert "POSITION▼" in shown
        await press(pilot, "slash", *"!live")
        await wait_for_text(pilot, "0 of 2 followings")


async def test_lines_that_do_not_fit_are_scrolled_to() -> None:
    async with an_overview(a_large_system(), SMALL) as pilot:
        assert applications(screen_text(pilot.app))[0] == "App00"
        shown = await press(pilot, "G")
        assert "App49" in shown
        shown = await press(pilot, "tab", "end")
        assert followings(shown)[-1] == "App49 ← App03"
        shown = await press(pilot, "home")
        assert followings(shown)[0] == "App00 ← App01"
        shown = await press(pilot, "pagedown", "enter")
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("App02", "App03")


async def test_rows_that_move_leave_the_screen_as_it_is() -> None:
    system = a_large_system()
    async with an_overview(system) as pilot:
        await press(pilot, "tab", "P", *["down"] * 30)
        before = followings(screen_text(pilot.app))
        # A row from far above the screen comes below, and the others move up by one.
        first = system.state.applications["App48"].status
        assert first is not None
        moved = [replace(first.followings[0], position=0, read_through=0), *first.followings[1:]]
        system.state.hear("App48", replace(first, followings=tuple(moved)))
        await wait_for_text(pilot, "53,662 events behind")
        assert followings(screen_text(pilot.app)) == before


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (["l"], ApplicationPlace("Payments", "log")),
        (["m"], ApplicationPlace("Payments", "methods")),
        (["f"], ApplicationPlace("Payments", "followings")),
    ],
)
async def test_an_application_is_opened(keys: list[str], place: ApplicationPlace) -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "down", *keys)
        assert isinstance(pilot.app.screen, ApplicationScreen)
        assert pilot.app.screen.place == place
        await press(pilot, "o")
        await wait_for_text(pilot, "APPLICATION")


async def test_a_follower_is_opened() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "tab", "down", "down", "enter")
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")


async def test_a_row_that_is_clicked_twice_is_opened() -> None:
    async with an_overview(the_example()) as pilot:
        await pilot.click("FollowersTable", offset=(3, 3), times=2)
        await pilot.pause()
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")


async def test_boxes_and_arrows_that_are_clicked_are_opened() -> None:
    async with an_overview(the_example()) as pilot:
        lines = screen_text(pilot.app).splitlines()
        y = next(index for index, line in enumerate(lines) if "│ ● Orders ├" in line)
        await pilot.click(offset=(lines[y].index("0 ─▶"), y))
        await pilot.pause()
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")
        await press(pilot, "escape")
        await pilot.click(offset=(lines[y].index("Payments"), y))
        await pilot.pause()
        assert isinstance(pilot.app.screen, ApplicationScreen)
        assert pilot.app.screen.place == ApplicationPlace("Payments")


async def test_the_drawing_gets_the_screen_and_gives_it_back() -> None:
    async with an_overview(the_example(), TINY) as pilot:
        assert "┌" not in screen_text(pilot.app)
        shown = await press(pilot, "d")
        assert "┌" in shown
        assert "FOLLOWER" not in shown
        shown = await press(pilot, "escape")
        assert "┌" not in shown
        await press(pilot, "m")
        assert isinstance(pilot.app.screen, ApplicationScreen)


async def test_the_drawing_of_many_applications_is_scrolled_through() -> None:
    async with an_overview(a_large_system(), SMALL) as pilot:
        shown = await press(pilot, "d")
        assert "App01 → App00 0, App47 47, App48 48, App49 49" in shown
        assert "App49 →" not in shown
        await press(pilot, "end")
        await wait_for_text(pilot, "App49 → App45 45")
        await pilot.click("SystemDrawing", offset=(2, 5))
        await pilot.pause()
        assert isinstance(pilot.app.screen, ApplicationScreen)


async def test_where_there_is_no_room_for_the_drawing_a_line_says_how_to_see_it() -> None:
    async with an_overview(the_example(), (80, 16)) as pilot:
        await wait_for_text(pilot, "no room for the drawing here: d shows it alone")
        assert "┌" not in screen_text(pilot.app)


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_unkind_content_is_shown_and_does_no_harm(size: tuple[int, int]) -> None:
    system = FakeSystem()
    name = f"Shop{UNKIND}"
    following = a_failing_following(10**12, 10**13)
    assert following.last_error is not None
    error = replace(following.last_error, message=UNKIND * 20_000, error_class=UNKIND)
    system.state.put(
        an_application(
            name,
            50051,
            follows=[name, UNKIND],
            followings=[replace(following, leader=name, last_error=error)],
        )
    )
    system.state.put(an_application("Away", 50052))
    system.state.lose("Away", UNKIND * 1_000, since=NOW - 1)
    async with an_overview(system, size, context="[/red]") as pilot:
        for key in ("down", "X", "tab", "X", "slash", "x", "escape", "shift+tab", "d", "d", "s"):
            shown = await press(pilot, key)
            assert not set(shown) & {"\x1b", "\x07", "\u202e"}


async def test_every_theme_has_colours_for_what_is_wrong() -> None:
    async with an_overview(a_troubled_system()) as pilot:
        for theme in ("ansi-dark", "ansi-light", "dracula", "textual-light", "colour-blind-safe"):
            pilot.app.theme = theme
            await pilot.pause()
            await wait_for_text(pilot, "✗ failing", "○ unreachable")


class _Clock:
    reading = NOW

    def __call__(self) -> float:
        return self.reading
