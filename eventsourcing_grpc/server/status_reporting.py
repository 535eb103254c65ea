"""Tells how an application is, again and again: its log, its calls, and what it follows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from eventsourcing_grpc.calls.call_statistics import CallRates, CallSnapshot, CallStatistics
from eventsourcing_grpc.followers.following_status import FollowingError, FollowingSnapshot
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import root_end


@dataclass(frozen=True)
class Sample:
    """What the rates of the next status are counted from."""

    time: float
    """Seconds of the monotonic clock."""
    head: int
    calls: CallSnapshot
    processed: Sequence[int]
    """By followings, in their order."""


class StatusReporter:
    """Makes the statuses that operators watch. Each has the rates since the one before it."""

    def __init__(
        self,
        name: str,
        feed: NotificationFeed,
        followings: Sequence[Following],
        calls: CallStatistics,
        certificates: CertificateFiles | None,
    ) -> None:
        """:param certificates: of the server. None: it is served without TLS."""
        self._name = name
        self._feed = feed
        self._followings = followings
        self._calls = calls
        self._certificates = certificates
        self._started = monotonic()
        self._watchers = 0
        self._lock = threading.Lock()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Counts a stream of statuses as open."""
        with self._lock:
            self._watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self._watchers -= 1

    def report(self, previous: Sample | None) -> tuple[pb.ApplicationStatus, Sample]:
        """Returns the status as it is now, and what to give for the next one.

        :param previous: None: this is the first one. Its rates are 0.
        """
        for following in self._followings:
            following.refresh()
        followings = [following.status() for following in self._followings]
        # After them, so that the head has whatever they tell that they have processed.
        feed = self._feed.statistics()
        sample = Sample(
            time=monotonic(),
            head=feed.head,
            calls=self._calls.snapshot(),
            processed=[following.processed for following in followings],
        )
        if previous is None:
            previous = sample
        seconds = sample.time - previous.time
        status = pb.ApplicationStatus(
            name=self._name,
            head=feed.head,
            events_per_second=_rate(sample.head - previous.head, seconds),
            calls=_call_statistics(sample.calls, sample.calls.since(previous.calls)),
            subscribers=feed.subscribers + self._watchers,
            followings=[
                following_message(following, _rate(now - then, seconds))
                for following, now, then in zip(
                    followings, sample.processed, previous.processed, strict=True
                )
            ],
            log_error=feed.last_error,
            certificate=certificate_message(self._certificates) if self._certificates else None,
        )
        status.time.FromDatetime(datetime.now(UTC))
        status.uptime.FromNanoseconds(int((sample.time - self._started) * 1e9))
        return status, sample


def _rate(count: int, seconds: float) -> float:
    return max(0, count) / seconds if seconds > 0 else 0.0


def _call_statistics(calls: CallSnapshot, rates: CallRates) -> pb.CallStatistics:
    return pb.CallStatistics(
        calls=calls.calls,
        errors=calls.errors,
        calls_per_second=rates.calls_per_second,
        errors_per_second=rates.errors_per_second,
        p50_seconds=rates.p50_seconds,
        p99_seconds=rates.p99_seconds,
        in_progress=calls.in_progress,
    )


def certificate_message(files: CertificateFiles) -> pb.Certificate:
    """Returns what operators are told of a server's certificate."""
    facts = files.look().facts
    message = pb.Certificate(names=facts.names, refusal=files.refusal)
    message.not_after.FromDatetime(facts.not_after)
    if facts.intermediates:
        first = min(issuer.not_after for issuer in facts.intermediates)
        message.intermediate_not_after.FromDatetime(first)
    if (last := root_end(facts)) is not None:
        message.root_not_after.FromDatetime(last)
    return message


def following_message(following: FollowingSnapshot, events_per_second: float) -> pb.FollowingStatus:
    """Returns what operators are told of a following."""
    status = pb.FollowingStatus(
        leader=following.leader,
        leader_address=following.leader_address,
        state=pb.FollowingState.Value(f"FOLLOWING_STATE_{following.state.name}"),
        position=following.position,
        read_through=following.read_through,
        head=following.head,
        lag_events=following.lag_events,
        lag_seconds=following.lag_seconds,
        events_per_second=events_per_second,
        followed_by=following.followed_by,
    )
    status.state_since.FromDatetime(following.state_since)
    if following.error is not None:
        status.last_error.CopyFrom(_following_error(following.error))
    return status


def _following_error(error: FollowingError) -> pb.FollowingError:
    message = pb.FollowingError(
        error_class=error.error_class,
        message=error.message,
        traceback=error.traceback,
        notification_id=error.notification_id,
        attempts=error.attempts,
    )
    message.first_at.FromDatetime(error.first_at)
    message.last_at.FromDatetime(error.last_at)
    if error.next_try_at is not None:
        message.next_try_at.FromDatetime(error.next_try_at)
    return message
