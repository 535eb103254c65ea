"""Opens the console in this terminal, for ``run`` and ``attach``. Only then is Textual imported."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from esgrpc_console.configuration import Configuration
from esgrpc_console.outcome import CommandFailed
from esgrpc_console.system_view import RequestFailed
from esgrpc_console.terminal_watch import TerminalWatch
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    from esgrpc_console.tui.app import SystemToShow

_STATE_DIRECTORY = "esgrpc-console"
_HISTORY = "history.jsonl"
_SHOWN_LINES = 6
# Textual lets up to two frames pass between two drawings: at its usual 60 a second, keys feel that.
_FRAMES_VARIABLE, _FRAMES_PER_SECOND = "TEXTUAL_FPS", "120"
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def check_console(configuration: Configuration, *, otherwise: str) -> None:
    """Makes sure that the console can be opened here, before anything is started for it.

    :param otherwise: what can be done without a terminal, for the message.
    :raises CommandFailed: when there is no terminal.
    :raises ConfigurationError: when keys or a theme are configured that there are not.
    """
    # Textual draws on standard error, so that standard output may go elsewhere.
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        msg = (
            "the console needs a terminal: standard input and standard error must be one "
            f"(without one, use {otherwise})"
        )
        raise CommandFailed(msg)
    # It reads this when it is imported.
    os.environ.setdefault(_FRAMES_VARIABLE, _FRAMES_PER_SECOND)
    from esgrpc_console.tui.configuration_check import check_configuration

    check_configuration(configuration)


def open_console(
    make_system: Callable[[AsyncExitStack], SystemToShow], configuration: Configuration
) -> None:
    """Shows a system until the person quits, or a signal ends it.

    :param make_system: is given what closes the system in the end.
    :raises CommandFailed: when the system can't be opened, saying why.
    :raises Exception: whatever else has kept it from being opened, or has ended the console.
    """
    failure = asyncio.run(_show(make_system, configuration))
    if isinstance(failure, (UserError, RequestFailed)):
        raise CommandFailed(_explain(failure)) from failure
    if failure is not None:
        raise failure


async def _show(
    make_system: Callable[[AsyncExitStack], SystemToShow], configuration: Configuration
) -> Exception | None:
    from platformdirs import user_state_path

    from esgrpc_console.tui.app import ConsoleApp

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        app = ConsoleApp(
            replace(
                make_system(stack),
                history_path=user_state_path(_STATE_DIRECTORY, appauthor=False) / _HISTORY,
                keys=configuration.keys,
                theme=configuration.theme,
            )
        )
        for number in _ENDING_SIGNALS:
            loop.add_signal_handler(number, app.exit)
        with TerminalWatch(sys.stderr.fileno(), partial(loop.call_soon_threadsafe, app.exit)):
            result = await app.run_async()
        return result or app.crash


def _explain(failure: Exception) -> str:
    first, *others = [line for line in str(failure).splitlines() if line.strip()] or [""]
    return "\n".join([first, *others[-_SHOWN_LINES:]])
