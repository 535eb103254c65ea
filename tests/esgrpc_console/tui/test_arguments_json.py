"""Arguments as JSON, beside the form; large and harmful ones."""

from __future__ import annotations

from textual.widgets import TextArea

from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    the_example,
)
from tests.esgrpc_console.screen_reading import (
    SMALL,
    wait_for_text,
)
from tests.esgrpc_console.tui.methods import TEXT, a_method, a_system, form, methods_of, paste


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
