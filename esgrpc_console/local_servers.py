"""What is known of servers that this process has started, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class OutputLine:
    """One line that a server's process, or this one's logging, has written."""

    application: str
    """Empty: it is this process's."""
    text: str


class LocalServers(Protocol):
    """The servers that this process has started."""

    def output(self, after: int) -> tuple[int, Sequence[OutputLine]]:
        """Returns how many lines there have been, and those behind the first ``after`` of them that
        are still kept."""

    async def stop_server(self, application: str) -> None:
        """Stops one server.

        :raises RequestFailed: when it does not stop.
        """

    async def restart_server(self, application: str) -> None:
        """Stops one server, if it runs, and starts it.

        :raises RequestFailed: when it does not start, with what it wrote.
        """
