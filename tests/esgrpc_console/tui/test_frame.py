"""What is there on every screen: help, palette, colours, questions, quitting; and the start."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
from textual import events
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from esgrpc_console.system_view import SystemOperations, SystemUnreachable
from esgrpc_console.tui.actions import ACTIONS, bindings_of
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace, Open, TracePlace
from esgrpc_console.tui.screens.application_screen import ApplicationScreen
from esgrpc_console.tui.screens.confirm_screen import ConfirmScreen
from esgrpc_console.tui.screens.follower_screen import FollowerScreen
from esgrpc_console.tui.screens.live_screen import LiveScreen
from esgrpc_console.tui.screens.overview_screen import OverviewScreen
from esgrpc_console.tui.screens.trace_screen import TraceScreen
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import the_example
from tests.esgrpc_console.screen_reading import (
    SMALL,
    TINY,
    UNKIND,
    WIDE,
    screen_text,
    wait_for_text,
)
from tests.esgrpc_console.tui.overviews import a_console, a_troubled_system, an_overview, press


def test_every_action_has_an_id_of_its_own_and_says_what_it_does() -> None:
    assert [item for item, times in Counter(info.id for info in ACTIONS).items() if times > 1] == []
    for info in ACTIONS:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", info.id), info.id
        assert info.keys, info.id
        assert info.label, info.id
        assert re.fullmatch(r"[a-z].*[^.]", info.help), info.id


def test_keys_of_bindings_are_those_of_the_registry() -> None:
    (binding,) = bindings_of("app.help")
    assert not isinstance(binding, tuple)
    assert (binding.key, binding.action, binding.id) == (
        "question_mark,f1",
        "help",
        "app.help",
    )


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_help_tells_the_keys_of_this_place_first(size: tuple[int, int]) -> None:
    async with an_overview(the_example(), size) as pilot:
        await press(pilot, "question_mark")
        shown = await wait_for_text(pilot, "Overview")
        assert "Everywhere" not in shown.partition("Overview")[0]
        await press(pilot, "question_mark")
        await wait_for(lambda: isinstance(pilot.app.screen, OverviewScreen), "help is closed")


async def test_help_tells_ids_and_the_keys_that_are_configured() -> None:
    async with an_overview(the_example(), (160, 100), keys={"overview.log": "ctrl+l"}) as pilot:
        await press(pilot, "question_mark")
        shown = await wait_for_text(pilot, "overview.log")
        line = next(line for line in shown.splitlines() if "overview.log" in line)
        assert "ctrl+l" in line


async def test_other_keys_can_be_configured() -> None:
    async with an_overview(the_example(), keys={"overview.log": "z"}) as pilot:
        await press(pilot, "l")
        assert isinstance(pilot.app.screen, OverviewScreen)
        assert "z log" in screen_text(pilot.app)
        await press(pilot, "z")
        assert isinstance(pilot.app.screen, ApplicationScreen)


@pytest.mark.parametrize("key", ["ctrl+p", "colon"])
async def test_the_palette_does_what_keys_do(key: str) -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "down", key, *"methods")
        await wait_for_text(pilot, "open the application's methods")
        await press(pilot, "enter")
        await wait_for(
            lambda: isinstance(pilot.app.screen, ApplicationScreen), "the application is shown"
        )
        assert isinstance(pilot.app.screen, ApplicationScreen)
        assert pilot.app.screen.place == ApplicationPlace("Payments", "methods")


async def test_the_palette_offers_first_what_the_footer_tells() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "colon")
        shown = await wait_for_text(pilot, "open the application's log", "go up by one row")
        assert shown.index("open the application's log") < shown.index("go up by one row")


async def test_the_palette_goes_to_every_place() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "colon", *"payments")
        await wait_for_text(pilot, "go to Payments: aggregates", "go to Orders ← Payments")
        await press(pilot, "space", *"orders")
        await wait_for(lambda: "aggregates" not in screen_text(pilot.app), "fewer places")
        await wait_for_text(pilot, "go to Payments ← Orders")
        await press(pilot, "enter")
        await wait_for(lambda: isinstance(pilot.app.screen, FollowerScreen), "the follower")
        assert isinstance(pilot.app.screen, FollowerScreen)
        assert pilot.app.screen.place == FollowingPlace("Payments", "Orders")


async def test_the_palette_closes_again() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "colon")
        assert isinstance(pilot.app.screen, CommandPalette)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, OverviewScreen)


@pytest.mark.parametrize("key", ["ctrl+p", "f2"])
async def test_moving_in_a_palette_that_has_no_room_does_no_harm(key: str) -> None:
    async with an_overview(the_example(), SMALL) as pilot:
        await pilot.resize_terminal(10, 3)
        await pilot.press(key)
        # Its commands come while keys are pressed.
        for _ in range(5):
            await press(pilot, "pagedown", "pageup", "down", "up", "shift+end")
        await pilot.resize_terminal(*SMALL)
        await press(pilot, "pagedown", "escape")
        assert isinstance(pilot.app.screen, OverviewScreen)


async def test_what_may_not_be_done_is_not_in_the_palette() -> None:
    async with an_overview(a_troubled_system(), is_read_only=True) as pilot:
        await press(pilot, "tab", "down", "down", "colon", *"retry")
        await pilot.pause()
        assert "try at once" not in screen_text(pilot.app)


async def test_places_are_gone_to_and_come_back_from() -> None:
    async with an_overview(the_example()) as pilot:
        app = pilot.app
        app.screen.post_message(Open(ApplicationPlace("Orders")))
        await wait_for(lambda: isinstance(app.screen, ApplicationScreen), "an application")
        app.screen.post_message(Open(FollowingPlace("Payments", "Orders")))
        await wait_for(lambda: isinstance(app.screen, FollowerScreen), "a follower")
        # What is there already is not opened once more.
        app.screen.post_message(Open(ApplicationPlace("Orders", "methods")))
        await wait_for(lambda: isinstance(app.screen, ApplicationScreen), "the application")
        await press(pilot, "escape")
        assert isinstance(app.screen, OverviewScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, OverviewScreen)


async def test_what_is_to_be_traced_is_asked_for() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "t")
        await wait_for_text(pilot, "Trace everything that mentions")
        await press(pilot, *"7b1c", "enter")
        await wait_for(lambda: isinstance(pilot.app.screen, TraceScreen), "the trace")
        assert isinstance(pilot.app.screen, TraceScreen)
        assert pilot.app.screen.place == TracePlace("7b1c")


async def test_nothing_is_traced_when_that_is_cancelled() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "t", "escape")
        assert isinstance(pilot.app.screen, OverviewScreen)


async def test_the_theme_is_chosen() -> None:
    async with an_overview(the_example()) as pilot:
        await press(pilot, "f2", *"colour-blind-safe")
        await wait_for_text(pilot, "colour-blind-safe-light")
        await press(pilot, "down", "enter")
        await wait_for(lambda: pilot.app.theme.startswith("colour-blind-safe"), "its theme")


async def test_the_theme_is_configured() -> None:
    async with an_overview(the_example(), theme="nord") as pilot:
        assert pilot.app.theme == "nord"


async def test_a_picture_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with an_overview(the_example()) as pilot:
        await press(pilot, "f12")
        await wait_for_text(pilot, "saved ")
    assert "Reservations" in _only_picture(tmp_path)


async def test_a_picture_that_cannot_be_saved_is_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "gone"
    there.mkdir()
    monkeypatch.chdir(there)
    there.rmdir()
    async with an_overview(the_example()) as pilot:
        await press(pilot, "f12")
        await wait_for_text(pilot, "the picture can't be saved: No such file or directory")


@pytest.mark.parametrize("keys", [["q"], ["ctrl+c"], ["ctrl+q"], ["slash", "ctrl+q"]])
async def test_it_quits(keys: list[str]) -> None:
    async with an_overview(the_example(), SMALL) as pilot:
        app = pilot.app
        await pilot.press(*keys)
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is None
    assert app.return_code == 0


async def test_what_is_typed_into_a_field_does_not_quit() -> None:
    async with an_overview(the_example(), SMALL) as pilot:
        await press(pilot, "slash", *"q?o!t:")
        assert pilot.app.screen.query_one("#filter-text", Input).value == "q?o!t:"


async def test_what_keeps_a_system_from_opening_is_the_result() -> None:
    failure = SystemUnreachable({"localhost:50051": "connection refused"})

    async def open_system() -> SystemOperations:
        raise failure

    app = ConsoleApp(SystemToShow("shop:system", open_system))
    async with app.run_test(size=SMALL):
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is failure


async def test_the_start_is_told_in_words_with_what_servers_say() -> None:
    app = ConsoleApp(
        SystemToShow(
            "shop:system",
            _never,
            progress=lambda: ("starting 2 servers: A, B …", [f"A: {UNKIND}", "B: hello"]),
        )
    )
    async with app.run_test(size=SMALL) as pilot:
        shown = await wait_for_text(pilot, "shop:system", "starting 2 servers: A, B …", "B: hello")
        assert "\x1b" not in shown
        await pilot.press("q")
        await wait_for(lambda: not app.is_running, "it has quit")


async def test_questions_name_the_place_and_need_a_reason_where_they_say_so() -> None:
    app = a_console(the_example(), context="production")
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "APPLICATION")
        answers: list[str | None] = []
        assert isinstance(app.screen, LiveScreen)
        for keys in (
            ["enter"],
            ["escape"],
            ["shift+tab", *"why", "enter", "enter"],
            # Whoever just types, or gives no reason at first.
            [*"because", "enter", "enter"],
            ["tab", "enter", "enter", *"so", "enter", "enter"],
        ):
            question: Screen[str | None] = ConfirmScreen(
                app.screen.session,
                f"Stop {UNKIND}?",
                confirm="Stop",
                consequences=["It is gone then."],
                needs_reason=True,
            )
            app.push_screen(question, answers.append)
            shown = await wait_for_text(
                pilot, "eventsourcing_grpc.example:system @production", "Stop [/red]", "It is gone"
            )
            assert not set(shown) & {"\x1b", "\x07", "\u202e"}
            await press(pilot, *keys)
        assert answers == [None, None, "why", "because", "so"]


async def test_a_reason_that_is_typed_quickly_is_taken_as_it_is() -> None:
    app = a_console(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "APPLICATION")
        assert isinstance(app.screen, LiveScreen)
        answers: list[str | None] = []
        question: Screen[str | None] = ConfirmScreen(
            app.screen.session, "Stop?", confirm="Stop", needs_reason=True
        )
        app.push_screen(question, answers.append)
        await wait_for_text(pilot, "Cancel")
        for character in "card declined\r":
            key = {" ": "space", "\r": "enter"}.get(character, character)
            app.post_message(events.Key(key, character))
        await wait_for_text(pilot, "card declined")
        await wait_for(
            lambda: getattr(question.focused, "id", "") == "do", "the button has the focus"
        )
        await press(pilot, "enter")
        assert answers == ["card declined"]


def _only_picture(directory: Path) -> str:
    (picture,) = directory.glob("*.svg")
    return picture.read_text("utf-8")


async def _never() -> SystemOperations:
    await asyncio.Event().wait()
    raise AssertionError
