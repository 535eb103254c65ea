"""What ``esgrpc-console run`` does: starts a system's servers, opens the console on them, stops them.

Without a terminal that is left to ``headless.run``; then Textual is not imported.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from esgrpc_console.command_lines import Target
from esgrpc_console.configuration import Configuration
from esgrpc_console.console_opening import check_console, open_console
from esgrpc_console.local_system import LocalSystem
from esgrpc_console.outcome import SUCCESS, CommandFailed
from eventsourcing_grpc.topics import add_app_dir, resolve_system
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    from esgrpc_console.tui.app import SystemToShow


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
    :raises ConfigurationError: when keys or a theme are configured that there are not.
    """
    configuration = configuration or Configuration()
    add_app_dir(app_dir)
    try:
        system = resolve_system(system_topic)
        if is_headless:
            from esgrpc_console.headless.run import run_headless

            return run_headless(system, system_topic, data_dir)
        local_system = LocalSystem(system, data_dir)
    except UserError as e:
        raise CommandFailed(str(e)) from e
    check_console(configuration, otherwise="--headless")
    with local_system as local:

        def make_system(stack: AsyncExitStack) -> SystemToShow:
            from esgrpc_console.tui.app import SystemToShow

            return SystemToShow(
                title=system_topic,
                open=lambda: local.open(stack),
                progress=local.progress,
                find_target=lambda: Target((local.address,)),
                is_read_only=is_read_only,
                servers=local,
            )

        open_console(make_system, configuration)
    return SUCCESS
