"""Protobuf messages to the plain values of ``views``. No other module of the console reads messages."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from esgrpc_console.system_view.parameters import parameters_from_schema
from esgrpc_console.system_view.views import (
    AggregateView,
    ApplicationStatus,
    CertificateView,
    Description,
    EventPage,
    EventView,
    FollowingError,
    FollowingState,
    FollowingStatus,
    MethodView,
    Versions,
)
from eventsourcing_grpc.protos import operations_pb2 as pb

_STATES = {
    pb.FOLLOWING_STATE_CONNECTING: FollowingState.CONNECTING,
    pb.FOLLOWING_STATE_CATCHING_UP: FollowingState.CATCHING_UP,
    pb.FOLLOWING_STATE_LIVE: FollowingState.LIVE,
    pb.FOLLOWING_STATE_PAUSED: FollowingState.PAUSED,
    pb.FOLLOWING_STATE_FAILING: FollowingState.FAILING,
    pb.FOLLOWING_STATE_UNREACHABLE: FollowingState.UNREACHABLE,
    pb.FOLLOWING_STATE_DIVERGED: FollowingState.DIVERGED,
    pb.FOLLOWING_STATE_STANDBY: FollowingState.STANDBY,
}

_START_TOLERANCE = 1.0
"""Seconds by which two readings of one start may differ, for messages take their time."""


class ServerClock:
    """Translates points in time of a server's wall clock to the view's monotonic clock.

    A point keeps its first translation, so that what stands still does not seem to move.
    """

    def __init__(self) -> None:
        self._translations: dict[tuple[str, int], float] = {}
        self._start: float | None = None
        self.followings: dict[str, tuple[pb.FollowingStatus, FollowingStatus]] = {}
        """What was told of each leader last, and what was made of it."""

    def start(self, uptime: float, *, now: float) -> float:
        """Returns the reading of the monotonic clock when the server was started.

        :param uptime: for how long it has been running, in seconds.
        """
        started = now - uptime
        if self._start is None or abs(started - self._start) > _START_TOLERANCE:
            self._start = started
        return self._start

    def since(self, key: str, point: Timestamp, *, server_now: Timestamp, now: float) -> float:
        """Returns the reading of the monotonic clock at a point in time.

        :param key: what happened then: each key's last point is remembered.
        """
        known = self._translations.get((key, point.ToNanoseconds()))
        if known is not None:
            return known
        age = (server_now.ToNanoseconds() - point.ToNanoseconds()) / 1e9
        translated = now - max(0.0, age)
        self._translations = {
            at: reading for at, reading in self._translations.items() if at[0] != key
        }
        self._translations[key, point.ToNanoseconds()] = translated
        return translated


def description_from(message: pb.DescribeResponse) -> Description:
    """Returns what an application said of itself."""
    return Description(
        topic=message.topic,
        persistence=message.persistence,
        methods=tuple(
            MethodView(
                name=method.name,
                is_command=method.kind != pb.METHOD_KIND_QUERY,
                signature=method.signature,
                docstring=method.docstring,
                parameters=parameters_from_schema(method.parameters_schema),
                parameters_schema=method.parameters_schema,
            )
            for method in message.methods
        ),
        follows=tuple(message.follows),
        system_topic=message.system_topic,
        event_topics=tuple(message.event_topics),
        versions=Versions(
            eventsourcing_grpc=message.versions.eventsourcing_grpc,
            eventsourcing=message.versions.eventsourcing,
            grpcio=message.versions.grpcio,
            python=message.versions.python,
        ),
        started_at=(_datetime_from(message.started_at) if message.HasField("started_at") else None),
    )


def status_from(
    message: pb.ApplicationStatus, *, clock: ServerClock, now: float
) -> ApplicationStatus:
    """Returns how an application said that it is.

    :param now: the monotonic clock's reading when the message came.
    """
    return ApplicationStatus(
        head=message.head,
        events_per_second=message.events_per_second,
        calls_per_second=message.calls.calls_per_second,
        errors_per_second=message.calls.errors_per_second,
        p50_seconds=message.calls.p50_seconds if message.calls.HasField("p50_seconds") else None,
        p99_seconds=message.calls.p99_seconds if message.calls.HasField("p99_seconds") else None,
        calls=message.calls.calls,
        errors=message.calls.errors,
        calls_in_progress=message.calls.in_progress,
        serving_since=clock.start(message.uptime.ToNanoseconds() / 1e9, now=now),
        subscribers=message.subscribers,
        followings=tuple(
            _known_following(following, message.time, clock, now)
            for following in message.followings
        ),
        log_error=message.log_error,
        certificate=(
            _certificate_from(message.certificate) if message.HasField("certificate") else None
        ),
    )


def _certificate_from(message: pb.Certificate) -> CertificateView:
    has, time = message.HasField, _datetime_from
    return CertificateView(
        expires_at=time(message.not_after),
        intermediate_expires_at=(
            time(message.intermediate_not_after) if has("intermediate_not_after") else None
        ),
        root_expires_at=time(message.root_not_after) if has("root_not_after") else None,
        refusal=message.refusal,
    )


def page_from(message: pb.ReadEventsResponse) -> EventPage:
    """Returns a page of events."""
    return EventPage(
        events=tuple(map(event_from, message.events)),
        read_through=message.read_through,
        is_end=message.is_end,
        head=message.head,
    )


def event_from(event: pb.Event) -> EventView:
    """Returns a decoded event."""
    return EventView(
        id=event.id,
        topic=event.topic,
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        timestamp=_datetime_from(event.timestamp) if event.HasField("timestamp") else None,
        state=event.state,
        error=event.error,
    )


def aggregate_from(message: pb.ReadAggregateResponse) -> AggregateView:
    """Returns the state of an aggregate."""
    return AggregateView(
        topic=message.topic,
        originator_id=message.originator_id,
        version=message.version,
        state=message.state,
    )


def _known_following(
    message: pb.FollowingStatus, server_now: Timestamp, clock: ServerClock, now: float
) -> FollowingStatus:
    """Returns what is said of a following: mostly the same as before, while nothing happens."""
    known = clock.followings.get(message.leader)
    if known is not None and known[0] == message:
        return known[1]
    following = _following_from(message, server_now, clock, now)
    clock.followings[message.leader] = message, following
    return following


def _following_from(
    message: pb.FollowingStatus, server_now: Timestamp, clock: ServerClock, now: float
) -> FollowingStatus:
    error: FollowingError | None = None
    if message.HasField("last_error"):
        told = message.last_error
        error = FollowingError(
            error_class=told.error_class,
            message=told.message,
            traceback=told.traceback,
            notification_id=told.notification_id,
            attempts=told.attempts,
            failing_since=(
                clock.since(
                    f"{message.leader} error", told.first_at, server_now=server_now, now=now
                )
                if told.HasField("first_at")
                else None
            ),
            next_try=(
                now + (told.next_try_at.ToNanoseconds() - server_now.ToNanoseconds()) / 1e9
                if told.HasField("next_try_at")
                else None
            ),
        )
    return FollowingStatus(
        leader=message.leader,
        state=_STATES.get(message.state, FollowingState.CONNECTING),
        state_since=clock.since(
            f"{message.leader} state", message.state_since, server_now=server_now, now=now
        ),
        position=message.position,
        read_through=message.read_through,
        head=message.head,
        lag_seconds=message.lag_seconds if message.HasField("lag_seconds") else None,
        events_per_second=message.events_per_second,
        last_error=error,
        followed_by=message.followed_by,
    )


def _datetime_from(timestamp: Timestamp) -> datetime | None:
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        # Beyond what a datetime can hold: such an event has no time worth showing.
        return None
