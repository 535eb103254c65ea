"""Tests of the screen of one follower: in each of its states, and with a real one that fails."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from textual.pilot import Pilot

from esgrpc_console.system_view import (
    EventPage,
    FollowingState,
    FollowingView,
    RequestFailed,
    SystemOperations,
    SystemView,
)
from esgrpc_console.tui.places import (
    AggregatePlace,
    ApplicationPlace,
    FollowingPlace,
    Open,
    TracePlace,
)
from esgrpc_console.tui.screens.aggregate_screen import AggregateScreen
from esgrpc_console.tui.screens.application_screen import ApplicationScreen
from esgrpc_console.tui.screens.follower_screen import FollowerScreen
from esgrpc_console.tui.screens.trace_screen import TraceScreen
from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.esgrpc_console.conftest import QUICK, wait_for
from tests.esgrpc_console.fake_system import NOW, FakeSystem, a_following, console_on
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.tui.followings import (
    a_failing_following,
    a_system_with,
    an_error,
    put,
)
from tests.system import applications
from tests.system.applications import Copies, Fussy, Letters
from tests.system.serving import application_of
from tests.waiting import addresses_of

PLACE = FollowingPlace("Payments", "Orders")
EVENT_ID = str(UUID(int=8013 * 0x10001000100010001))
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL, TINY], ids=["160x45", "80x24", "40x10"])


@asynccontextmanager
async def follower_screen(
    system: SystemOperations,
    *,
    place: FollowingPlace = PLACE,
    size: tuple[int, int] = WIDE,
    is_read_only: bool = False,
) -> AsyncIterator[Pilot[Exception]]:
    """The screen of one following."""
    clock = time.monotonic if isinstance(system, SystemView) else lambda: NOW
    app = console_on(system, is_read_only=is_read_only, clock=clock)
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_for(lambda: bool(app.screen.query("HeaderLine")), "the overview is shown")
        app.screen.post_message(Open(place))
        await wait_for_text(pilot, f"{place.follower} ← {place.leader}")
        await wait_for(lambda: isinstance(app.screen, FollowerScreen), "it is the screen")
        yield pilot


async def press(pilot: Pilot[Exception], *keys: str) -> str:
    """Presses keys, and returns what is on the screen then."""
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(pilot.app)


def footer(pilot: Pilot[Exception]) -> str:
    """Returns the line of keys."""
    return screen_text(pilot.app).splitlines()[-1]


async def test_it_says_what_it_fails_on_since_when_and_when_it_tries_again() -> None:
    async with follower_screen(a_system_with(a_failing_following())) as pilot:
        shown = await wait_for_text(pilot, "Order.Reserved", '"originator_version": 1')
        line = next(line for line in shown.splitlines() if "Payments ← Orders" in line)
        assert "✗ failing since 13:59:59   attempt 11   next try in 22s" in line
        assert line.rstrip().endswith("lag 4,390, growing 10/s")
        assert "position 8,012   head 12,402   lag 4,390, 2m 10s   events/s 0" in shown
        assert "✗ AssertionError on Orders #8,013" in shown
        assert 'File "shop/payments.py", line 41, in policy' in shown
        assert EVENT_ID in shown
        assert "the last 14m 56s" in shown


async def test_a_healthy_one_shows_where_it_has_been() -> None:
    async with follower_screen(a_system_with(a_following("Orders", 12402, 12402))) as pilot:
        shown = await wait_for_text(pilot, "● live", "head 12,402")
        assert "It processes what Orders records as it is recorded." in shown
        assert "AssertionError" not in shown
        await wait_for_text(pilot, "p pause")
        assert "retry" not in footer(pilot)


async def test_an_error_that_is_over_is_said_to_be() -> None:
    over = replace(a_following("Orders", 12402, 12402), last_error=an_error())
    async with follower_screen(a_system_with(over)) as pilot:
        await wait_for_text(pilot, "AssertionError on Orders #8,013, which is over")


async def test_it_becomes_healthy_before_one_s_eyes() -> None:
    system = a_system_with(a_failing_following())
    async with follower_screen(system) as pilot:
        await wait_for_text(pilot, "✗ failing", "r retry now")
        put(system, a_following("Orders", 12402, 12402))
        shown = await wait_for_text(pilot, "● live", "caught up")
        assert "AssertionError" not in shown
        await wait_for(lambda: "retry" not in footer(pilot), "it is not offered to retry")


async def test_an_event_that_could_not_be_read_is_read_when_its_leader_is_back() -> None:
    system = _Unreadable()
    example = a_system_with(a_failing_following())
    system.state, system.logs = example.state, example.logs
    orders = system.state.applications["Orders"]
    system.state.lose("Orders", "connection refused", since=NOW - 3)
    system.is_readable = False
    async with follower_screen(system) as pilot:
        await wait_for_text(pilot, "it can't be read: connection refused")
        system.is_readable = True
        system.state.put(orders)
        await wait_for_text(pilot, "Order.Reserved", EVENT_ID)


async def test_a_following_that_there_is_not_says_so_and_nothing_else() -> None:
    place = FollowingPlace("Orders", "Nobody")
    app = console_on(a_system_with(a_failing_following()))
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "FOLLOWER")
        app.screen.post_message(Open(place))
        shown = await wait_for_text(pilot, "✗ Orders does not follow Nobody in this system")
        assert "position" not in shown
        assert "Traceback" not in shown


class _Unreadable(FakeSystem):
    is_readable = True

    async def read_events(self, application: str, **options: object) -> EventPage:
        if not self.is_readable:
            msg = "connection refused"
            raise RequestFailed(msg)
        return await super().read_events(application, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "verb", "expected"),
    [
        ("r", "Retry", ("retry", "Payments", "Orders", "mended")),
        ("s", "Skip", ("skip", "Payments", "Orders", "8013", "mended")),
        ("p", "Pause", ("pause", "Payments", "Orders", "mended")),
    ],
)
async def test_what_is_changed_is_asked_for_with_a_reason(
    key: str, verb: str, expected: tuple[str, ...]
) -> None:
    system = a_system_with(a_failing_following())
    async with follower_screen(system) as pilot:
        await wait_for_text(pilot, "Order.Reserved")
        await pilot.press(key)
        await wait_for_text(pilot, "Cancel", verb)
        await pilot.press("enter")
        assert system.controls == []
        await pilot.press(key)
        await wait_for_text(pilot, "Cancel", verb)
        await pilot.press("shift+tab", *"mended", "enter", "enter")
        await wait_for(lambda: system.controls == [expected], "it is done")


async def test_a_paused_one_is_resumed() -> None:
    system = a_system_with(a_following("Orders", 8012, 12402, FollowingState.PAUSED))
    async with follower_screen(system) as pilot:
        await wait_for_text(pilot, "‖ paused", "R resume")
        assert "pause" not in footer(pilot)
        await pilot.press("R")
        await wait_for_text(pilot, "Cancel", "Resume")
        await pilot.press("shift+tab", *"mended", "enter", "enter")
        resumed = ("resume", "Payments", "Orders", "mended")
        await wait_for(lambda: system.controls == [resumed], "it is done")


async def test_nothing_is_changed_where_that_is_not_allowed() -> None:
    system = a_system_with(a_failing_following())
    async with follower_screen(system, is_read_only=True) as pilot:
        await wait_for_text(pilot, "read-only", "Order.Reserved")
        for key in "rsp":
            await press(pilot, key)
            assert isinstance(pilot.app.screen, FollowerScreen)
        assert system.controls == []


async def test_one_goes_from_the_event_to_its_log_its_aggregate_and_everything_about_it() -> None:
    async with follower_screen(a_system_with(a_failing_following())) as pilot:
        await wait_for_text(pilot, "Order.Reserved", "A aggregate")
        await pilot.press("enter")
        await wait_for(lambda: isinstance(pilot.app.screen, ApplicationScreen), "the log is shown")
        screen = pilot.app.screen
        assert isinstance(screen, ApplicationScreen)
        assert screen.place == ApplicationPlace("Orders", "log", 8013)
        await pilot.press("escape", "A")
        await wait_for(lambda: isinstance(pilot.app.screen, AggregateScreen), "its aggregate")
        aggregate = pilot.app.screen
        assert isinstance(aggregate, AggregateScreen)
        assert aggregate.place == AggregatePlace("Orders", EVENT_ID, 1)
        await pilot.press("escape", "t")
        await wait_for(lambda: isinstance(pilot.app.screen, TraceScreen), "its trace")
        trace = pilot.app.screen
        assert isinstance(trace, TraceScreen)
        assert trace.place == TracePlace(EVENT_ID)


async def test_the_keys_of_an_event_are_not_there_where_none_is() -> None:
    async with follower_screen(a_system_with(a_following("Orders", 12, 12))) as pilot:
        await wait_for_text(pilot, "● live")
        assert "aggregate" not in footer(pilot)
        # Then it is the key that asks for what is to be found.
        await pilot.press("t")
        await wait_for_text(pilot, "Trace everything that mentions")


async def test_one_goes_to_the_leader_s_log_where_the_follower_waits() -> None:
    system = a_system_with(a_following("Orders", 8012, 12402, FollowingState.PAUSED))
    async with follower_screen(system) as pilot:
        await pilot.press("l")
        await wait_for(lambda: isinstance(pilot.app.screen, ApplicationScreen), "the log is shown")
        screen = pilot.app.screen
        assert isinstance(screen, ApplicationScreen)
        assert screen.place == ApplicationPlace("Orders", "log", 8012)
        await pilot.press("escape", "f")
        await wait_for_text(pilot, "Payments   ● serving", "← Orders")


@SIZES
@pytest.mark.parametrize("state", FollowingState)
async def test_each_state_is_shown_at_each_size(
    state: FollowingState, size: tuple[int, int]
) -> None:
    async with follower_screen(a_system_with(a_following("Orders", 7, 12, state)), size=size) as p:
        shown = await wait_for_text(p, f"{state.symbol} {state.word}"[: size[0] - 24])
        assert "position 7" in shown


@SIZES
async def test_unkind_errors_are_shown_as_text(size: tuple[int, int]) -> None:
    error = an_error(
        error_class="[/red]\x1b[2J",
        message=f"{UNKIND} " * 20_000,
        traceback=f"{UNKIND}\n" * 20_000,
        next_try=None,
        attempts=2**32 - 1,
    )
    following = replace(a_failing_following(), last_error=error)
    async with follower_screen(a_system_with(following), size=size) as pilot:
        shown = await wait_for_text(pilot, "✗ [/red]␛[2J")
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        await press(pilot, "tab", "end", "tab", "end")


# With real servers.


@contextmanager
def fussy_servers() -> Iterator[tuple[GrpcApplicationServer, GrpcApplicationServer]]:
    """Servers of letters and of one who does not take all of them."""
    env = addresses_of(Letters, Fussy)
    servers = [
        GrpcApplicationServer(cls, env, system=applications.fussy) for cls in (Letters, Fussy)
    ]
    for server in servers:
        server.start()
    try:
        yield servers[0], servers[1]
    finally:
        Fussy.poisonous.clear()
        for server in servers:
            server.stop()
        for server in servers:
            server.wait_for_termination()


def _fussy(view: SystemView) -> FollowingView:
    return next(following for following in view.state.followings if following.follower == "Fussy")


@asynccontextmanager
async def failing_on_the_second_letter() -> AsyncIterator[tuple[Pilot[Exception], SystemView]]:
    """The screen of a real follower that does not take the second of three letters."""
    with fussy_servers() as (letters, _):
        Fussy.poisonous.add(2)
        for number in (1, 2, 3):
            application_of(letters, Letters).write(number)
        async with SystemView(letters.address, env={}, options=QUICK) as view:
            await wait_for(lambda: bool(view.state.followings), "the following is known")
            async with follower_screen(view, place=FollowingPlace("Fussy", "Letters")) as pilot:
                await wait_for_text(pilot, "✗ PoisonError on Letters #2")
                yield pilot, view


async def test_a_real_follower_shows_the_event_it_fails_on() -> None:
    async with failing_on_the_second_letter() as (pilot, _):
        shown = await wait_for_text(pilot, "Letter.Written", '"number": 2')
        assert "letter 2 is poisonous" in shown
        assert "raise PoisonError(msg)" in shown
        assert "position 1   head 3   lag 2" in shown
        await wait_for_text(pilot, "attempt", "next try in")


async def test_a_real_follower_is_retried_when_the_cause_is_mended() -> None:
    async with failing_on_the_second_letter() as (pilot, _):
        await pilot.press("r")
        await wait_for_text(pilot, "Cancel")
        # Not before: it may try again by itself, and then there is nothing to ask.
        Fussy.poisonous.clear()
        await pilot.press("shift+tab", *"mended", "enter", "enter")
        await wait_for_text(pilot, "● live", "position 3   head 3   lag 0")


async def test_a_real_follower_skips_an_event() -> None:
    async with failing_on_the_second_letter() as (pilot, view):
        await pilot.press("s")
        await wait_for_text(pilot, "Skip Letters #2 in Fussy?", "Letter.Written")
        await pilot.press("shift+tab", *"never", "enter", "enter")
        await wait_for_text(pilot, "● live", "position 3   head 3   lag 0")
        following = _fussy(view)
        assert following.status is not None
        assert following.status.position == 3


async def test_a_real_follower_pauses_and_goes_on() -> None:
    env = addresses_of(Letters, Copies)
    servers = [
        GrpcApplicationServer(cls, env, system=applications.one_way) for cls in (Letters, Copies)
    ]
    for server in servers:
        server.start()
    try:
        async with SystemView(servers[0].address, env={}, options=QUICK) as view:
            await wait_for(lambda: bool(view.state.followings), "the following is known")
            async with follower_screen(view, place=FollowingPlace("Copies", "Letters")) as pilot:
                await wait_for_text(pilot, "● live", "p pause")
                await pilot.press("p")
                await wait_for_text(pilot, "Pause Copies in following Letters?")
                await pilot.press("shift+tab", *"holiday", "enter", "enter")
                await wait_for_text(pilot, "‖ paused since", "R resume")
                application_of(servers[0], Letters).write(1)
                await wait_for_text(pilot, "position 0   head 1   lag 1")
                await pilot.press("R")
                await wait_for_text(pilot, "Resume")
                await pilot.press("shift+tab", *"back", "enter", "enter")
                await wait_for_text(pilot, "● live", "position 1   head 1   lag 0")
    finally:
        for server in servers:
            server.stop(wait=True)
