"""The services that every gRPC server is expected to have: health checking and reflection."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


class Health:
    """The health of one server, as a whole and of each of its services.

    Checks have a thread of their own, and so have watchers: a server whose calls are all busy is not ill.
    See https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
    """

    def __init__(self, name: str) -> None:
        self._servicer = health.HealthServicer()
        self._executor = ThreadPoolExecutor(1, f"health {name}")
        self._watch_executor = ThreadPoolExecutor(1, f"health watch {name}")
        self._set(health_pb2.HealthCheckResponse.NOT_SERVING)

    def add_to_server(self, server: grpc.Server) -> None:
        """Serves health checks."""
        check = InPool(self._servicer.Check, self._executor)
        watch = InPool(self._servicer.Watch, self._watch_executor)
        # It is called once for each watcher, and waits for the first message to be sent.
        watch.experimental_non_blocking = True
        # The handlers are looked up on the servicer when it is added.
        self._servicer.Check = check  # type: ignore[method-assign]
        self._servicer.Watch = watch  # type: ignore[method-assign, assignment]
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def set_serving(self) -> None:
        """Tells everyone that the server is ready for calls."""
        self._set(health_pb2.HealthCheckResponse.SERVING)

    def set_not_serving(self) -> None:
        """Tells everyone to call somebody else. There is no way back."""
        self._servicer.enter_graceful_shutdown()

    def shutdown(self) -> None:
        """Ends the threads."""
        self._executor.shutdown(wait=True)
        self._watch_executor.shutdown(wait=True)

    def _set(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in _NAMES_WITH_HEALTH:
            self._servicer.set(name, status)


class InPool:
    """A handler that grpcio runs in a given pool, as it finds it in an attribute."""

    def __init__(self, behavior: Callable[..., Any], pool: ThreadPoolExecutor) -> None:
        self._behavior = behavior
        self.experimental_thread_pool = pool
        self.experimental_non_blocking = False

    def __call__(self, request: Any, context: grpc.ServicerContext, *callbacks: Any) -> Any:
        return self._behavior(request, context, *callbacks)


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
