"""What commands write as JSON: stable, named as in the protocol, times in ISO 8601 and UTC."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from esgrpc_console.system_view.json_values import JsonObject, JsonValue
from esgrpc_console.system_view.views import (
    AggregateView,
    ApplicationView,
    EventView,
    FollowingError,
    FollowingView,
    MethodView,
)


class WallClock:
    """Tells the wall time of readings of the monotonic clock, of each reading always the same."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def at(self, reading: float | None) -> str | None:
        """Returns when a reading was taken, to the millisecond."""
        if reading is None:
            return None
        return time_of(datetime.fromtimestamp(reading + self._offset, UTC), "milliseconds")

    def age(self, reading: float | None) -> float | None:
        """Returns how many seconds ago a reading was taken, to the millisecond."""
        return None if reading is None else round(time.monotonic() - reading, 3)

    def now(self) -> str:
        """Returns what time it is."""
        return time_of(datetime.now(UTC), "milliseconds")


def time_of(moment: datetime, precision: str = "microseconds") -> str:
    """Returns a point in time as text."""
    return moment.astimezone(UTC).isoformat(timespec=precision)


def value_of(text: str) -> JsonValue:
    """Returns the value that JSON text stands for; the text itself where there is none."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        # Numbers too long and objects too deep for Python are told as they are written.
        return text
    return value


def event_object(event: EventView, *, with_state: bool = True) -> JsonObject:
    """Returns an event. Its state is null where it can't be decoded: then ``error`` says why."""
    shown: JsonObject = {
        "id": event.id,
        "topic": event.topic,
        "originator_id": event.originator_id,
        "originator_version": event.originator_version,
        "timestamp": time_of(event.timestamp) if event.timestamp else None,
    }
    if with_state:
        shown["state"] = value_of(event.state) if event.state else None
        shown["error"] = event.error
    return shown


def aggregate_object(application: str, aggregate: AggregateView) -> JsonObject:
    """Returns the state of an aggregate at one version."""
    return {
        "application": application,
        "topic": aggregate.topic,
        "originator_id": aggregate.originator_id,
        "version": aggregate.version,
        "state": value_of(aggregate.state),
    }


def method_object(method: MethodView) -> JsonObject:
    """Returns what is known of a method."""
    return {
        "name": method.name,
        "kind": "command" if method.is_command else "query",
        "signature": method.signature,
        "docstring": method.docstring,
        "parameters_schema": value_of(method.parameters_schema) if method.parameters_schema else {},
    }


def application_object(
    application: ApplicationView, clock: WallClock, *, with_rates: bool
) -> JsonObject:
    """Returns how an application is. Numbers that are not known are null.

    :param with_rates: whether two statuses have come, so that there are rates.
    """
    status = application.status
    rates = status if with_rates else None
    return {
        "name": application.name,
        "address": application.address,
        "health": _snake_case(application.health.word),
        "stale_since": clock.at(application.stale_since),
        "why": application.why,
        "head": status.head if status else None,
        "events_per_second": rates.events_per_second if rates else None,
        "calls_per_second": rates.calls_per_second if rates else None,
        "errors_per_second": rates.errors_per_second if rates else None,
        "p50_seconds": rates.p50_seconds if rates else None,
        "p99_seconds": rates.p99_seconds if rates else None,
        "calls": status.calls if status else None,
        "errors": status.errors if status else None,
        "in_progress": status.calls_in_progress if status else None,
        "subscribers": status.subscribers if status else None,
        "uptime_seconds": clock.age(status.serving_since) if status else None,
        "log_error": status.log_error if status else "",
        "leads": list(application.leads),
        "follows": list(application.follows),
    }


def following_object(following: FollowingView, clock: WallClock, *, with_rates: bool) -> JsonObject:
    """Returns how a following is. Numbers that are not known are null."""
    status = following.status
    return {
        "follower": following.follower,
        "leader": following.leader,
        "state": _snake_case(following.state.word) if status else None,
        "state_since": clock.at(status.state_since) if status else None,
        "stale_since": clock.at(following.stale_since),
        "why": following.why,
        "position": status.position if status else None,
        "read_through": status.read_through if status else None,
        "head": following.head,
        "lag_events": following.lag,
        "lag_seconds": status.lag_seconds if status else None,
        "events_per_second": status.events_per_second if status and with_rates else None,
        "followed_by": (status.followed_by or None) if status else None,
        "last_error": (
            _error_object(status.last_error, clock) if status and status.last_error else None
        ),
    }


def _error_object(error: FollowingError, clock: WallClock) -> JsonObject:
    return {
        "error_class": error.error_class,
        "message": error.message,
        "traceback": error.traceback,
        "notification_id": error.notification_id or None,
        "attempts": error.attempts,
        "first_at": clock.at(error.failing_since),
        "next_try_at": clock.at(error.next_try),
    }


def _snake_case(words: str) -> str:
    return words.replace(" ", "_")
