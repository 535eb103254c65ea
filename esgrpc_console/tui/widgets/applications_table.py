"""The table of a system's applications."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from esgrpc_console.system_view import (
    ApplicationStatus,
    ApplicationView,
    Health,
    SystemState,
    words,
)
from esgrpc_console.system_view.views import RESTARTING, STOPPED_BY_YOU
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance, Cell
from esgrpc_console.tui.places import ApplicationPlace, Open, Tab
from esgrpc_console.tui.sparkline import sparkline
from esgrpc_console.tui.widgets.live_table import LiveTable
from esgrpc_console.tui.widgets.table_columns import Column
from esgrpc_console.tui.widgets.table_lines import Row
from esgrpc_console.tui.widgets.table_order import SortValue

_HEALTH_WIDTH = len("○ unreachable")
_HEALTH_ORDER = (
    Health.UNREACHABLE,
    Health.NOT_SERVING,
    Health.UNKNOWN,
    Health.CONNECTING,
    Health.SERVING,
)
"""The worst first."""
_HOUR = 3600
_BARS = 10


class ApplicationsTable(LiveTable[ApplicationView]):
    """One row an application, by its name."""

    COLUMNS = (
        Column("name", "APPLICATION", 100, max_width=32),
        Column("address", "ADDRESS", 55),
        Column("state", "HEALTH", 90, min_width=_HEALTH_WIDTH),
        Column("head", "HEAD", 80, is_number=True, min_width=7),
        Column("rate", "EVENTS/S", 75, is_number=True),
        Column("bars", "", 40, min_width=_BARS),
        Column("calls", "CALLS/S", 60, is_number=True),
        Column("p50", "P50 MS", 45, is_number=True),
        Column("p99", "P99 MS", 65, is_number=True),
        Column("errors", "ERR/S", 70, is_number=True),
        Column("up", "UP", 50, is_number=True, min_width=6),
    )
    NOUN = "application"
    NOTE_FROM = "rate"
    EMPTY = "no application is known yet"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "overview.open",
        "overview.log",
        "overview.methods",
        "overview.followings",
        "table.filter",
        "table.clear-filter",
        "overview.sort-application",
        "overview.sort-address",
        "overview.sort-health",
        "overview.sort-head",
        "overview.sort-rate",
        "overview.sort-calls",
        "overview.sort-p50",
        "overview.sort-p99",
        "overview.sort-errors",
        "overview.sort-uptime",
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state = SystemState()

    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known of the applications just now."""
        self._state = state
        self.show_items(state.applications, appearance, now)

    def row_of(self, item: ApplicationView, appearance: Appearance, now: float) -> Row:
        """Returns what is shown of an application."""
        is_dim = item.stale_since is not None
        status = item.status
        cell = appearance.cell
        measured = ApplicationStatus(0) if status is None else status
        is_measured = status is not None and not is_dim
        return Row(
            (
                cell(item.name, is_dim=is_dim),
                cell(item.address or words.NONE, is_dim=is_dim),
                appearance.health_cell(item.health),
                cell(words.number(status.head if status else None), is_dim=is_dim),
                cell(words.rate(measured.events_per_second if is_measured else None)),
                cell(self._bars(item, is_dim), is_dim=is_dim),
                cell(words.rate(measured.calls_per_second if is_measured else None)),
                cell(_milliseconds(measured.p50_seconds)),
                cell(_milliseconds(measured.p99_seconds)),
                cell(words.rate(measured.errors_per_second if is_measured else None)),
                cell(_uptime(measured.serving_since, now)),
            ),
            _note(item, appearance, now),
        )

    def sort_value(self, item: ApplicationView, column: str) -> SortValue:
        """Returns what an application is ordered by in a column."""
        match column:
            case "name":
                return item.name
            case "address":
                return item.address
            case "state":
                return _HEALTH_ORDER.index(item.health)
        status = item.status
        if status is None:
            return None
        match column:
            case "head":
                return status.head
            case "rate":
                return status.events_per_second
            case "calls":
                return status.calls_per_second
            case "p50":
                return status.p50_seconds
            case "p99":
                return status.p99_seconds
            case "errors":
                return status.errors_per_second
            case _:
                # Who has been running for longest comes first.
                return None if status.serving_since is None else -status.serving_since

    def search_text(self, item: ApplicationView) -> str:
        """Returns what a filter looks for its text in."""
        return f"{item.name}\n{item.address}\n{item.health.word}\n{item.why}"

    def action_open(self) -> None:
        """Opens the application."""
        self._open("log")

    def action_log(self) -> None:
        """Opens the application's log."""
        self._open("log")

    def action_methods(self) -> None:
        """Opens the application's methods."""
        self._open("methods")

    def action_followings(self) -> None:
        """Opens whom the application follows."""
        self._open("followings")

    def _bars(self, application: ApplicationView, is_stale: bool) -> str:
        return "" if is_stale else sparkline(self._state.rates(application.name), _BARS)

    def _open(self, tab: Tab) -> None:
        if self.chosen is not None:
            self.post_message(Open(ApplicationPlace(self.chosen.name, tab)))


def _note(application: ApplicationView, appearance: Appearance, now: float) -> Cell | None:
    """Returns for how long what is shown has been stale, and why."""
    if application.stale_since is None:
        return None
    age = words.duration(now - application.stale_since)
    why = application.ending or application.why
    if application.ending and application.ending not in {RESTARTING, STOPPED_BY_YOU}:
        why = f"its server died, {application.ending}"
    stale = f"{age} old" if application.status else f"not heard for {age}"
    return appearance.cell(f"{stale}: {why}" if why else stale, is_dim=True)


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return words.NONE
    value = seconds * 1000
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def _uptime(since: float | None, now: float) -> str:
    """Returns a time in words that change each minute at most, but for the first one."""
    if since is None:
        return words.NONE
    seconds = now - since
    if seconds < _HOUR:
        return words.duration(seconds).partition(" ")[0]
    return words.duration(seconds)
