"""What ``esgrpc-console attach`` does: opens the console on a system that is running."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.command_lines import Target
from esgrpc_console.configuration import Configuration
from esgrpc_console.console_opening import check_console, open_console
from esgrpc_console.headless.running import open_view
from esgrpc_console.outcome import SUCCESS

if TYPE_CHECKING:
    from esgrpc_console.tui.app import SystemToShow


def attach_system(system: ChosenSystem, configuration: Configuration) -> int:
    """Shows a system until the person quits, and returns the exit status.

    :raises CommandFailed: when there is no connection, and without a terminal.
    :raises ConfigurationError: when keys or a theme are configured that there are not.
    """
    check_console(configuration, otherwise="status, log, call and the other commands")

    def make_system(stack: AsyncExitStack) -> SystemToShow:
        from esgrpc_console.tui.app import SystemToShow

        return SystemToShow(
            title=system.name,
            open=lambda: stack.enter_async_context(open_view(system)),
            progress=lambda: (f"connecting to {', '.join(system.addresses)} …", ()),
            target=Target(system.arguments),
            context=system.context,
            colour=system.colour,
            is_read_only=system.is_read_only,
        )

    open_console(make_system, configuration)
    return SUCCESS
