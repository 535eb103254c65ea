"""Refuses the calls that nobody has allowed: the one place where permissions are enforced.

What is allowed to whom is decided in ``permissions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from eventsourcing_grpc.access.audit import AuditEntry, AuditLog, following_target
from eventsourcing_grpc.access.peer_identity import peer_identity, peer_names
from eventsourcing_grpc.access.permissions import CALL_METHOD, Access, Permissions, access_to
from eventsourcing_grpc.calls.error_sending import abort
from eventsourcing_grpc.errors import PermissionDeniedError, RequestError
from eventsourcing_grpc.methods import ExposedMethods

Behavior = Callable[[Any, grpc.ServicerContext], Any]
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class PermissionInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]  # Generic in stubs.
    """Lets calls through to their handlers, or ends them with PERMISSION_DENIED and a line of the audit log."""

    def __init__(
        self, name: str, permissions: Permissions, methods: ExposedMethods, audit: AuditLog
    ) -> None:
        """:param name: the application's."""
        self._name = name
        self._permissions = permissions
        self._methods = methods
        self._audit = audit
        self._guarded: dict[str, Any] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Returns the handler of a method, with a guard before it."""
        method = handler_call_details.method
        handler = continuation(handler_call_details)
        if handler is None or access_to(method) is Access.HEALTH:
            return handler
        known = self._guarded.get(method)
        if known is None or known[0] is not handler:
            known = self._guarded[method] = handler, self._guard(method, handler)
        return known[1]

    def _guard(self, method: str, handler: Any) -> Any:
        kind = next(kind for kind in _KINDS if getattr(handler, kind))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            _Guard(self, method, getattr(handler, kind), is_streaming=handler.request_streaming),
            request_deserializer=partial(_read, handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def check(
        self, method: str, access: Access, request: Any, context: grpc.ServicerContext
    ) -> None:
        """Ends a call, by raising, unless it is allowed.

        :param access: what the method asks for, where that does not depend on the request.
        """
        if method == CALL_METHOD and not isinstance(request, _Unreadable):
            access = access_to(method, is_command=self._methods.is_command(request.method))
        if self._permissions.allow(access, peer_names(context)):
            return
        who = peer_identity(context)
        service, _, rpc = method.rpartition("/")
        what = f"{service.rpartition('.')[2]}.{rpc}"
        why = self._permissions.why_refused(access)
        reason = getattr(request, "reason", "")
        self._audit.refuse(AuditEntry(who, what, self._target(rpc, request), reason), why)
        msg = f"{who} may not {access.value} {self._name}: {why}"
        abort(context, PermissionDeniedError(msg))

    def _target(self, rpc: str, request: Any) -> str:
        if rpc == "CallMethod" and self._methods.has(request.method):
            return f"{self._name}.{request.method}"
        if leader := getattr(request, "leader", ""):
            event = getattr(request, "notification_id", None)
            return following_target(self._name, leader, event)
        return self._name


class _Guard:
    """Stands before the behavior of a handler, and is run in the same pool."""

    def __init__(
        self,
        interceptor: PermissionInterceptor,
        method: str,
        behavior: Behavior,
        *,
        is_streaming: bool,
    ) -> None:
        """:param is_streaming: whether the client sends a stream of requests."""
        self._check = interceptor.check
        self._method = method
        self._access = access_to(method)
        self._behavior = behavior
        self._is_streaming = is_streaming
        pool = getattr(behavior, "experimental_thread_pool", None)
        if pool is not None:
            self.experimental_thread_pool = pool

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._check(self._method, self._access, request, context)
        if not self._is_streaming:
            self._refuse_unreadable(request, context)
            return self._behavior(request, context)
        return self._behavior(self._readable(request, context), context)

    def _readable(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            self._refuse_unreadable(request, context)
            yield request

    def _refuse_unreadable(self, request: Any, context: grpc.ServicerContext) -> None:
        if isinstance(request, _Unreadable):
            msg = f"The request is none of {self._method.removeprefix('/')}: it can't be read"
            abort(context, RequestError(msg))


class _Unreadable:
    """Stands for a request that can't be read: whether it is allowed is told before that."""

    method = ""


def _read(deserialize: Callable[[bytes], Any], encoded: bytes) -> Any:
    try:
        return deserialize(encoded)
    except DecodeError:
        return _Unreadable()
