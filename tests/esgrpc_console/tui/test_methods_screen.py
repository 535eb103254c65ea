"""Methods: the list, calls and how they end; driven by keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from esgrpc_console.system_view import CallFailed, CallResult, MethodView, RequestFailed
from esgrpc_console.system_view.json_values import JsonValue
from esgrpc_console.tui.places import ApplicationPlace, Open
from esgrpc_console.tui.widgets import call_outcome
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.method_form import CallButton
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    FakeSystem,
    an_application,
    console_on,
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
from tests.esgrpc_console.tui.methods import TEXT, SlowSystem, a_method, a_system, form, methods_of

ORDER_ID = "00000000-0000-000c-000c-000c000c000c"
"""Of the newest event in the example."""


# The list.


async def test_commands_are_listed_apart_from_queries_in_words() -> None:
    async with methods_of(the_example(), "Orders", size=SMALL) as pilot:
        shown = await wait_for_text(pilot, "create_new_order() -> UUID")
        assert shown.index("COMMANDS") < shown.index("create_new_order")
        assert shown.index("QUERIES") < shown.index("get_order")
        assert "command  create_new_order()" in shown
        assert "Creates an order and returns its ID." in shown
        await pilot.press("down")
        await wait_for_text(pilot, "query  get_order(order_id: UUID)")


async def test_the_list_is_filtered_by_a_text_and_shown_whole_again() -> None:
    async with methods_of(the_example(), "Orders", size=SMALL) as pilot:
        await pilot.press("slash", *"paid")
        shown = await wait_for_text(pilot, "1 of 3", "query  is_order_paid")
        assert "  create_new_order" not in shown
        await pilot.press("enter", "slash", *["backspace"] * 4, *"!order_")
        await wait_for_text(pilot, "1 of 3", "command  create_new_order")
        await pilot.press("escape")
        await wait_for_text(pilot, "  is_order_paid", "  get_order")


async def test_a_place_leads_to_a_method() -> None:
    async with methods_of(the_example(), "Orders", "is_order_paid") as pilot:
        assert form(pilot).method.name == "is_order_paid"


async def test_methods_that_are_not_known_yet_are_listed_when_they_are() -> None:
    system = the_example()
    known = system.state.applications["Orders"]
    system.state.put(replace(known, description=None))
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Orders")
        place = ApplicationPlace("Orders", "methods", method="get_order")
        app.screen.post_message(Open(place))
        await wait_for_text(pilot, "not described yet")
        system.state.put(known)
        await wait_for_text(pilot, "query  get_order(")


async def test_hostile_names_and_docstrings_are_text() -> None:
    docstring = f"{UNKIND}\n{'x' * 1_000_000}"
    method = MethodView(f"order{UNKIND}", True, f"(x: {UNKIND})", docstring, (), UNKIND)
    async with methods_of(a_system(method), "Orders", size=SMALL) as pilot:
        shown = await wait_for_text(pilot, "[/red] [bold]x[/] ␛[2J␇� {curly} $accent 你好")
        assert "\x1b" not in shown
        assert "\u202e" not in shown


# Calls.


async def test_a_command_is_called_with_two_keys_and_its_result_is_shown() -> None:
    system = the_example()
    system.answer = CallResult('"7b1c4f0e-0000-4000-8000-0000000091aa"', 0.0031)
    async with methods_of(system, "Orders", "create_new_order", size=SMALL) as pilot:
        await pilot.press("enter")
        await wait_for_text(
            pilot, "7b1c4f0e-0000-4000-8000-0000000091aa", "✓ 3.1 ms", "create_new_order() ✓ 3.1 ms"
        )
    assert system.calls == [("Orders", "create_new_order", {})]


async def test_a_call_is_made_with_a_key_from_the_list() -> None:
    system = the_example()
    async with methods_of(system, "Orders") as pilot:
        await pilot.press("f5")
        await wait_for_text(pilot, "✓ 3.1 ms")
        await pilot.press("ctrl+j")
        await wait_for(lambda: len(system.calls) == 2, "another call")


async def test_the_mouse_calls_too() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        # What has the focus has its place.
        await pilot.pause()
        await pilot.click(form(pilot).query_one(CallButton))
        await wait_for(lambda: len(system.calls) == 1, "the call")


async def test_what_is_wrong_is_marked_while_it_is_typed() -> None:
    async with methods_of(the_example(), "Orders", "get_order", size=SMALL) as pilot:
        await wait_for_text(pilot, "order_id: UUID, required", "required")
        await pilot.press(*"0x")
        await wait_for_text(pilot, "0x", "✗", "order_id: not a UUID")
        await pilot.press("backspace", "a")
        await wait_for_text(pilot, "not a whole UUID yet: 2 of 32 digits")


async def test_what_the_server_says_is_wrong_is_shown_under_the_field() -> None:
    system = the_example()
    system.answer = CallFailed("no", violations={"order_id": "Input should be a valid UUID"})
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press(*"7b1c", "enter")
        shown = await wait_for_text(pilot, "Input should be a valid UUID", "✗ not called")
        lines = shown.splitlines()
        (field,) = [row for row, line in enumerate(lines) if "order_id  UUID 7b1c" in line]
        assert "Input should be a valid UUID" in lines[field + 1]
        system.answer = CallResult("true", 0.001)
        await pilot.press("4")

        def is_gone() -> bool:
            shown = screen_text(pilot.app).splitlines()
            return all("should be" not in line for line in shown if "HISTORY" not in line)

        await wait_for(is_gone, "what the server said to be gone")
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 1.0 ms")
    assert [arguments for _, _, arguments in system.calls] == [
        {"order_id": "7b1c"},
        {"order_id": "7b1c4"},
    ]


@pytest.mark.parametrize(
    "violations",
    [{"address": "city: Too cold; tags[1]: Too long"}, {"address.city": "Too cold"}],
)
async def test_what_is_wrong_inside_an_argument_is_shown_there(
    violations: Mapping[str, str],
) -> None:
    address = {
        "type": "object",
        "properties": {"city": TEXT, "tags": {"type": "array", "items": TEXT}},
        "required": ["city", "tags"],
    }
    system = a_system(a_method("order", {"address": address, "title": TEXT}))
    system.answer = CallFailed("no", violations=violations)
    async with methods_of(system, "Orders", "order") as pilot:
        await pilot.press(*"Rome", "enter")
        lines = (await wait_for_text(pilot, "Too cold")).splitlines()
        (row,) = [row for row, line in enumerate(lines) if "Rome" in line]
        assert "Too cold" in lines[row + 1]
        if "address" in violations:
            (row,) = [row for row, line in enumerate(lines) if "tags" in line and "Too" not in line]
            assert any("[1]: Too long" in line or "1: Too long" in line for line in lines[row:])


async def test_what_has_no_field_is_shown_beside_the_form() -> None:
    system = the_example()
    system.answer = CallFailed("what: There is no such parameter", violations={"what": "No"})
    async with methods_of(system, "Orders", "get_order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "what: There is no such parameter")


async def test_an_exception_is_shown_with_class_message_and_traceback_that_folds() -> None:
    system = the_example()
    system.answer = CallFailed(
        f"already paid {UNKIND}", error_class="AssertionError", traceback="Traceback: line 41"
    )
    async with methods_of(system, "Orders", "create_new_order", size=(100, 30)) as pilot:
        await pilot.press("enter")
        shown = await wait_for_text(pilot, "✗ AssertionError", "Traceback: line 41")
        assert "already paid [/red] [bold]x[/] ␛[2J␇� {curly}" in shown
        await pilot.press("v")
        await wait_for(lambda: "line 41" not in screen_text(pilot.app), "the traceback to be gone")
        await pilot.press("v")
        await wait_for_text(pilot, "already paid", "Traceback: line 41")


async def test_a_command_whose_outcome_is_unknown_says_so() -> None:
    system = the_example()
    system.answer = CallFailed("no answer in time", is_outcome_unknown=True)
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("enter")
        await wait_for_text(
            pilot, "no answer in time", "It may have been carried out all the same."
        )


async def test_an_application_that_is_gone_is_said() -> None:
    class Gone(FakeSystem):
        async def call_method(
            self, application: str, method: str, arguments: Mapping[str, JsonValue]
        ) -> CallResult:
            raise RequestFailed("connection refused")

    system = Gone()
    system.state.put(an_application("Orders", 50051, methods=(a_method(),)))
    async with methods_of(system, "Orders", "order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ not called", "connection refused")


async def test_what_nobody_expected_is_shown_and_ends_the_call() -> None:
    class Broken(FakeSystem):
        async def call_method(
            self, application: str, method: str, arguments: Mapping[str, JsonValue]
        ) -> CallResult:
            raise LookupError(UNKIND)

    system = Broken()
    system.state.put(an_application("Orders", 50051, methods=(a_method(),)))
    async with methods_of(system, "Orders", "order", size=(100, 30)) as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ not called", "the console failed: LookupError: [/red]")


async def test_the_outcome_of_each_method_is_kept() -> None:
    system = the_example()
    system.answer = CallResult('"first"', 0.001)
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, '"first"')
        await pilot.press("escape", "down")
        shown = await wait_for_text(pilot, "get_order(order_id: UUID)")
        assert '"first"' not in shown
        await pilot.press("up")
        await wait_for_text(pilot, '"first"')


async def test_a_result_is_a_tree_that_opens_and_closes_or_text() -> None:
    system = the_example()
    system.answer = CallResult('{"order": {"is_paid": true, "items": [1, 2.50]}, "n": null}', 0.001)
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("enter")
        shown = await wait_for_text(pilot, "▾ order  2 members", "is_paid  true", "[1]  2.50")
        assert '"is_paid"' not in shown
        await pilot.press("tab", "enter")
        await wait_for(lambda: "is_paid" not in screen_text(pilot.app), "the order to be closed")
        await pilot.press("v")
        await wait_for_text(pilot, '"is_paid": true')


async def test_a_result_of_many_megabytes_is_bounded_and_copied_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(call_outcome, "copy", lambda app, text, what: copied.append(text))
    system = the_example()
    text = json.dumps(["x" * 1_000] * 10_000)
    system.answer = CallResult(text, 0.1)
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 100 ms", f"{len(text):,} characters  y copies all")
        await pilot.press("tab", "end")
        await wait_for_text(pilot, f"of {len(text):,} characters")
        await pilot.press("y")
        await wait_for(lambda: bool(copied), "the result to be copied")
    assert copied == [text]


async def test_what_the_cursor_is_on_in_a_result_can_be_traced() -> None:
    system = the_example()
    system.answer = CallResult(json.dumps({"id": ORDER_ID}), 0.001)
    async with methods_of(system, "Orders", "create_new_order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, f"id  {ORDER_ID}")
        await pilot.press("tab", "t")
        await wait_for_text(pilot, f"mentions {ORDER_ID}")


async def test_q_is_a_letter_in_a_field() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press(*"qlnYJ", "question_mark", "slash", "1", "enter")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"order_id": "qlnYJ?/1"}


# What is under way.


async def test_a_call_under_way_says_for_how_long_and_is_not_sent_twice() -> None:
    system = SlowSystem()
    async with methods_of(system, "Orders", "order") as pilot:
        await pilot.press("enter", "enter", "f5")
        await wait_for_text(pilot, "calling …  0.", "CALLING   order  0.", "esc gives it up")
        system.may_answer.set()
        await wait_for_text(pilot, "✓ 3.1 ms")
    assert len(system.calls) == 1


async def test_another_method_waits_until_the_call_has_ended() -> None:
    system = SlowSystem(a_method("first"), a_method("second"))
    async with methods_of(system, "Orders", "first") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "CALLING   first")
        await pilot.press("up", "up")
        (button,) = form(pilot).query(CallButton)
        assert button.has_focus
        pilot.app.screen.query_one("MethodList #methods").focus()
        await pilot.press("down", "f5")
        await wait_for_text(pilot, "first is being called: esc gives it up")
        system.may_answer.set()
        await wait_for_text(pilot, "HISTORY", "first() ✓")
        await pilot.press("f5")
        await wait_for_text(pilot, "second() ✓")


async def test_a_call_that_is_given_up_may_have_been_carried_out() -> None:
    system = SlowSystem()
    async with methods_of(system, "Orders", "order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "calling …")
        await pilot.press("escape")
        await wait_for_text(
            pilot, "given up", "It may have been carried out all the same.", "order() ?"
        )
        assert system.cancelled == 1
        system.may_answer.set()
        await pilot.press("f5")
        await wait_for_text(pilot, "✓ 3.1 ms")


async def test_a_query_that_is_given_up_needs_no_warning() -> None:
    system = SlowSystem(a_method(is_command=False))
    async with methods_of(system, "Orders", "order") as pilot:
        await pilot.press("enter")
        await wait_for_text(pilot, "calling …")
        await pilot.press("escape")
        shown = await wait_for_text(pilot, "? given up after")
        assert "carried out" not in shown


# Read only.


async def test_commands_are_disabled_visibly_where_nothing_may_be_changed() -> None:
    system = the_example()
    async with methods_of(system, "Orders", is_read_only=True) as pilot:
        await wait_for_text(pilot, "COMMANDS  read-only", "Call (read-only)")
        await pilot.press("f5", "n", "enter", "enter")
        assert system.calls == []
        await pilot.press("down", "f5")
        await wait_for(lambda: len(system.calls) == 1, "the query to be called")
    assert system.calls[0][1] == "get_order"


# Sizes.


@pytest.mark.parametrize("size", [TINY, SMALL, WIDE])
async def test_nothing_breaks_in_any_size(size: tuple[int, int]) -> None:
    async with methods_of(the_example(), "Orders", "get_order", size=size) as pilot:
        await pilot.press("7", "enter", "f9", "f9", "escape", "n", "escape", "ctrl+r", "escape")
        await pilot.resize_terminal(40, 10)
        await pilot.resize_terminal(160, 45)
        await wait_for_text(pilot, "query  get_order", "get_order(7) ✓")


async def test_thirty_parameters_scroll() -> None:
    names = [f"parameter_{n:02}" for n in range(30)]
    system = a_system(a_method("order", {name: {"type": "integer"} for name in names}))
    async with methods_of(system, "Orders", "order", size=SMALL) as pilot:
        shown = await wait_for_text(pilot, "parameter_00", "Call")
        assert "parameter_29" not in shown
        fields = [field for field in form(pilot).query(Field) if field.key == names[-1]]
        fields[0].enter()
        await pilot.press(*"12", "enter")
        await wait_for_text(pilot, "parameter_29  int 12", "Call")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"parameter_29": 12}
