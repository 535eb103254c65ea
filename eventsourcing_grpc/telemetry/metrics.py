"""The metrics of one server, and where they are served."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.telemetry.call_metrics import CallMetrics
from eventsourcing_grpc.telemetry.metrics_server import Allow, MetricsServer
from eventsourcing_grpc.telemetry.server_metrics import MeasuredServer, ServerMetrics
from eventsourcing_grpc.tls.certificate_files import CertificateFiles


class Metrics:
    """Has a registry of its own: several servers of one process don't share their figures."""

    def __init__(
        self, application_name: str, address: str, certificates: CertificateFiles | None
    ) -> None:
        """Listens, and answers nobody yet. The arguments and errors are those of ``MetricsServer``."""
        self._name = application_name
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._server = MetricsServer(application_name, address, self._registry, certificates)

    @property
    def url(self) -> str:
        """Where the metrics are."""
        return self._server.url

    def count_calls(self, methods: ExposedMethods) -> CallMetrics:
        """Returns what counts the calls of an application's methods."""
        calls = CallMetrics(self._name, [method.name for method in methods])
        self._registry.register(calls)
        return calls

    def serve(self, server: MeasuredServer, allow: Allow) -> None:
        """Starts answering those who are allowed with what is read from a server."""
        self._registry.register(ServerMetrics(server))
        self._server.start(allow)

    def stop(self) -> None:
        """Stops listening."""
        self._server.stop()
