"""The table of a system's applications."""

from __future__ import annotations

from rich.text import Text

from esgrpc_console.system_view import ApplicationView, SystemState, words
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.widgets.live_table import Column, LiveTable


class ApplicationsTable(LiveTable):
    """One row an application, by its name."""

    COLUMNS = (
        Column("name", "APPLICATION", 9, max_width=32),
        Column("address", "ADDRESS", 5),
        Column("health", "HEALTH", 8),
        Column("head", "HEAD", 7, is_number=True),
        Column("rate", "EVENTS/S", 6, is_number=True),
        Column("leads", "LEADS", 3, is_elastic=True),
        Column("follows", "FOLLOWS", 4, is_elastic=True),
    )

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known of the applications just now."""
        self.show(
            {
                name: _row(application, appearance, now)
                for name, application in state.applications.items()
            }
        )


def _row(application: ApplicationView, appearance: Appearance, now: float) -> dict[str, Text]:
    is_dim = application.stale_since is not None
    status = application.status
    health = appearance.health(application.health)
    if application.stale_since is not None:
        health.append(f" {words.duration(now - application.stale_since)}")
    return {
        "name": appearance.text(application.name, is_dim=is_dim),
        "address": appearance.text(application.address or words.NONE, is_dim=is_dim),
        "health": health,
        "head": appearance.number(words.number(status.head if status else None), is_dim=is_dim),
        "rate": appearance.number(
            words.rate(status.events_per_second if status and not is_dim else None), is_dim=is_dim
        ),
        "leads": appearance.text(", ".join(application.leads) or words.NONE, is_dim=is_dim),
        "follows": appearance.text(", ".join(application.follows) or words.NONE, is_dim=is_dim),
    }
