"""What every screen is given: the system, and how it is to be treated."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from esgrpc_console.command_lines import Target
from esgrpc_console.local_servers import LocalServers
from esgrpc_console.system_view import SystemOperations
from esgrpc_console.tui.seen_ids import SeenIds

if TYPE_CHECKING:
    from esgrpc_console.system_view.event_cache import EventCache


def utc_now() -> datetime:
    """Returns what time it is."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """One system that is looked at."""

    operations: SystemOperations
    events: EventCache
    title: str
    """Names the system, until it tells its own name."""
    target: Target
    """How command lines name the system."""
    context: str = ""
    """The name of the context in the configuration file. Empty: there is none."""
    colour: str = ""
    """The context's colour, as Textual names colours. Empty: none."""
    is_read_only: bool = False
    """Whether actions that change something are disabled."""
    clock: Callable[[], float] = time.monotonic
    """The clock of the system's state."""
    wall_clock: Callable[[], datetime] = utc_now
    """Tells the time that is shown. Screens show it as local time."""
    servers: LocalServers | None = None
    """None: this console has started none."""
    history_path: Path | None = None
    """Where calls of methods are kept. None: they are not."""
    seen_ids: SeenIds = field(default_factory=SeenIds)
    """What IDs that are typed are completed from."""
