"""What is known of servers that this process has started, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from esgrpc_console.server_output import ServerOutput


class LocalServers(Protocol):
    """The servers that this process has started."""

    @property
    def names(self) -> Sequence[str]:
        """The names of their applications."""

    @property
    def output(self) -> ServerOutput:
        """What they have written."""

    async def stop_server(self, application: str) -> None:
        """Stops one server. Stopping a stopped one changes nothing.

        :raises RequestFailed: when it can't be stopped.
        """

    async def restart_server(self, application: str) -> None:
        """Stops one server, if it runs, and starts it. Returns when it serves.

        :raises RequestFailed: when it does not start, with what it wrote.
        """
