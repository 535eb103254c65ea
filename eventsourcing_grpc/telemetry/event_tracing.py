"""Traces followers: the trace in which an event was recorded goes on where it is processed.

By the conventions for messaging, which an application's notification log is a kind of:
see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from time import monotonic

from eventsourcing.persistence import Notification
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from eventsourcing_grpc.telemetry.spans import add_exception, mark_failed, tracer_of, type_name

MAX_DURATION = 60.0
"""Seconds after which the span of an event that fails again and again is ended, and another one begun:
nobody sees a span before its end."""
_TRACEPARENT = "traceparent"


def current_trace_context() -> str:
    """Returns the ``traceparent`` of the calling thread. Empty: it is in no trace."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


class FollowingTracing:
    """Traces how a follower processes the events of one leader. Belongs to the loop's thread."""

    def __init__(self, provider: TracerProvider, follower_name: str, leader_name: str) -> None:
        self._tracer = tracer_of(provider)
        self._propagator = TraceContextTextMapPropagator()
        self._span_name = f"process {leader_name}"
        self._attributes: dict[str, str | int | bool] = {
            "messaging.system": "eventsourcing",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": leader_name,
            "messaging.consumer.group.name": follower_name,
            "eventsourcing.application": follower_name,
            "eventsourcing.leader": leader_name,
        }
        self._current: _ProcessingSpan | None = None

    def trace(
        self, notification: Notification, trace_context: str, process: Callable[[], bool]
    ) -> bool:
        """Traces what a function does, in one span, or more if it takes longer than a minute."""
        parent = self._propagator.extract({_TRACEPARENT: trace_context}, Context())
        is_continued = trace.get_current_span(parent).get_span_context().is_valid
        attributes = {
            **self._attributes,
            "messaging.message.id": str(notification.id),
            "eventsourcing.notification.id": notification.id,
            "eventsourcing.notification.topic": notification.topic,
            # False: an event of a time before its server's last start, or before it was traced.
            "eventsourcing.trace.is_continued": is_continued,
        }
        self._current = _ProcessingSpan(self._begin, parent, attributes)
        is_processed = False
        try:
            is_processed = process()
        finally:
            self._current.end(is_processed=is_processed)
            self._current = None
        return is_processed

    def note_failure(self, error: BaseException, attempts: int, delay: float) -> None:
        """Adds a failed attempt to the span."""
        if self._current is not None:
            self._current.note_failure(error, attempts, delay)

    def _begin(self, parent: Context, attributes: dict[str, str | int | bool]) -> Span:
        return self._tracer.start_span(
            self._span_name, context=parent, kind=SpanKind.CONSUMER, attributes=attributes
        )


class _ProcessingSpan:
    """The span of one event, which is the thread's current one until it is ended."""

    def __init__(
        self,
        begin: Callable[[Context, dict[str, str | int | bool]], Span],
        parent: Context,
        attributes: dict[str, str | int | bool],
    ) -> None:
        self._begin_span = begin
        self._parent = parent
        self._attributes = attributes
        self._error = ""
        self._begin()

    def note_failure(self, error: BaseException, attempts: int, delay: float) -> None:
        if self._span.is_recording():
            add_exception(self._span, error, {"eventsourcing.attempt": attempts})
            retry = {"eventsourcing.attempt": attempts + 1, "eventsourcing.retry.delay": delay}
            self._span.add_event("retry", retry)
        self._error = type_name(error)
        if monotonic() - self._started > MAX_DURATION:
            self.end(is_processed=False)
            # Its parent is the same, so that all of them are beside each other.
            self._begin()

    def end(self, *, is_processed: bool) -> None:
        if self._error and not is_processed:
            mark_failed(self._span, self._error)
        self._span.end()
        otel_context.detach(self._token)

    def _begin(self) -> None:
        self._started = monotonic()
        self._span = self._begin_span(self._parent, self._attributes)
        self._token: Token[Context] = otel_context.attach(
            trace.set_span_in_context(self._span, self._parent)
        )
