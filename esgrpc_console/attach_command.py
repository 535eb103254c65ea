"""What ``esgrpc-console attach`` does: opens the console on a system that is running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.command_lines import Target
from esgrpc_console.configuration import Configuration
from esgrpc_console.outcome import SUCCESS, CommandFailed
from esgrpc_console.system_view import RequestFailed

_STATE_DIRECTORY = "esgrpc-console"
_HISTORY = "history.jsonl"


def attach_system(system: ChosenSystem, configuration: Configuration) -> int:
    """Shows a system until the person quits, and returns the exit status.

    :raises CommandFailed: when there is no connection, and without a terminal.
    """
    # Textual draws on standard error, so that standard output may go elsewhere.
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        msg = (
            "the console needs a terminal: standard input and standard error must be one "
            "(without one, use status, log, call and the other commands)"
        )
        raise CommandFailed(msg)
    # What gRPC's core writes would go over the screen.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    failure = asyncio.run(_show(system, configuration))
    if failure is not None:
        text = " ".join(str(failure).split())
        is_expected = isinstance(failure, RequestFailed)
        raise CommandFailed(text if is_expected else f"{type(failure).__name__}: {text}")
    return SUCCESS


async def _show(system: ChosenSystem, configuration: Configuration) -> Exception | None:
    from platformdirs import user_state_path

    from esgrpc_console.headless.running import open_view
    from esgrpc_console.tui.app import ConsoleApp, SystemToShow

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        app = ConsoleApp(
            SystemToShow(
                title=system.name,
                open=lambda: stack.enter_async_context(open_view(system)),
                progress=lambda: (f"connecting to {', '.join(system.addresses)} …", ()),
                target=Target(system.arguments),
                context=system.context,
                colour=system.colour,
                is_read_only=system.is_read_only,
                history_path=user_state_path(_STATE_DIRECTORY, appauthor=False) / _HISTORY,
                keys=configuration.keys,
                theme=configuration.theme,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, app.exit)
        return await app.run_async()
