"""Each type of argument, written in a form, goes to a real application and back."""

from __future__ import annotations

import pytest

from esgrpc_console.system_view import SystemView
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.methods import address  # noqa: F401 (a fixture)
from tests.esgrpc_console.tui.methods import system  # noqa: F401 (a fixture)
from tests.esgrpc_console.tui.methods import (
    methods_of,
    paste,
    start_anew,
)

UUID = "7b1c4f0e-0000-4000-8000-0000000091aa"


Case = tuple[str, list[str], str]
"""A method, keys and texts (behind a sign) that are written, and the beginning of the result."""

CASES: list[Case] = [
    ("take_bool", ["t", "enter"], "True"),
    ("take_bool", ["right", "right", "enter"], "False"),
    ("take_int", ["=-12", "enter"], "-12"),
    ("take_float", ["=1.5e3", "enter"], "1500.0"),
    ("take_decimal", ["=1.10", "enter"], "Decimal('1.10')"),
    ("take_str", ["=a q?:", "enter"], "'a q?:'"),
    ("take_str", ["enter"], "''"),
    ("take_str", ["f3", "a", "enter", "b", "f5"], r"'a\\nb'"),
    ("take_bytes", ["=aGk=", "enter"], "b'hi'"),
    ("take_uuid", [f"={UUID}", "enter"], f"UUID('{UUID}')"),
    ("take_date", ["=2026-11-23", "enter"], "datetime.date(2026, 11, 23)"),
    ("take_date", ["ctrl+t", "enter"], "datetime.date(2026, 11, 23)"),
    ("take_time", ["=14:02", "enter"], "datetime.time(14, 2)"),
    ("take_datetime", ["=2026-11-23T14:02", "enter"], "datetime.datetime(2026, 11, 23, 14, 2)"),
    ("take_datetime", ["ctrl+t", "enter"], "datetime.datetime(2026, 11, 23, 14, 2, 9, tz"),
    ("take_timedelta", ["=01:30:00", "enter"], "datetime.timedelta(seconds=5400)"),
    ("take_enum", ["g", "f5"], "'GREEN'"),
    ("take_literal", ["enter", "M", "a", "r", "enter", "f5"], "'Mars'"),
    ("take_optional", ["=a", "enter"], "'a'"),
    ("take_optional", ["enter"], "''"),
    ("take_optional", ["=a", "ctrl+o", "enter"], "None"),
    ("take_optional", ["=a", "ctrl+o", "ctrl+o", "enter"], "'a'"),
    ("take_default", ["enter"], "('usual', 7)"),
    ("take_default", ["ctrl+o", "enter"], "('', 7)"),
    ("take_default", ["=x", "down", "=8", "enter"], "('x', 8)"),
    ("take_optional_default", ["enter"], "5"),
    ("take_optional_default", ["ctrl+o", "enter"], "None"),
    ("take_optional_default", ["6", "enter"], "6"),
    ("take_list", ["f5"], "[]"),
    ("take_list", ["enter", "1", "ctrl+n", "2", "ctrl+n", "3", "enter"], "[1, 2, 3]"),
    ("take_list", ["enter", "1", "ctrl+n", "2", "up", "f8", "enter"], "[2]"),
    (
        "take_model",
        ["=x", "down", "=y", "enter"],
        "Address(street='x', city='y', since=None, tags=[])",
    ),
    (
        "take_node",
        ["1", "down", "ctrl+o", "tab", "enter", "2", "enter"],
        "Node(value=1, children=[Node(value=2, children=[])])",
    ),
    ("take_typed_dict", ["3", "down", "t", "enter"], "{'depth': 3, 'is_deep': True}"),
    ("take_tuple", ["3", "down", "=1.5", "enter"], "Point(x=3, y=1.5)"),
    ("take_dict", ['={"a": 1}', "f5"], "{'a': 1}"),
    ("take_union", ["right", "down", "7", "enter"], "7"),
    ("take_union", ["down", f"={UUID}", "enter"], f"UUID('{UUID}')"),
    ("take_any", ["=one", "enter"], "'one'"),
    ("take_any", ["=[1,null]", "enter"], "[1, None]"),
    ("take_names", ["right", "tab", "enter", "4", "enter"], "((4,), {})"),
    ("take_names", ["tab", "ctrl+o", "tab", '={"a": "b"}', "f5"], "((), {'a': 'b'})"),
]


def grouped(cases: list[Case], size: int = 6) -> list[list[Case]]:
    """One console is enough for several."""
    return [cases[i : i + size] for i in range(0, len(cases), size)]


@pytest.mark.parametrize("cases", grouped(CASES), ids=lambda cases: f"{cases[0][0]} and others")
async def test_what_is_written_reaches_the_application(
    system: SystemView, cases: list[Case]  # noqa: F811
) -> None:
    async with methods_of(system, "EveryType", size=(100, 40)) as pilot:
        for method, keys, result in cases:
            await start_anew(pilot, method)
            for key in keys:
                if key.startswith("="):
                    await paste(pilot, key[1:])
                else:
                    await pilot.press(key)
            await wait_for_text(pilot, f'"{result}', "✓")
