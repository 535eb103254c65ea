"""Shows observers the calls of a server, before anything else sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.protos import application_pb2, operations_pb2
from eventsourcing_grpc.telemetry.hooks import CallObserver

OTHER = "_OTHER"
"""Stands for what is asked for and not there: whoever calls must not be able to make up names."""
_APPLICATION = application_pb2.DESCRIPTOR.services_by_name["Application"].full_name
_OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name
_CALLS = frozenset({f"/{_APPLICATION}/CallMethod", f"/{_OPERATIONS}/CallMethod"})
_OBSERVED = _CALLS | {f"/{_APPLICATION}/SelectNotifications"}

Behavior = Callable[[Any, grpc.ServicerContext], Any]


def status_of(context: grpc.ServicerContext) -> grpc.StatusCode:
    """Returns the status that a call has been ended with by raising."""
    code: grpc.StatusCode | None = context.code()  # type: ignore[attr-defined]  # Not in its stubs.
    return code or grpc.StatusCode.UNKNOWN


class CallInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]  # Generic in its stubs only.
    """Lets observers see calls of methods and pages of the log that are read. Streams are not observed."""

    def __init__(
        self, methods: ExposedMethods, first: CallObserver, second: CallObserver | None = None
    ) -> None:
        self._names = frozenset(method.name for method in methods)
        self._first = first
        self._second = second
        self._observed: dict[str, tuple[Any, Any]] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Returns the handler of a method, with the observers around it."""
        rpc = handler_call_details.method
        handler = continuation(handler_call_details)
        if handler is None or rpc not in _OBSERVED:
            return handler
        known = self._observed.get(rpc)
        if known is None or known[0] is not handler:
            known = self._observed[rpc] = handler, self._observe(rpc, handler)
        return known[1]

    def _observe(self, rpc: str, handler: Any) -> Any:
        name = rpc.removeprefix("/")
        behavior: Behavior = handler.unary_unary
        first, second = self._first, self._second

        def observed(request: Any, context: grpc.ServicerContext) -> Any:
            method = ""
            if rpc in _CALLS:
                method = request.method if request.method in self._names else OTHER
            with first.observe(name, method, context):
                if second is None:
                    return behavior(request, context)
                with second.observe(name, method, context):
                    return behavior(request, context)

        return grpc.unary_unary_rpc_method_handler(
            observed,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
