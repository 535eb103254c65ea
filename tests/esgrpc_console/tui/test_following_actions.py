"""Pausing, resuming, retrying and skipping by keys, on systems in a state that a test has chosen."""

from __future__ import annotations

import asyncio

import pytest

from esgrpc_console.system_view import EventView, FollowingState, RequestFailed
from tests.esgrpc_console.fake_system import FakeSystem, a_following, the_example
from tests.esgrpc_console.screen_reading import SMALL, UNKIND, WIDE, wait_for_text
from tests.esgrpc_console.tui.overviews import (
    a_failing_following,
    an_overview,
    follow,
    press,
)

TO_PAYMENTS = ("tab", "down", "down")


def a_system_that_fails() -> FakeSystem:
    """Returns the example with a follower that fails."""
    system = the_example()
    follow(system, "Payments", a_failing_following())
    return system


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["160x45", "80x24"])
async def test_a_retry_is_asked_for_with_a_reason(size: tuple[int, int]) -> None:
    system = a_system_that_fails()
    async with an_overview(system, size, context="production") as pilot:
        await press(pilot, *TO_PAYMENTS, "r")
        await wait_for_text(
            pilot,
            "@production",
            "Let Payments try Orders #8 again now?",
            "By itself it tries again in 22s.",
        )
        await press(pilot, *_towards_reason("because"))
        await wait_for_text(pilot, "Payments has tried Orders again")
        assert system.controls == [("retry", "Payments", "Orders", "because")]


async def test_nothing_is_done_without_a_reason() -> None:
    system = a_system_that_fails()
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "r")
        await wait_for_text(pilot, "again now?")
        await press(pilot, "right", "enter")
        await wait_for_text(pilot, "say why")
        assert system.controls == []


@pytest.mark.parametrize("keys", [["enter"], ["escape"]])
async def test_cancelling_is_what_happens_first(keys: list[str]) -> None:
    system = a_system_that_fails()
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "r")
        await wait_for_text(pilot, "again now?")
        shown = await press(pilot, *keys)
        assert "again now?" not in shown
        assert system.controls == []


async def test_the_question_shows_the_event_that_would_be_skipped() -> None:
    system = a_system_that_fails()
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s")
        event = system.logs["Orders"][7]
        await wait_for_text(
            pilot,
            "Skip Orders #8 in Payments?",
            f"{event.short_topic}  2026-11-23 14:02:09",
            event.originator_id,
            event.state,
        )
        await press(pilot, *_towards_reason("poison"))
        await wait_for_text(pilot, "Payments has skipped Orders #8")
        assert system.controls == [("skip", "Payments", "Orders", "8", "poison")]


async def test_what_the_first_line_tells_is_retried_from_the_applications() -> None:
    system = a_system_that_fails()
    async with an_overview(system) as pilot:
        await press(pilot, "r")
        await wait_for_text(pilot, "Let Payments try Orders #8 again now?")


async def test_what_the_first_line_tells_is_skipped_from_there() -> None:
    system = a_system_that_fails()
    async with an_overview(system) as pilot:
        await press(pilot, "shift+tab", "s")
        await wait_for_text(pilot, "Skip Orders #8 in Payments?")


async def test_a_follower_is_paused_and_resumed() -> None:
    system = the_example()
    async with an_overview(system) as pilot:
        shown = await press(pilot, *TO_PAYMENTS)
        assert "p pause" in shown
        assert "resume" not in shown
        await press(pilot, "p")
        await wait_for_text(pilot, "Pause Payments in following Orders?", "at position 12")
        await press(pilot, *_towards_reason("deploy"))
        await wait_for_text(pilot, "Payments has paused following Orders")
        follow(system, "Payments", a_following("Orders", 10, 12, FollowingState.PAUSED))
        shown = await wait_for_text(pilot, "R resume")
        assert "p pause" not in shown
        await press(pilot, "R")
        await wait_for_text(pilot, "Let Payments go on following Orders?", "2 events behind")
        await press(pilot, *_towards_reason("done"))
        await wait_for_text(pilot, "Payments goes on following Orders")
        assert system.controls == [
            ("pause", "Payments", "Orders", "deploy"),
            ("resume", "Payments", "Orders", "done"),
        ]


