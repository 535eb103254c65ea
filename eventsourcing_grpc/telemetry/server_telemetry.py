"""Traces and metrics of one server, from its start to its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
from eventsourcing.persistence import AggregateRecorder, Notification
from eventsourcing.utils import Environment

from eventsourcing_grpc.access.audit import AuditEntry, AuditLog
from eventsourcing_grpc.access.peer_identity import PeerIdentity
from eventsourcing_grpc.access.permissions import Access, Permissions
from eventsourcing_grpc.addresses import is_loopback
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.environment import metrics_address
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.telemetry.hooks import CallObserver, EventTracer
from eventsourcing_grpc.telemetry.metrics_check import check_metrics
from eventsourcing_grpc.telemetry.tracing_switch import Tracing, server_tracing
from eventsourcing_grpc.tls.certificate_files import CertificateFiles

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from eventsourcing_grpc.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

_EXPORT_TIMEOUT = 0.5
"""Seconds that a server which stops waits for those who its last traces are sent to."""


class ServerTelemetry:
    """Gives a server what to call where something is traced or measured, and None where nothing is."""

    def __init__(
        self,
        env: Environment,
        application_name: str,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """Loads and opens nothing.

        :raises EnvironmentVariableError: when the address of metrics is none.
        """
        self._name = application_name
        self._env = env
        # What is wrong with it is said before anything is opened.
        metrics_address(env, application_name)
        self._tracer_provider = tracer_provider
        self._tracing: Tracing | None = None
        self._metrics: Metrics | None = None
        self._close_recorder: Callable[[], None] | None = None
        self.trace_context: Callable[[Notification], str] | None = None
        """Tells in which trace a notification was recorded. None: nothing is traced."""

    def begin(self, recorder: AggregateRecorder, certificates: CertificateFiles | None) -> None:
        """Opens what is asked for. Nobody is answered yet.

        :param recorder: what is recorded with it in a trace is told of by ``trace_context``.
        :param certificates: of the server. None: it is served without TLS.
        :raises EnvironmentVariableError: when metrics would be served off loopback without
            TLS, or traces exported by what is not installed.
        :raises MetricsAddressError: when the metrics' address can't be listened on.
        :raises TelemetryNotInstalledError: when metrics are asked for without what makes them.
        """
        self._tracing = server_tracing(self._name, self._tracer_provider)
        try:
            self._metrics = self._open_metrics(certificates)
            if self._tracing is not None:
                self._observe(recorder)
        except BaseException:
            self.end()
            raise

    def interceptors(self, methods: ExposedMethods) -> list[grpc.ServerInterceptor[Any, Any]]:
        """Returns what observes the server's calls. Empty: nothing does."""
        observers: list[CallObserver] = []
        if self._tracing is not None:
            from eventsourcing_grpc.telemetry.call_tracing import ServerTracing

            observers.append(ServerTracing(self._tracing.provider, self._name))
        if self._metrics is not None:
            observers.append(self._metrics.count_calls(methods))
        if not observers:
            return []
        from eventsourcing_grpc.telemetry.call_interceptor import CallInterceptor

        return [CallInterceptor(methods, *observers)]

    def event_tracer(self, leader_name: str) -> EventTracer | None:
        """Returns what traces the events of one leader. None: nothing is traced."""
        if self._tracing is None:
            return None
        from eventsourcing_grpc.telemetry.event_tracing import FollowingTracing

        return FollowingTracing(self._tracing.provider, self._name, leader_name)

    def serve_metrics(
        self,
        *,
        feed: NotificationFeed,
        followings: Sequence[Following],
        calls: CallStatistics,
        streams: StreamPool,
        certificates: CertificateFiles | None,
        permissions: Permissions,
        audit: AuditLog,
    ) -> None:
        """Starts answering with what is read from a server, if metrics are asked for.

        :param permissions: say who may read them where there is TLS.
        """
        if self._metrics is None:
            return
        from eventsourcing_grpc.telemetry.server_metrics import MeasuredServer

        def allow(names: tuple[str, ...], address: str) -> bool:
            if permissions.allow(Access.READ, names):
                return True
            who = PeerIdentity(names, address)
            why = permissions.why_refused(Access.READ)
            audit.refuse(AuditEntry(who, "Metrics.Get", self._name), why)
            return False

        server = MeasuredServer(
            application_name=self._name,
            feed=feed,
            followings=followings,
            calls=calls,
            streams=streams,
            certificates=certificates,
            started_at=datetime.now(UTC),
        )
        self._metrics.serve(server, allow)
        logger.info("The metrics of %s are on %s", self._name, self._metrics.url)

    def end(self) -> None:
        """Closes what is open. Traces have half a second to be exported."""
        if self._metrics is not None:
            self._metrics.stop()
            self._metrics = None
        if self._close_recorder is not None:
            self._close_recorder()
            self._close_recorder = None
        self.trace_context = None
        tracing, self._tracing = self._tracing, None
        if tracing is not None:
            exporter = threading.Thread(
                target=tracing.shut_down, name=f"exporter {self._name}", daemon=True
            )
            exporter.start()
            exporter.join(_EXPORT_TIMEOUT)

    def _open_metrics(self, certificates: CertificateFiles | None) -> Metrics | None:
        address = check_metrics(self._env, self._name, has_certificates=certificates is not None)
        if not address:
            return None
        from eventsourcing_grpc.telemetry.metrics import Metrics

        return Metrics(self._name, address, None if is_loopback(address) else certificates)

    def _observe(self, recorder: AggregateRecorder) -> None:
        from eventsourcing_grpc.telemetry.event_contexts import EventContexts, ObservedRecorder
        from eventsourcing_grpc.telemetry.event_tracing import current_trace_context

        contexts = EventContexts(current_trace_context)
        self.trace_context = contexts.find
        self._close_recorder = ObservedRecorder(recorder, contexts).close
