"""Whether something is traced: decided without loading what is needed for it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from eventsourcing_grpc.environment import TRACES_EXPORTER, traces_exporters
from eventsourcing_grpc.telemetry.errors import INSTALL
from eventsourcing_grpc.telemetry.hooks import ClientTracer

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tracing:
    """Tracing that is on."""

    provider: TracerProvider
    shut_down: Callable[[], object]
    """Exports what is left. It may wait for whoever the spans are sent to."""


def server_tracing(application_name: str, provider: TracerProvider | None) -> Tracing | None:
    """Returns what a server traces with. None: nothing is traced.

    :param provider: None: the process's own, if it has set one, and else one as the
        environment says.
    :raises EnvironmentVariableError: when an exporter is asked for that is not installed.
    """
    provider = provider or _provider_of_process()
    if provider is not None:
        return Tracing(provider, _nothing)
    names = _exporters()
    if not names:
        return None
    from eventsourcing_grpc.telemetry.providers import exporting_provider

    own = exporting_provider(names, application_name)
    return Tracing(own, own.shutdown)


def client_tracer(
    application_name: str, address: str, provider: TracerProvider | None
) -> ClientTracer | None:
    """Returns what traces a client's calls. None: nothing is traced.

    The arguments and errors are those of :func:`server_tracing`.
    """
    provider = provider or _provider_of_process()
    if provider is None:
        names = _exporters()
        if not names:
            return None
        from eventsourcing_grpc.telemetry.providers import provider_of_clients

        provider = provider_of_clients(names)
    from eventsourcing_grpc.telemetry.call_tracing import ClientTracing

    return ClientTracing(provider, application_name, address)


def _provider_of_process() -> TracerProvider | None:
    """Returns what the process itself has set up, which it can't have done without loading it."""
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry import trace

    provider = trace.get_tracer_provider()
    is_none = isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    return None if is_none else provider


def _exporters() -> tuple[str, ...]:
    names = traces_exporters(os.environ)
    if names and not _is_installed():
        # No reason not to start: the variable may be there for other programs.
        logger.warning(
            "%s=%r is set, but nothing is traced: %s",
            TRACES_EXPORTER,
            os.environ.get(TRACES_EXPORTER),
            INSTALL,
        )
        return ()
    return names


def _is_installed() -> bool:
    return bool(find_spec("opentelemetry") and find_spec("opentelemetry.sdk"))


def _nothing() -> None:
    pass
