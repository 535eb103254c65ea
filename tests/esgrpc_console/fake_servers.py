"""Servers that nobody has started, which have written what a test has chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esgrpc_console.server_output import ServerOutput
from esgrpc_console.system_view import RequestFailed
from esgrpc_console.system_view.views import RESTARTING, STOPPED_BY_YOU
from tests.esgrpc_console.fake_system import NOW, FakeSystem


class FakeServers:
    """Notes what is to be done with servers, and lets the state of a system tell it."""

    def __init__(self, system: FakeSystem, output: ServerOutput | None = None) -> None:
        self.output = output or ServerOutput()
        self.changes: list[tuple[str, str]] = []
        self.error = ""
        """Why the next change fails. Empty: it does not."""
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self._system = system

    @property
    def names(self) -> Sequence[str]:
        """The names of the applications, in the order of the system."""
        return ("Orders", "Reservations", "Payments")

    async def stop_server(self, application: str) -> None:
        """Notes that it was asked."""
        await self._change("stop", application, STOPPED_BY_YOU)
        self._system.state.set_ending(application, STOPPED_BY_YOU)
        self._system.state.lose(application, "connection refused", since=NOW - 3)

    async def restart_server(self, application: str) -> None:
        """Notes that it was asked."""
        await self._change("restart", application, RESTARTING)
        self._system.state.set_ending(application, "")

    async def _change(self, what: str, application: str, ending: str) -> None:
        self.changes.append((what, application))
        self._system.state.set_ending(application, ending)
        await self.may_finish.wait()
        if self.error:
            raise RequestFailed(self.error)


def some_output(output: ServerOutput) -> None:
    """Lets three servers have written what servers write."""
    library = "eventsourcing_grpc.server.serving"
    for name, port in (("Orders", 50051), ("Reservations", 50052), ("Payments", 50053)):
        at = f"2026-11-23 14:00:00,{port % 1000:03d}"
        output.keep(name, f"{at} INFO {library}: {name} is serving on localhost:{port}")
    output.keep("Payments", "2026-11-23 14:00:01,118 WARNING shop.bank: no answer in 0.5 s")
    output.keep("Payments", "2026-11-23 14:00:01,640 ERROR shop.bank: Order 55e0 is not paid")
    output.keep("Payments", "Traceback (most recent call last):")
    output.keep("Payments", '  File "shop/payments.py", line 41, in policy')
    output.keep("Payments", "    raise AssertionError(f'Order {order_id} already paid')")
    output.keep("Payments", "AssertionError: Order 55e0 already paid")
    output.keep(
        "Orders", "2026-11-23 14:00:02,003 DEBUG shop.orders: 12 orders, [/red] \x1b[2J\u202e"
    )
    output.keep("Orders", "Hello, I am no log record, and have emoji: 🎉 你好")
