"""Calls that are remembered, made again and repeated; IDs that are completed."""

from __future__ import annotations

import shlex
from pathlib import Path

from esgrpc_console.system_view import CallFailed, CallResult
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    an_event,
    the_example,
)
from tests.esgrpc_console.screen_reading import (
    SMALL,
    wait_for_text,
)
from tests.esgrpc_console.tui.methods import SlowSystem, a_method, a_system, methods_of, paste

ORDER_ID = "00000000-0000-000c-000c-000c000c000c"
"""Of the newest event in the example."""


# IDs.


async def test_an_id_is_completed_from_those_seen() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press("f4")
        await wait_for_text(pilot, "IDs seen lately", f"{ORDER_ID}  Order.Paid #12")
        await pilot.press(*"#11", "enter")
        await wait_for_text(pilot, "order_id  UUID 00000000-0000-000b")
        await pilot.press("ctrl+u", *"00000000-0000-000c", "right", "enter")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"order_id": ORDER_ID}


async def test_ids_in_results_are_offered() -> None:
    system = the_example()
    system.answer = CallResult('{"id": "7b1c4f0e-0000-4000-8000-0000000091aa"}', 0.001)
    async with methods_of(system, "Orders", "create_new_order", size=SMALL) as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 1.0 ms")
        await pilot.press("escape", "down", "enter", *"7b", "right")
        await wait_for_text(pilot, "UUID 7b1c4f0e-0000-4000-8000-0000000091aa")


# History.


async def test_a_call_of_another_session_is_found_and_made_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.jsonl"
    system = the_example()
    async with methods_of(system, "Orders", "get_order", history_path=path) as pilot:
        await pilot.press(*ORDER_ID, "enter")
        await wait_for_text(pilot, "get_order(0000…) ✓ 3.1 ms")
        await pilot.press("escape", "up", "f5")
        await wait_for_text(pilot, "create_new_order() ✓ 3.1 ms")
        await wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") == 2, "the file")
    system.calls.clear()
    async with methods_of(system, "Orders", history_path=path) as pilot:
        await wait_for_text(pilot, "HISTORY", "create_new_order() ✓ 3.1 ms")
        await pilot.press("ctrl+r")
        await wait_for_text(pilot, f"Orders.get_order(order_id={ORDER_ID[:30]}")
        await pilot.press(*"getor", "enter")
        await wait_for_text(pilot, "query  get_order", f"order_id  UUID {ORDER_ID}")
        assert system.calls == []
        await pilot.press("ctrl+r", *"get", "f5")
        await wait_for(lambda: len(system.calls) == 1, "the query to be made again")
        assert system.calls == [("Orders", "get_order", {"order_id": ORDER_ID})]
        await pilot.press("escape", "ctrl+r")
        await wait_for_text(pilot, "calls that were made")
        await pilot.press(*"create", "f5")
        await wait_for_text(pilot, "Call Orders.create_new_order again?")
        assert len(system.calls) == 1
        await pilot.press("enter")
        await wait_for_text(pilot, "HISTORY")
        assert len(system.calls) == 1
        await pilot.press("ctrl+r", *"create", "f5")
        await wait_for_text(pilot, "Call Orders.create_new_order again?")
        await pilot.press("right", "enter")
        await wait_for(lambda: len(system.calls) == 2, "the command to be made again")


async def test_the_key_of_the_history_goes_on_to_an_older_call() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order") as pilot:
        await pilot.press(*ORDER_ID, "enter")
        await wait_for_text(pilot, "get_order(0000…) ✓ 3.1 ms")
        await pilot.press("escape", "up", "f5")
        await wait_for_text(pilot, "create_new_order() ✓ 3.1 ms")
        await pilot.press("ctrl+r")
        await wait_for_text(pilot, "calls that were made")
        await pilot.press("ctrl+r", "enter")
        await wait_for_text(pilot, "query  get_order", f"order_id  UUID {ORDER_ID}")


async def test_a_call_that_is_left_is_kept_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    async with methods_of(SlowSystem(), "Orders", "order", history_path=path) as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "CALLING")
        await pilot.press("o")
        await wait_for(path.exists, "the file")
        assert '"outcome": "unknown"' in path.read_text()
    async with methods_of(SlowSystem(), "Orders", "order", history_path=path) as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "CALLING")
    assert path.read_text().count('"outcome": "unknown"') == 2


