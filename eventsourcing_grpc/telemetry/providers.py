"""Where spans go: to what the process itself has set up, or as OpenTelemetry's variables say.

The variables are those of https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from eventsourcing_grpc.environment import (
    TRACES_EXPORTER,
    EnvironmentVariableError,
    otlp_protocol,
)

_GROUP = "opentelemetry_traces_exporter"
_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_UNKNOWN_SERVICE = "unknown_service"


def exporting_provider(
    names: Sequence[str], service_name: str = "", *, shutdown_on_exit: bool = False
) -> TracerProvider:
    """Returns a provider whose spans are exported, by a thread of its own until it is shut down.

    :param names: of exporters, as in ``OTEL_TRACES_EXPORTER``.
    :param service_name: what the spans are said to be of, unless a variable says it.
    :param shutdown_on_exit: whether it is shut down when the interpreter ends.
    :raises EnvironmentVariableError: when an exporter is not installed.
    """
    exporters = [_exporter(name) for name in names]
    provider = TracerProvider(resource=_resource(service_name), shutdown_on_exit=shutdown_on_exit)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


@cache
def provider_of_clients(names: tuple[str, ...]) -> TracerProvider:
    """Returns the one provider that the clients of this process share, until the process ends."""
    return exporting_provider(names, shutdown_on_exit=True)


def _resource(service_name: str) -> Resource:
    resource = Resource.create()
    is_unknown = str(resource.attributes.get(SERVICE_NAME, "")).startswith(_UNKNOWN_SERVICE)
    if service_name and is_unknown:
        resource = resource.merge(Resource({SERVICE_NAME: service_name}))
    return resource


def _exporter(name: str) -> SpanExporter:
    installed = entry_points(group=_GROUP)
    wanted = _otlp_exporter() if name == "otlp" else name
    found = next(iter(installed.select(name=wanted)), None)
    if found is None:
        known = ", ".join(sorted({"otlp", *installed.names}))
        msg = (
            f"{TRACES_EXPORTER}={os.environ.get(TRACES_EXPORTER, '')!r} names an exporter that is "
            f"not installed: {wanted!r}. Those that are: {known}"
        )
        raise EnvironmentVariableError(msg)
    exporter: SpanExporter = found.load()()
    return exporter


def _otlp_exporter() -> str:
    protocol = otlp_protocol(os.environ)
    return _OTLP.get(protocol, f"otlp with {protocol}")
