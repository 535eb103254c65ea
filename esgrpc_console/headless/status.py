"""What ``esgrpc-console status`` does: tells how a system is, once or again and again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import open_view, run
from esgrpc_console.headless.shapes import WallClock, application_object, following_object
from esgrpc_console.headless.status_tables import write_status_tables
from esgrpc_console.outcome import NO, SUCCESS
from esgrpc_console.system_view import FollowingView, SystemState, words
from esgrpc_console.system_view.condition import Condition
from esgrpc_console.system_view.json_values import JsonObject

_WATCH_INTERVAL = 1.0
"""Seconds between two statuses, at least."""


@dataclass(frozen=True)
class LagLimits:
    """How far followers may be behind. None: as far as they like."""

    events: int | None = None
    seconds: float | None = None
    """Age of the oldest event that is not processed. Where that isn't known, it is not exceeded."""

    def exceeded(self, following: FollowingView) -> str:
        """Returns in words that a following is too far behind. Empty: it is not."""
        names = f"{following.follower} is"
        lag, seconds = following.lag, following.status.lag_seconds if following.status else None
        if self.events is not None and lag is not None and lag > self.events:
            behind = words.count(lag, "event")
            return f"{names} {behind} behind {following.leader}: more than {self.events:,}"
        if self.seconds is not None and seconds is not None and seconds > self.seconds:
            return f"{names} {seconds:,.1f} s behind {following.leader}: more than {self.seconds:g}"
        return ""


def show_status(
    system: ChosenSystem, limits: LagLimits, *, is_watching: bool, is_json: bool
) -> int:
    """Writes how the system is, and returns the exit status: 1 when that is not as it should be.

    :param is_watching: goes on until it is interrupted, at each change, once a second at most.
    :raises CommandFailed: when there is no connection.
    """
    output = Output(is_json=is_json)
    clock = WallClock()

    async def show() -> int:
        async with open_view(system, interval=_WATCH_INTERVAL) as view:
            state = view.state
            await view.wait_until_heard()
            # No rates can be known of the first status.
            status = _write(state, limits, clock, output, with_rates=False)
            while is_watching:
                output.flush()
                seen = state.changes.count
                await asyncio.sleep(_WATCH_INTERVAL)
                await state.changes.wait(seen)
                output.begin_anew()
                _write(state, limits, clock, output, with_rates=True)
        return status

    return run(show, output)


def _write(
    state: SystemState, limits: LagLimits, clock: WallClock, output: Output, *, with_rates: bool
) -> int:
    exceeded = [text for following in state.followings if (text := limits.exceeded(following))]
    condition = Condition.of(state, now=time.monotonic())
    if output.is_json:
        status = _status_object(state, condition, clock, with_rates=with_rates)
        output.write_json({**status, "is_lag_exceeded": bool(exceeded)})
    else:
        write_status_tables(state, condition.problems, output, with_rates=with_rates)
    for text in exceeded:
        output.complain(text)
    return SUCCESS if condition.is_healthy and not exceeded else NO


def _status_object(
    state: SystemState, condition: Condition, clock: WallClock, *, with_rates: bool
) -> JsonObject:
    return {
        "time": clock.now(),
        "system_topic": state.system_topic,
        "is_healthy": condition.is_healthy,
        "is_caught_up": condition.is_caught_up,
        "is_lag_known": condition.is_lag_known,
        "max_lag_events": condition.max_lag_events,
        "max_lag_seconds": condition.max_lag_seconds,
        "problems": [
            {"text": problem.text, "application": problem.application, "leader": problem.leader}
            for problem in condition.problems
        ],
        "applications": [
            application_object(application, clock, with_rates=with_rates)
            for application in state.applications.values()
        ],
        "followings": [
            following_object(following, clock, with_rates=with_rates)
            for following in state.followings
        ],
    }