async def test_secrets_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    secret = {"type": "string", "format": "password", "writeOnly": True}
    system = a_system(a_method("order", {"password": secret}))
    async with methods_of(system, "Orders", "order", history_path=path) as pilot:
        await pilot.press(*"hunter2")
        shown = await wait_for_text(pilot, "•••••••")
        assert "hunter2" not in shown
        await pilot.press("enter")
        await wait_for(lambda: path.exists() and b"order" in path.read_bytes(), "the file")
    assert system.calls[0][2] == {"password": "hunter2"}
    assert b"hunter2" not in path.read_bytes()


async def test_a_history_that_cannot_be_kept_is_said_and_calls_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "history.jsonl"
    async with methods_of(the_example(), "Orders", history_path=path) as pilot:
        await pilot.press("f5")
        await wait_for_text(pilot, "✓ 3.1 ms", "HISTORY   the history in")


async def test_a_call_is_copied_as_a_command_line() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order") as pilot:
        await pilot.press(*"7b1c", "escape", "Y")
        await wait_for(lambda: bool(pilot.app.clipboard), "the command line")
        words = shlex.split(pilot.app.clipboard)
    assert words[:2] == ["esgrpc-console", "call"]
    assert words[-2:] == ["Orders.get_order", "order_id=7b1c"]


# Repetition.


async def test_a_query_is_repeated_with_figures() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=(100, 40)) as pilot:
        await pilot.press(*"7b1c", "escape", "n")
        await wait_for_text(pilot, "Call Orders.get_order many times")
        await pilot.press(*"25", "enter")
        await wait_for_text(
            pilot, "✓ 25 of 25 calls   0 failed", "calls/s", "p50", "p99", "get_order ×25(7b1c) ✓"
        )
    assert len(system.calls) == 25


async def test_repeating_a_command_asks_first() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("n", *"3", "enter")
        await wait_for_text(pilot, "Call Orders.create_new_order 3 times?")
        await pilot.press("enter")
        assert system.calls == []
        await pilot.press("n", *"3", "enter")
        await wait_for_text(pilot, "Call Orders.create_new_order 3 times?")
        await pilot.press("right", "enter")
        await wait_for_text(pilot, "3 of 3 calls")
    assert len(system.calls) == 3


async def test_a_number_of_times_that_is_none_is_refused() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order") as pilot:
        await pilot.press("escape", "n")
        for times in ("0", "x", "1.5", "nan", "1e9", ""):
            await pilot.press("end", "ctrl+u")
            if times:
                await paste(pilot, times)
            await pilot.press("enter")
            await wait_for_text(pilot, "✗ times: a whole number from 1 to 100,000")
        await paste(pilot, "2")
        await pilot.press("tab", "x", "enter")
        await wait_for_text(pilot, "✗ pause: a number of seconds")
    assert system.calls == []


async def test_errors_are_counted_and_may_stop_the_repetition() -> None:
    system = the_example()
    system.answer = CallFailed("already paid", error_class="AssertionError")
    async with methods_of(system, "Orders", "get_order", size=(100, 40)) as pilot:
        await pilot.press("escape", "n", *"5", "enter")
        await wait_for_text(pilot, "✗ 5 of 5 calls   5 failed", "5 × AssertionError: already paid")
        await pilot.press("n", *"5", "down", "down", "right", "enter")
        await wait_for_text(pilot, "✗ 1 of 5 calls   1 failed", "Stopped: the last call failed.")
    assert len(system.calls) == 6


async def test_a_repetition_stops_where_an_outcome_is_unknown() -> None:
    system = the_example()
    system.answer = CallFailed("no answer in time", is_outcome_unknown=True)
    async with methods_of(system, "Orders", "get_order", size=(100, 40)) as pilot:
        await pilot.press("escape", "n", *"5", "enter")
        await wait_for_text(pilot, "1 of 5 calls", "the outcome of the last call is not known")
    assert len(system.calls) == 1


async def test_a_repetition_is_stopped_with_a_key() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=(100, 40)) as pilot:
        await pilot.press("escape", "n", *"1000", "tab", *"0.01", "enter")
        await wait_for(lambda: len(system.calls) > 3, "some calls")
        await wait_for_text(pilot, "esc stops it")
        await pilot.press("escape")
        await wait_for_text(pilot, "Stopped: it was given up.")
        made = len(system.calls)
        assert made < 1_000
        await pilot.pause(0.1)
        assert len(system.calls) == made


async def test_the_newest_event_is_offered_first() -> None:
    system = the_example()
    system.record("Orders", an_event(13))
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press("f4")
        await wait_for_text(pilot, "Order.Created #13")
