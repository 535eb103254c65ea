"""Traces calls, at both ends, by the conventions for gRPC.

See https://opentelemetry.io/docs/specs/semconv/rpc/grpc/. One name for the calls of all methods would
say little: a span is named after the application and its method.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, TracerProvider

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.protos import application_pb2
from eventsourcing_grpc.telemetry.call_interceptor import status_of
from eventsourcing_grpc.telemetry.hooks import Metadata
from eventsourcing_grpc.telemetry.spans import add_exception, mark_failed, tracer_of, type_name

_APPLICATION = application_pb2.DESCRIPTOR.services_by_name["Application"].full_name
_STATUS = "rpc.response.status_code"
# Others say that the caller has done something wrong.
_SERVER_ERRORS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


class ClientTracing:
    """Traces the calls of one client."""

    def __init__(self, provider: TracerProvider, application_name: str, address: str) -> None:
        self._tracer = tracer_of(provider)
        self._name = application_name
        self._attributes: dict[str, str | int] = {
            "rpc.system.name": "grpc",
            "eventsourcing.application": application_name,
            **_server(address),
        }

    @contextmanager
    def call(self, rpc: str, method: str) -> Iterator[Metadata]:
        """Traces a call, and gives the metadata that let the server go on with the trace."""
        attributes = {**self._attributes, "rpc.method": f"{_APPLICATION}/{rpc}"}
        if method:
            attributes["eventsourcing.method"] = method
        span = self._tracer.start_span(
            f"{self._name}/{method or rpc}", kind=SpanKind.CLIENT, attributes=attributes
        )
        carrier: dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(span))
        try:
            yield tuple(carrier.items())
        except BaseException as e:
            _note_error(span, e)
            raise
        else:
            span.set_attribute(_STATUS, "OK")
        finally:
            span.end()


class ServerTracing:
    """Traces the calls that a server carries out."""

    def __init__(self, provider: TracerProvider, application_name: str) -> None:
        self._tracer = tracer_of(provider)
        self._name = application_name

    @contextmanager
    def observe(self, rpc: str, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        """Traces a call, in the trace of its caller if there is one.

        Followers and consoles read all the time. So what calls no method is traced for its
        caller only.
        """
        parent = propagate.extract(
            {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        )
        is_asked_for = trace.get_current_span(parent).get_span_context().is_valid
        if not method and not is_asked_for:
            yield
            return
        attributes = {
            "rpc.system.name": "grpc",
            "rpc.method": rpc,
            "eventsourcing.application": self._name,
        }
        if method:
            attributes["eventsourcing.method"] = method
        # By hand: OpenTelemetry's context managers take as long as all the rest.
        span = self._tracer.start_span(
            f"{self._name}/{method or rpc.rpartition('/')[2]}",
            parent,
            kind=SpanKind.SERVER,
            attributes=attributes,
        )
        token = otel_context.attach(trace.set_span_in_context(span, parent))
        try:
            yield
        except BaseException as e:
            _note_status(span, e, context)
            raise
        else:
            span.set_attribute(_STATUS, "OK")
        finally:
            otel_context.detach(token)
            span.end()


def _note_error(span: Span, error: BaseException) -> None:
    if not span.is_recording():
        return
    code = getattr(error, "code", None)
    name = code.name if isinstance(code, grpc.StatusCode) else type_name(error)
    if isinstance(code, grpc.StatusCode):
        span.set_attribute(_STATUS, name)
    add_exception(span, error)
    mark_failed(span, name)


def _note_status(span: Span, error: BaseException, context: grpc.ServicerContext) -> None:
    """Notes what a call was ended with, which is raised from what has really gone wrong."""
    if not span.is_recording():
        return
    code = status_of(context)
    span.set_attribute(_STATUS, code.name)
    if error.__context__ is not None:
        add_exception(span, error.__context__)
    if code in _SERVER_ERRORS:
        mark_failed(span, code.name)


def _server(address: str) -> dict[str, str | int]:
    if address.startswith("unix:"):
        return {"server.address": address.removeprefix("unix:")}
    host, port = split_address(address)
    return {"server.address": host, "server.port": port}
