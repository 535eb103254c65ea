"""Pictures of methods: forms, JSON, results, errors, history, repetition."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import TextArea

from esgrpc_console.call_history import CallHistory, Outcome, PastCall
from esgrpc_console.system_view import CallFailed, CallResult, MethodView
from esgrpc_console.system_view.json_values import JsonObject
from eventsourcing_grpc.calls.json_arguments import parameters_schema
from eventsourcing_grpc.calls.signatures import shown_signature
from eventsourcing_grpc.methods import ExposedMethods
from tests.esgrpc_console.every_type import EveryType
from tests.esgrpc_console.fake_system import (
    EPOCH,
    FakeSystem,
    an_application,
    console_on,
    the_example,
)
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.methods import field, go_to, paste
from tests.esgrpc_console.tui.snapshots import SIZES, Compare, stop_blinking

Size = tuple[int, int]
ORDER_ID = "00000000-0000-000c-000c-000c000c000c"


def run_before(
    method: str, act: Callable[[Pilot[Exception]], Awaitable[None]], application: str = "Orders"
) -> Callable[[Pilot[Exception]], Awaitable[None]]:
    """Returns what goes into a form, does something there, and lets the screen rest."""

    async def run(pilot: Pilot[Exception]) -> None:
        await go_to(pilot, application, method)
        await act(pilot)
        stop_blinking(pilot)
        for area in pilot.app.screen.query(TextArea):
            area.cursor_blink = False

    return run


def every_type() -> FakeSystem:
    """Returns a system that has a method for each type, and answers with what it is told to."""
    system = FakeSystem()
    methods = [
        MethodView(
            method.name,
            method.name in {"wait", "refuse"},
            shown_signature(method.parameters),
            "Returns what it is given.",
            (),
            parameters_schema(method),
        )
        for method in ExposedMethods(EveryType)
    ]
    system.state.put(an_application("EveryType", 50051, methods=methods))
    return system


def a_history(path: Path) -> Path:
    """Returns a file that has some calls."""
    history = CallHistory(path)
    for minutes, method, order_id, outcome, text, times in (
        (9, "get_order", "x", Outcome.FAILED, "order_id: not a UUID", 1),
        (7, "create_new_order", "", Outcome.RETURNED, "7b1c", 1),
        (5, "create_new_order", "", Outcome.UNKNOWN, "given up", 1),
        (3, "is_order_paid", ORDER_ID, Outcome.RETURNED, "100 of 100", 100),
        (1, "get_order", ORDER_ID, Outcome.RETURNED, "{}", 1),
    ):
        at = EPOCH - timedelta(minutes=minutes)
        title = "eventsourcing_grpc.example:system"
        arguments: JsonObject = {"order_id": order_id} if order_id else {}
        history.write(
            PastCall(at, title, "Orders", method, arguments, outcome, 0.0029, text, times=times)
        )
    return path


@SIZES
def test_a_result(snap_compare: Compare, size: Size) -> None:
    system = the_example()
    result = {"id": ORDER_ID, "is_reserved": True, "is_paid": False, "lines": [{"price": "1.10"}]}
    system.answer = CallResult(json.dumps(result), 0.0031)

    async def act(pilot: Pilot[Exception]) -> None:
        await paste(pilot, ORDER_ID)
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 3.1 ms", "is_reserved  true")

    assert snap_compare(
        console_on(system), terminal_size=size, run_before=run_before("get_order", act)
    )


@SIZES
def test_a_wrong_argument(snap_compare: Compare, size: Size) -> None:
    system = the_example()
    wrong = "Input should be a valid UUID, invalid length: found 3"
    system.answer = CallFailed("no", violations={"order_id": wrong})

    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press(*"7b1", "enter")
        await wait_for_text(pilot, wrong, "✗ not called")

    assert snap_compare(
        console_on(system), terminal_size=size, run_before=run_before("get_order", act)
    )


@SIZES
def test_an_error(snap_compare: Compare, size: Size) -> None:
    system = the_example()
    system.answer = CallFailed(
        "Order 55e0 already paid",
        error_class="AssertionError",
        traceback='Traceback (most recent call last):\n  File "shop/payments.py", line 41, in pay\n'
        "    assert not order.is_paid, …\nAssertionError: Order 55e0 already paid",
        is_outcome_unknown=True,
    )

    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ AssertionError", "carried out all the same")
        # How long it took is another time each time.

    assert snap_compare(
        console_on(system), terminal_size=size, run_before=run_before("create_new_order", act)
    )


@SIZES
def test_a_nested_form(snap_compare: Compare, size: Size) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await paste(pilot, "Baker Street")
        await pilot.press("down", "down", "x", "down", "ctrl+o", "tab", "enter", "a", "ctrl+n", "b")
        await wait_for_text(pilot, "[1]", "[1]: str")

    assert snap_compare(
        console_on(every_type()),
        terminal_size=size,
        run_before=run_before("take_model", act, "EveryType"),
    )


@SIZES
def test_a_long_form(snap_compare: Compare, size: Size) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press("1", "down", "x")
        field(pilot, "p26").enter()
        await pilot.press("g")
        await wait_for_text(pilot, "p26: Colour | None")

    assert snap_compare(
        console_on(every_type()),
        terminal_size=size,
        run_before=run_before("take_many", act, "EveryType"),
    )


@SIZES
def test_json(snap_compare: Compare, size: Size) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await paste(pilot, "Baker Street")
        await pilot.press("f9")
        await wait_for_text(pilot, '"street": "Baker Street"')
        await pilot.press("down", "x")
        await wait_for_text(pilot, "✗ line 2, column 1")

    assert snap_compare(
        console_on(every_type()),
        terminal_size=size,
        run_before=run_before("take_model", act, "EveryType"),
    )


@SIZES
def test_history(snap_compare: Compare, size: Size, tmp_path: Path) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press("ctrl+r")
        await wait_for_text(pilot, "calls that were made", "is_order_paid ×100")
        await pilot.press(*"order")

    app = console_on(the_example(), history_path=a_history(tmp_path / "history.jsonl"))
    assert snap_compare(app, terminal_size=size, run_before=run_before("get_order", act))


@SIZES
def test_ids_that_were_seen(snap_compare: Compare, size: Size) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press("f4")
        await wait_for_text(pilot, "IDs seen lately", "Order.Created #1")

    assert snap_compare(
        console_on(the_example()), terminal_size=size, run_before=run_before("get_order", act)
    )


@SIZES
def test_how_often_to_repeat(snap_compare: Compare, size: Size) -> None:
    async def act(pilot: Pilot[Exception]) -> None:
        await pilot.press("n", *"25")
        await wait_for_text(pilot, "Call Orders.create_new_order many times")

    assert snap_compare(
        console_on(the_example()),
        terminal_size=size,
        run_before=run_before("create_new_order", act),
    )


@SIZES
def test_read_only(snap_compare: Compare, size: Size) -> None:
    async def run(pilot: Pilot[Exception]) -> None:
        await go_to(pilot, "Orders")
        await wait_for_text(pilot, "Call (read-only)")

    app = console_on(the_example(), is_read_only=True, context="production")
    assert snap_compare(app, terminal_size=size, run_before=run)