async def test_the_event_that_a_paused_follower_is_before_can_be_skipped() -> None:
    system = the_example()
    follow(system, "Payments", a_following("Orders", 10, 12, FollowingState.PAUSED))
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s")
        await wait_for_text(pilot, "Skip Orders #11 in Payments?")


async def test_a_paused_follower_at_the_end_has_nothing_to_skip() -> None:
    system = the_example()
    follow(system, "Payments", a_following("Orders", 12, 12, FollowingState.PAUSED))
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s")
        await wait_for_text(pilot, "nothing is skipped: Payments does not wait on an event")


async def test_only_what_makes_sense_is_offered() -> None:
    async with an_overview(the_example()) as pilot:
        shown = await press(pilot, *TO_PAYMENTS, "r", "s", "R")
        assert "?" not in shown.replace("? help", "")
        assert "retry" not in shown


async def test_nothing_is_changed_where_that_is_not_allowed() -> None:
    system = a_system_that_fails()
    async with an_overview(system, is_read_only=True) as pilot:
        shown = await press(pilot, *TO_PAYMENTS)
        assert "r retry" in shown
        shown = await press(pilot, "r", "s", "p")
        assert "again now?" not in shown
        shown = await press(pilot, "shift+tab", "r", "s", "shift+tab", "r", "s", "p")
        assert "again now?" not in shown
        assert "Skip" not in shown
        assert "to retry" not in shown


async def test_a_refusal_is_told() -> None:
    system = _Refusing()
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "p")
        await wait_for_text(pilot, "Pause Payments")
        await press(pilot, *_towards_reason("deploy"))
        await wait_for_text(pilot, "pause of Orders in Payments failed:")


async def test_a_failure_to_find_the_event_is_told() -> None:
    system = a_system_that_fails()
    system.logs["Orders"] = []
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s")
        await wait_for_text(pilot, "nothing is skipped: Payments does not wait on Orders #8")


async def test_nobody_is_asked_who_has_left_meanwhile() -> None:
    system = _Slow()
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s", "enter")
        system.may_answer.set()
        await pilot.pause()
        shown = await press(pilot, "escape")
        assert "Skip" not in shown


async def test_events_with_unkind_content_are_asked_about() -> None:
    system = a_system_that_fails()
    system.logs["Orders"] = [EventView(8, UNKIND, UNKIND, 1, state=f'{{"a": "{UNKIND * 50_000}"}}')]
    async with an_overview(system) as pilot:
        await press(pilot, *TO_PAYMENTS, "s")
        shown = await wait_for_text(pilot, "Skip Orders #8 in Payments?")
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}
        assert "[/red]" in shown


class _Refusing(FakeSystem):
    def __init__(self) -> None:
        super().__init__()
        example = the_example()
        self.state, self.logs = example.state, example.logs

    async def pause_following(self, follower: str, leader: str, reason: str) -> None:
        msg = f"you may not: {UNKIND}"
        raise RequestFailed(msg)


class _Slow(FakeSystem):
    def __init__(self) -> None:
        super().__init__()
        example = a_system_that_fails()
        self.state, self.logs = example.state, example.logs
        self.may_answer = asyncio.Event()

    async def skip_event(
        self,
        follower: str,
        leader: str,
        notification_id: int,
        reason: str,
        *,
        is_dry_run: bool = False,
    ) -> EventView:
        await self.may_answer.wait()
        return await super().skip_event(
            follower, leader, notification_id, reason, is_dry_run=is_dry_run
        )


def _towards_reason(reason: str) -> tuple[str, ...]:
    """Returns the keys from the button that cancels to the field, and to the button that does it."""
    return ("shift+tab", *reason, "enter", "enter")
