"""Methods: the list, calls and how they end, JSON, history, repetition; driven by keys."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from textual.widgets import TextArea

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
    an_event,
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
from tests.esgrpc_console.tui.methods import form, methods_of, paste

ORDER_ID = "00000000-0000-000c-000c-000c000c000c"
"""Of the newest event in the example."""


NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})
TEXT = {"type": "string"}


def a_system(*methods: MethodView) -> FakeSystem:
    """Returns a system of one application with these methods."""
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051, methods=methods))
    return system


def a_method(
    name: str = "order", schemas: Mapping[str, object] = NO_PARAMETERS, *, is_command: bool = True
) -> MethodView:
    """Returns a method that has these parameters, all of them required."""
    schema = {"properties": dict(schemas), "required": list(schemas)}
    return MethodView(name, is_command, "()", "", (), json.dumps(schema))


class SlowSystem(FakeSystem):
    """Answers calls when it may."""

    def __init__(self, *methods: MethodView) -> None:
        super().__init__()
        self.state.put(an_application("Orders", 50051, methods=methods or (a_method(),)))
        self.may_answer = asyncio.Event()
        self.cancelled = 0

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        result = await super().call_method(application, method, arguments)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return result


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


# JSON.


async def test_form_and_json_have_the_same_arguments() -> None:
    price = {"anyOf": [{"type": "number"}, {"type": "string"}]}
    system = a_system(a_method("order", {"title": TEXT, "price": price}))
    async with methods_of(system, "Orders", "order", size=SMALL) as pilot:
        await pilot.press("a", "down", *"1.10", "f9")
        await wait_for_text(pilot, '"title": "a"', '"price": "1.10"')
        area = form(pilot).query_one("ArgumentsJson TextArea", TextArea)
        area.text = '{"price": 2.50, "title": "b"}'
        await pilot.press("f9")
        await wait_for_text(pilot, "price  Decimal 2.50")
        await pilot.press("escape", "J")
        await wait_for_text(pilot, '"price": "2.50"')
        await pilot.press("f5")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"title": "b", "price": "2.50"}


async def test_wrong_json_says_where_and_keeps_the_form() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press(*"7b", "f9")
        await wait_for_text(pilot, '"order_id": "7b"')
        area = form(pilot).query_one("ArgumentsJson TextArea", TextArea)
        area.text = '{\n  "order_id": x\n}'
        await wait_for_text(pilot, "✗ line 2, column 15: expecting value")
        await pilot.press("f9", "f5")
        await wait_for_text(pilot, "✗ line 2, column 15: expecting value")
        area.text = '{"order_id": "8c"}'
        await pilot.press("f9")
        await wait_for_text(pilot, "order_id  UUID 8c")
    assert system.calls == []


async def test_json_that_the_form_cannot_show_stays_json_and_can_be_called() -> None:
    system = the_example()
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press("f9")
        area = form(pilot).query_one("ArgumentsJson TextArea", TextArea)
        area.text = '{"order_id": [1], "what": 2}'
        await pilot.press("f9")
        await wait_for_text(pilot, "order_id: [1] is no UUID", "the form can't show this")
        await pilot.press("f5")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"order_id": [1], "what": 2}


async def test_an_argument_of_a_megabyte_is_pasted_and_sent() -> None:
    system = a_system(a_method("order", {"text": TEXT}))
    async with methods_of(system, "Orders", "order", size=SMALL) as pilot:
        await paste(pilot, "x" * 1_000_000)
        await pilot.press("enter")
        await wait_for(lambda: len(system.calls) == 1, "the call")
        await pilot.press("f9")
        await wait_for_text(pilot, '"text": "xxxx')
        await pilot.press("f5")
        await wait_for(lambda: len(system.calls) == 2, "the call of the JSON")
    assert [arguments for _, _, arguments in system.calls] == [{"text": "x" * 1_000_000}] * 2


async def test_lines_that_are_pasted_are_all_there_and_harmless() -> None:
    system = a_system(a_method("order", {"text": TEXT}))
    async with methods_of(system, "Orders", "order", size=SMALL) as pilot:
        await pilot.press("a")
        await paste(pilot, "b\r\nc\x1b[2J\n")
        await wait_for_text(pilot, "c␛[2J")
        await pilot.press("f5")
        await wait_for(lambda: len(system.calls) == 1, "the call")
    assert system.calls[0][2] == {"text": "ab\nc␛[2J\n"}


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


async def test_an_event_is_no_id_of_its_own() -> None:
    system = the_example()
    system.record("Orders", an_event(13))
    async with methods_of(system, "Orders", "get_order", size=SMALL) as pilot:
        await pilot.press("f4")
        await wait_for_text(pilot, "Order.Created #13")
