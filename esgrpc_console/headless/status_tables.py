"""How a system is, as tables for a person."""

from __future__ import annotations

import time
from collections.abc import Sequence

from esgrpc_console.headless.output import Cell, Column, Output, Style
from esgrpc_console.system_view import Problem, SystemState, summarise, words
from esgrpc_console.system_view.problems import Severity, error_text, standby_text
from esgrpc_console.system_view.views import (
    ApplicationView,
    FollowingState,
    FollowingView,
    Health,
)

_HEALTH_STYLES = {
    Health.SERVING: Style.GOOD,
    Health.NOT_SERVING: Style.BAD,
    Health.UNREACHABLE: Style.BAD,
}
_STATE_STYLES = {
    FollowingState.LIVE: Style.GOOD,
    FollowingState.CATCHING_UP: Style.NOTICE,
    FollowingState.PAUSED: Style.NOTICE,
    FollowingState.FAILING: Style.BAD,
    FollowingState.UNREACHABLE: Style.BAD,
    FollowingState.DIVERGED: Style.BAD,
}
_APPLICATION = (
    Column("APPLICATION"),
    Column("ADDRESS"),
    Column("HEALTH"),
    Column("HEAD", is_number=True),
)
_RATES = (
    Column("EVENTS/S", is_number=True),
    Column("CALLS/S", is_number=True),
    Column("ERRORS/S", is_number=True),
    Column("P50", is_number=True),
    Column("P99", is_number=True),
)
_COUNTS = (Column("CALLS", is_number=True), Column("ERRORS", is_number=True))
_UP = (Column("UP", is_number=True),)
_FOLLOWING = (
    Column("FOLLOWER"),
    Column("LEADER"),
    Column("STATE"),
    Column("POSITION", is_number=True),
    Column("HEAD", is_number=True),
    Column("LAG", is_number=True),
    Column("BEHIND", is_number=True),
)
_FOLLOWING_RATE = (Column("EVENTS/S", is_number=True),)
_ERROR = (Column("LAST ERROR"),)


def write_status_tables(
    state: SystemState, problems: Sequence[Problem], output: Output, *, with_rates: bool
) -> None:
    """Writes what is wrong first, or that nothing is, then the applications and the followings.

    :param with_rates: whether two statuses have come, so that there are rates.
    """
    if not problems:
        output.write_line(summarise(state), Style.GOOD)
    for problem in problems:
        is_waiting = problem.severity is Severity.WAITING
        output.write_line(
            f"{problem.symbol} {problem.text}", Style.NOTICE if is_waiting else Style.BAD
        )
    output.write_line("")
    output.write_table(
        (*_APPLICATION, *(_RATES if with_rates else _COUNTS), *_UP),
        [_application_row(one, with_rates) for one in state.applications.values()],
    )
    if state.followings:
        output.write_line("")
        output.write_table(
            (*_FOLLOWING, *(_FOLLOWING_RATE if with_rates else ()), *_ERROR),
            [_following_row(following, with_rates) for following in state.followings],
        )


def _application_row(application: ApplicationView, with_rates: bool) -> list[Cell]:
    health, status = application.health, application.status
    # How quick it was when it was last heard of tells nothing of now.
    current = status if application.stale_since is None else None
    numbers = [words.number(status.head if status else None)]
    if with_rates:
        numbers += [
            words.rate(current.events_per_second if current else None),
            words.rate(current.calls_per_second if current else None),
            words.rate(current.errors_per_second if current else None),
            _milliseconds(current.p50_seconds if current else None),
            _milliseconds(current.p99_seconds if current else None),
        ]
    else:
        numbers += [
            words.number(status.calls if status else None),
            words.number(status.errors if status else None),
        ]
    since = current.serving_since if current else None
    numbers.append(words.NONE if since is None else words.duration(time.monotonic() - since))
    # What is not current any more looks like it.
    style = Style.PLAIN if application.stale_since is None else Style.QUIET
    return [
        Cell(application.name),
        Cell(application.address),
        Cell(f"{health.symbol} {health.word}", _HEALTH_STYLES.get(health, Style.NOTICE)),
        *(Cell(number, style) for number in numbers),
    ]


def _following_row(following: FollowingView, with_rates: bool) -> list[Cell]:
    state, status = following.state, following.status
    current = status if following.stale_since is None else None
    numbers = [
        words.number(status.position if status else None),
        words.number(following.head),
        words.number(following.lag),
        words.seconds(current.lag_seconds if current else None),
    ]
    if with_rates:
        numbers.append(words.rate(current.events_per_second if current else None))
    style = Style.PLAIN if following.stale_since is None else Style.QUIET
    shown = f"{state.symbol} {state.word}" if status else words.NONE
    if following.stale_since is not None:
        shown = f"{Health.UNREACHABLE.symbol} not known"
    instead = standby_text(following)
    return [
        Cell(following.follower),
        Cell(following.leader),
        Cell(shown, _STATE_STYLES.get(state, Style.NOTICE) if style is Style.PLAIN else style),
        *(Cell(number, style) for number in numbers),
        Cell(error_text(following), Style.BAD) if not instead else Cell(instead, Style.QUIET),
    ]


def _milliseconds(seconds: float | None) -> str:
    return words.NONE if seconds is None else words.milliseconds(seconds)
