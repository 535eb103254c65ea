"""What widgets for arguments are given besides their types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from esgrpc_console.tui.seen_ids import SeenIds


@dataclass(frozen=True)
class FormServices:
    """What helps to write arguments."""

    seen_ids: SeenIds
    wall_clock: Callable[[], datetime]
    """Tells what time it is now."""
