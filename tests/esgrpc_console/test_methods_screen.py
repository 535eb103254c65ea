"""Calling methods from their forms, driven by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from textual.widgets import Input

from esgrpc_console.system_view import (
    CallFailed,
    CallResult,
    MethodView,
)
from esgrpc_console.system_view.parameters import JsonValue
from tests.esgrpc_console.fake_system import (
    FakeSystem,
    an_application,
    console_on,
    the_example,
)
from tests.esgrpc_console.screen_reading import SMALL, UNKIND, WIDE, wait_for_text


async def test_a_command_is_called_with_two_keys_and_its_result_is_shown() -> None:
    system = the_example()
    system.answer = CallResult('"7b1c4f0e-0000-4000-8000-0000000091aa"', 0.0031)
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        shown = await wait_for_text(pilot, "7b1c4f0e-0000-4000-8000-0000000091aa", "✓ 3.1 ms")
        assert "create_new_order() -> UUID" in shown
        assert "Creates an order and returns its ID." in shown
        assert shown.index("COMMANDS") < shown.index("QUERIES")
    assert system.calls == [("Orders", "create_new_order", {})]


async def test_what_was_typed_is_sent_and_errors_are_shown_at_the_field() -> None:
    system = the_example()
    system.answer = CallFailed("no", violations={"order_id": "Input should be a valid UUID"})
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter")
        await pilot.press(*"7b1c", "enter")
        shown = await wait_for_text(pilot, "Input should be a valid UUID", "✗ not called")
        lines = shown.splitlines()
        (field,) = [row for row, line in enumerate(lines) if "order_id  UUID" in line]
        assert "Input should be a valid UUID" in lines[field + 1]
        system.answer = CallResult("true", 0.001)
        await pilot.press(*"4f0e", "enter")
        shown = await wait_for_text(pilot, "✓ 1.0 ms")
        assert "valid UUID" not in shown
    assert [arguments for _, _, arguments in system.calls] == [
        {"order_id": "7b1c"},
        {"order_id": "7b1c4f0e"},
    ]


async def test_an_exception_is_shown_with_class_message_and_traceback() -> None:
    system = the_example()
    system.answer = CallFailed(
        f"already paid {UNKIND}", error_class="AssertionError", traceback="Traceback: line 41"
    )
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        shown = await wait_for_text(pilot, "✗ AssertionError", "Traceback: line 41")
        assert "already paid [/red] [bold]x[/] ␛[2J␇� {curly}" in shown


async def test_a_call_whose_outcome_is_unknown_says_so() -> None:
    system = the_example()
    system.answer = CallFailed("no answer in time", is_outcome_unknown=True)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, "It may have been carried out all the same.")


async def test_the_outcome_of_each_method_is_kept() -> None:
    system = the_example()
    system.answer = CallResult('"first"', 0.001)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, '"first"')
        await pilot.press("escape", "down")
        shown = await wait_for_text(pilot, "get_order(order_id: UUID)")
        assert '"first"' not in shown
        await pilot.press("up")
        await wait_for_text(pilot, '"first"')


async def test_long_results_are_shortened_and_say_so() -> None:
    system = the_example()
    system.answer = CallResult('"' + "x" * 1_000_000 + '"', 0.1)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, "✓ 100 ms")
        await pilot.press(*["pagedown"] * 20)
        await wait_for_text(pilot, "… the first 20,000 of 1,000,002 characters")


async def test_q_is_a_letter_in_a_field() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter", "q", "l", "question_mark")
        assert app.screen.query_one("Field Input:focus", Input).value == "ql?"


class SlowSystem(FakeSystem):
    """Answers calls when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        result = await super().call_method(application, method, arguments)
        await self.may_answer.wait()
        return result


async def test_a_call_under_way_is_not_sent_twice() -> None:
    system = SlowSystem()
    methods = (MethodView("order", True, "()", ""),)
    system.state.put(an_application("Orders", 50051, methods=methods))
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "COMMANDS")
        await pilot.press("m", "enter", "enter", "enter", "enter")
        await wait_for_text(pilot, "calling …")
        system.may_answer.set()
        await wait_for_text(pilot, "✓")
    assert len(system.calls) == 1
