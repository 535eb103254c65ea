"""What tests of methods need: applications, real ones and others, and the way to a method's form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from esgrpc_console.system_view import CallResult, MethodView, SystemOperations, SystemView
from esgrpc_console.system_view.json_values import JsonValue
from esgrpc_console.tui.places import ApplicationPlace, Open
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.method_form import MethodForm
from esgrpc_console.tui.widgets.methods_pane import MethodsPane
from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.esgrpc_console.conftest import QUICK, free_addresses, wait_for
from tests.esgrpc_console.every_type import EveryType
from tests.esgrpc_console.fake_system import FakeSystem, an_application, console_on
from tests.esgrpc_console.screen_reading import WIDE, wait_for_text

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


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server of an application that has a method for each type."""
    server = GrpcApplicationServer(EveryType, free_addresses(("EveryType",)))
    server.start()
    yield server.address
    server.stop()
    server.wait_for_termination()


@pytest.fixture
async def system(address: str) -> AsyncIterator[SystemView]:
    """A view of that application."""
    async with SystemView(address, env={}, options=QUICK) as view:
        yield view


@asynccontextmanager
async def methods_of(
    system: SystemOperations,
    application: str,
    method: str = "",
    *,
    size: tuple[int, int] = WIDE,
    is_read_only: bool = False,
    history_path: Path | None = None,
) -> AsyncIterator[Pilot[Exception]]:
    """Opens the console on the methods of an application, and goes into the form of one."""
    app = console_on(system, is_read_only=is_read_only, history_path=history_path)
    async with app.run_test(size=size) as pilot:
        await go_to(pilot, application, method)
        yield pilot


async def go_to(pilot: Pilot[Exception], application: str, method: str = "") -> None:
    """Goes to the methods of an application, and into the form of one."""
    await wait_for_text(pilot, application)
    pilot.app.screen.post_message(Open(ApplicationPlace(application, "methods", method=method)))
    await wait_for_text(pilot, "HISTORY")
    if method:
        await _enter(pilot, method)


async def start_anew(pilot: Pilot[Exception], method: str) -> None:
    """Goes into an empty form of a method, on the screen that is shown already."""
    (pane,) = pilot.app.screen.query(MethodsPane)
    pane.enter()
    pane.select_method(method)
    await wait_for(lambda: _shown(pilot) == [method], f"the form of {method}")
    await pilot.press("E")
    await _enter(pilot, method)


async def _enter(pilot: Pilot[Exception], method: str) -> None:
    await wait_for(lambda: _shown(pilot) == [method], f"the form of {method}")
    await pilot.press("enter")
    await wait_for(lambda: form(pilot).has_focus_within, "the form to have the focus")


def _shown(pilot: Pilot[Exception]) -> list[str]:
    forms = pilot.app.screen.query(MethodForm)
    return [form.method.name for form in forms if form.display and form.is_mounted]


def form(pilot: Pilot[Exception]) -> MethodForm:
    """Returns the form that is shown."""
    (shown,) = [form for form in pilot.app.screen.query(MethodForm) if form.display]
    return shown


def field(pilot: Pilot[Exception], key: str) -> Field:
    """Returns the first field of a name, in the form that is shown."""
    return next(one for one in form(pilot).query(Field) if one.key == key)


async def paste(pilot: Pilot[Exception], text: str) -> None:
    """Pastes text into what has the focus."""
    focused = pilot.app.focused
    assert isinstance(focused, Input | TextArea)
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()
