"""What tests of logs, aggregates and traces have in common."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from textual.app import App
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input

from esgrpc_console.system_view import SystemOperations
from esgrpc_console.tui.places import Open, Place
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event, console_on
from tests.esgrpc_console.screen_reading import WIDE, screen_text, wait_for_text

_ROW = re.compile(r"^[▸ ][• ] *([\d,]+)  (?:\d+-\d+-\d+ )?\d\d:\d\d:\d\d\.\d{3}  ", re.MULTILINE)
FakeT = TypeVar("FakeT", bound=FakeSystem)


def with_events(system: FakeT, count: int) -> FakeT:
    """Lets a system have one application, Orders, with a log of so many events."""
    system.state.put(an_application("Orders", 50051))
    if count:
        system.record("Orders", *(an_event(n) for n in range(1, count + 1)))
    return system


def a_system(count: int) -> FakeSystem:
    """Returns a system of one application, Orders, with a log of so many events."""
    return with_events(FakeSystem(), count)


@asynccontextmanager
async def opened(
    system: SystemOperations, place: Place, size: tuple[int, int] = WIDE
) -> AsyncIterator[Pilot[Exception]]:
    """Opens the console, and goes to a place."""
    app = console_on(system)
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_for_text(pilot, "Orders")
        app.screen.post_message(Open(place))
        yield pilot


def shown_ids(app: App[Exception]) -> list[int]:
    """Returns the IDs of the events on the screen."""
    return [int(found.replace(",", "")) for found in _ROW.findall(screen_text(app))]


def cursor_line(app: App[Exception]) -> str:
    """Returns the line that the cursor is on."""
    lines = [line for line in screen_text(app).splitlines() if line.startswith("▸")]
    return lines[0] if lines else ""


def place_of_text(app: App[Exception], text: str) -> Offset:
    """Returns where a text is on the screen."""
    for y, line in enumerate(screen_text(app).splitlines()):
        if text in line:
            return Offset(line.index(text), y)
    raise AssertionError(f"{text!r} is not on the screen\n{screen_text(app)}")


def type_text(pilot: Pilot[Exception], text: str) -> None:
    """Puts text into the field of the screen, in place of what was there."""
    pilot.app.screen.query_one(Input).value = text
