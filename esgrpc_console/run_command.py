"""What ``esgrpc-console run`` does: starts a system's servers, opens the console on them, stops them."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from esgrpc_console.local_system import LocalSystem
from esgrpc_console.system_view import RequestFailed
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from eventsourcing_grpc.topics import add_app_dir, resolve_system
from eventsourcing_grpc.user_errors import UserError

_SHOWN_LINES = 6


class CommandError(Exception):
    """Raised when a command can't do what it was asked. The text is for the person who asked."""


def run_system(system_topic: str, *, data_dir: Path | None, app_dir: Path) -> None:
    """Runs a system and its console until the person quits.

    :raises CommandError: when the system can't be found or started, and without a terminal.
    """
    add_app_dir(app_dir)
    try:
        local_system = LocalSystem(resolve_system(system_topic), data_dir)
    except UserError as e:
        raise CommandError(str(e)) from e
    # Textual draws on standard error, so that standard output may go elsewhere.
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        msg = "the console needs a terminal: standard input and standard error must be one"
        raise CommandError(msg)
    with local_system as local:
        failure = asyncio.run(_show(local, system_topic))
    if failure is not None:
        raise CommandError(_explain(failure)) from failure


async def _show(local: LocalSystem, system_topic: str) -> Exception | None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        app = ConsoleApp(
            SystemToShow(
                title=system_topic,
                open=lambda: local.open(stack),
                progress=local.progress,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, app.exit)
        return await app.run_async()


def _explain(failure: Exception) -> str:
    if not isinstance(failure, (UserError, RequestFailed)):
        return f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    first, *others = [line for line in str(failure).splitlines() if line.strip()] or [""]
    return "\n".join([first, *others[-_SHOWN_LINES:]])
