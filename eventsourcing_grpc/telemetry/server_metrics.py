"""What a server tells Prometheus, read from the server when it is asked for."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.followers.following_status import FollowingSnapshot, FollowingState
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.tls.certificate_files import CertificateFiles

PREFIX = "eventsourcing_grpc_"
_DISTRIBUTIONS = {
    "version": "eventsourcing-grpc",
    "eventsourcing": "eventsourcing",
    "grpcio": "grpcio",
}


@dataclass(frozen=True)
class MeasuredServer:
    """What the figures of a server are read from."""

    application_name: str
    feed: NotificationFeed
    followings: Sequence[Following]
    calls: CallStatistics
    streams: StreamPool
    certificates: CertificateFiles | None
    """None: it is served without TLS."""
    started_at: datetime


class ServerMetrics(Collector):
    """The figures of one server. Asking for them may take 2 s for each leader that does not answer."""

    def __init__(self, server: MeasuredServer) -> None:
        self._server = server
        self._name = server.application_name
        self._info = {"python": platform.python_version()}
        for label, distribution in _DISTRIBUTIONS.items():
            self._info[label] = _version(distribution)

    def collect(self) -> Iterator[Metric]:
        """Returns the figures as they are now."""
        server = self._server
        info = GaugeMetricFamily(
            f"{PREFIX}info",
            "1, with the versions of what the server is made of.",
            labels=("application", *self._info),
        )
        info.add_metric((self._name, *self._info.values()), 1)
        yield info
        yield self._gauge(
            "start_time_seconds",
            "When the server was started, in seconds since 1970.",
            server.started_at.timestamp(),
        )
        # Before the log's head, so that it has whatever they tell that they have processed.
        for following in server.followings:
            following.refresh()
        followings = [following.status() for following in server.followings]
        yield from self._log()
        yield self._gauge(
            "calls_in_progress",
            "Calls of the application's methods that are being carried out.",
            server.calls.snapshot().in_progress,
        )
        yield from self._certificate()
        yield from self._followings(followings)

    def _log(self) -> Iterator[Metric]:
        feed = self._server.feed.statistics()
        yield self._gauge("log_head", "The greatest ID of the notification log.", feed.head)
        yield self._gauge(
            "log_readable",
            "1 if the notification log could be read when it was last tried, else 0.",
            not feed.last_error,
        )
        yield self._counter(
            "log_reads", "Pages that were read from the recorder's notification log.", feed.reads
        )
        yield self._gauge(
            "subscribers",
            "Followers and programs that are subscribed to the log.",
            feed.subscribers,
        )
        yield self._gauge(
            "streams",
            "Streams that are open: subscribers, consoles and reflection.",
            self._server.streams.open_streams,
        )
        yield self._gauge(
            "streams_limit",
            "Streams that may be open at once. More are refused.",
            self._server.streams.max_streams,
        )

    def _certificate(self) -> Iterator[Metric]:
        if (files := self._server.certificates) is None:
            return
        facts = files.look().facts
        yield self._gauge(
            "certificate_expiry_time_seconds",
            "When the server's certificate expires, in seconds since 1970.",
            facts.not_after.timestamp(),
        )
        if facts.roots:
            yield self._gauge(
                "root_certificate_expiry_time_seconds",
                "When the first of the root certificates expires, in seconds since 1970.",
                min(root.not_after for root in facts.roots).timestamp(),
            )
        if facts.intermediates:
            yield self._gauge(
                "intermediate_certificate_expiry_time_seconds",
                "When the first of the intermediate certificates expires, in seconds since 1970.",
                min(issuer.not_after for issuer in facts.intermediates).timestamp(),
            )
        yield self._gauge(
            "certificate_files_usable",
            "0 if the certificate files have changed and can't be used as they are now, else 1.",
            not files.refusal,
        )

    def _followings(self, followings: Sequence[FollowingSnapshot]) -> Iterator[Metric]:
        def gauge(
            name: str, text: str, value: Callable[[FollowingSnapshot], float | None]
        ) -> Metric:
            family = GaugeMetricFamily(
                f"{PREFIX}following_{name}", text, labels=("application", "leader")
            )
            for following in followings:
                if (number := value(following)) is not None:
                    family.add_metric((self._name, following.leader), number)
            return family

        yield gauge("position", "The recorded tracking ID.", lambda f: f.position)
        yield gauge(
            "read_through",
            "The ID up to which everything has been processed, or did not match the topics.",
            lambda f: f.read_through,
        )
        yield gauge("leader_head", "The leader's greatest ID, as last heard.", lambda f: f.head)
        yield gauge("lag_events", "How many IDs it is behind the leader.", lambda f: f.lag_events)
        yield gauge(
            "lag_seconds",
            "Age of the oldest event that has not been processed. Missing: not known.",
            lambda f: f.lag_seconds,
        )
        yield gauge(
            "state_since_time_seconds",
            "When the state was entered, in seconds since 1970.",
            lambda f: f.state_since.timestamp(),
        )
        yield gauge(
            "failed_attempts",
            "How often what is tried just now has failed. 0: it has not.",
            lambda f: f.error.attempts if f.error is not None else 0,
        )
        processed = CounterMetricFamily(
            f"{PREFIX}following_processed_events",
            "Events that were processed since the server was started.",
            labels=("application", "leader"),
        )
        states = GaugeMetricFamily(
            f"{PREFIX}following_state",
            "1 for the state that the following is in, 0 for the others.",
            labels=("application", "leader", "state"),
        )
        for following in followings:
            processed.add_metric((self._name, following.leader), following.processed)
            for state in FollowingState:
                labels = (self._name, following.leader, state.name.lower())
                states.add_metric(labels, following.state is state)
        yield processed
        yield states

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=("application",))
        family.add_metric((self._name,), value)
        return family

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"{PREFIX}{name}", text, labels=("application",))
        family.add_metric((self._name,), value)
        return family


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        # It runs from its source files.
        return ""
