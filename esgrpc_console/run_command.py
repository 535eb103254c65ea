"""What ``esgrpc-console run`` does: starts a system's servers, opens the console on them, stops them.

Without a terminal that is left to ``headless.run``; then Textual is not imported.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from esgrpc_console.command_lines import Target
from esgrpc_console.configuration import Configuration
from esgrpc_console.local_system import LocalSystem
from esgrpc_console.outcome import CommandFailed
from esgrpc_console.system_view import RequestFailed
from eventsourcing_grpc.topics import add_app_dir, resolve_system
from eventsourcing_grpc.user_errors import UserError

_SHOWN_LINES = 6
_STATE_DIRECTORY = "esgrpc-console"
_HISTORY = "history.jsonl"


def run_system(
    system_topic: str,
    *,
    data_dir: Path | None,
    app_dir: Path,
    is_headless: bool = False,
    is_read_only: bool = False,
    configuration: Configuration | None = None,
) -> int:
    """Runs a system and its console until the person quits, or the system alone until a signal.

    :param is_headless: whether there is no console, but a line of JSON an event on standard output.
    :param configuration: of the console. None: nothing is configured.
    :returns: the exit status.
    :raises CommandFailed: when the system can't be found or started, and where the console has no
        terminal.
    """
    add_app_dir(app_dir)
    try:
        system = resolve_system(system_topic)
        if is_headless:
            from esgrpc_console.headless.run import run_headless

            return run_headless(system, system_topic, data_dir)
        local_system = LocalSystem(system, data_dir)
    except UserError as e:
        raise CommandFailed(str(e)) from e
    # Textual draws on standard error, so that standard output may go elsewhere.
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        msg = (
            "the console needs a terminal: standard input and standard error must be one "
            "(without one, use --headless)"
        )
        raise CommandFailed(msg)
    with local_system as local:
        failure = asyncio.run(
            _show(local, system_topic, is_read_only, configuration or Configuration())
        )
    if failure is not None:
        raise CommandFailed(_explain(failure)) from failure
    return 0


async def _show(
    local: LocalSystem, title: str, is_read_only: bool, configuration: Configuration
) -> Exception | None:
    from platformdirs import user_state_path

    from esgrpc_console.tui.app import ConsoleApp, SystemToShow

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        app = ConsoleApp(
            SystemToShow(
                title=title,
                open=lambda: local.open(stack),
                progress=local.progress,
                find_target=lambda: Target((local.address,)),
                is_read_only=is_read_only,
                servers=local,
                history_path=user_state_path(_STATE_DIRECTORY, appauthor=False) / _HISTORY,
                keys=configuration.keys,
                theme=configuration.theme,
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
