"""The services that every gRPC server is expected to have: health checking and reflection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.protos import application_pb2, operations_pb2

SERVICE_NAMES = (
    application_pb2.DESCRIPTOR.services_by_name["Application"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name,
)
_NAMES_WITH_HEALTH = (health.OVERALL_HEALTH, *SERVICE_NAMES)


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # It has no types.
    """The health of one server, as a whole and of each of its services.

    Checks have a thread of their own: a server whose calls are all busy is not ill.
    See https://github.com/grpc/grpc/blob/master/doc/health-checking.md.

    The servicer of ``grpc_health`` sends what watchers are told under a lock that the one thread that
    finishes sending needs, too: a watcher that goes while another comes made a server deaf for good.
    """

    def __init__(self, name: str, streams: StreamPool) -> None:
        """:param streams: has the threads that watchers wait in, so that calls never wait for one."""
        self._status = health_pb2.HealthCheckResponse.NOT_SERVING
        self._changed = threading.Condition()
        self._executor = ThreadPoolExecutor(1, f"health {name}")
        self._watch_behavior = streams.behavior(self._watch)

    def add_to_server(self, server: grpc.Server) -> None:
        """Serves health checks."""
        # The handlers are looked up on the servicer when it is added.
        self.Check = InPool(self._check, self._executor)
        self.Watch = self._watch_behavior
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    def set_serving(self) -> None:
        """Tells everyone that the server is ready for calls."""
        self._set(health_pb2.HealthCheckResponse.SERVING)

    def set_not_serving(self) -> None:
        """Tells everyone to call somebody else."""
        self._set(health_pb2.HealthCheckResponse.NOT_SERVING)

    def shutdown(self) -> None:
        """Ends the thread of checks. Watchers end with their calls."""
        self._executor.shutdown(wait=True)

    def _set(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def _status_of(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
        if service in _NAMES_WITH_HEALTH:
            return self._status
        return health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

    def _check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        status = self._status_of(request.service)
        if status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN:
            context.abort(grpc.StatusCode.NOT_FOUND, "There is no such service here")
        return health_pb2.HealthCheckResponse(status=status)

    def _watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """Yields the status, and each other one that comes, until the call has ended."""
        if not context.add_callback(self._wake):
            return
        told = None
        while True:
            with self._changed:
                while (status := self._status_of(request.service)) == told and context.is_active():
                    self._changed.wait()
            # Nothing is sent under the lock.
            if not context.is_active():
                return
            told = status
            yield health_pb2.HealthCheckResponse(status=status)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class InPool:
    """A handler that grpcio runs in a given pool, as it finds it in an attribute."""

    def __init__(self, behavior: Callable[..., Any], pool: ThreadPoolExecutor) -> None:
        self._behavior = behavior
        self.experimental_thread_pool = pool

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self._behavior(request, context)


class Reflection(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # Generic in its stubs only.
    """Lets clients without the .proto files find out what is served.

    Loaded when it is first asked for: few servers ever are, and it would double what
    protobuf costs every server's start.
    """

    def __init__(self, streams: StreamPool) -> None:
        self._streams = streams
        self._lock = threading.Lock()
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Returns the handler of a method, if it is one of the reflection service's."""
        if not handler_call_details.method.startswith("/grpc.reflection."):
            return None
        with self._lock:
            if not self._handlers:
                self._load()
        return self._handlers.get(handler_call_details.method)

    def _load(self) -> None:
        from grpc_reflection.v1alpha import reflection, reflection_pb2

        names = (*SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        behavior: Callable[..., Any] = reflection.ReflectionServicer(names).ServerReflectionInfo
        handler = grpc.stream_stream_rpc_method_handler(
            self._streams.behavior(behavior),
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        self._handlers[f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"] = handler
