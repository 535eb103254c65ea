"""The gRPC service that programs use: calls, pages of the notification log, subscriptions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import grpc
from eventsourcing.application import Application
from eventsourcing.persistence import Transcoder

from eventsourcing_grpc.access.audit import AuditLog
from eventsourcing_grpc.access.call_audit import CallAudit
from eventsourcing_grpc.access.peer_identity import peer_identity
from eventsourcing_grpc.access.permissions import Permissions
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.error_sending import abort, status_code
from eventsourcing_grpc.calls.error_texts import hide_values
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.conversion import notification_to_message
from eventsourcing_grpc.errors import (
    ArgumentsError,
    RequestError,
    ResultNotEncodableError,
    ServerStoppingError,
)
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.notifications.notification_ring import MAX_BATCH_BYTES
from eventsourcing_grpc.notifications.remote_notification_log import check_limit
from eventsourcing_grpc.protos import application_pb2 as pb

logger = logging.getLogger(__name__)

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["Application"].full_name
MAX_PAGE_SIZE = 1_000


class ApplicationService:
    """Serves one application to programs."""

    def __init__(
        self,
        *,
        application: Application[Any],
        methods: ExposedMethods,
        feed: NotificationFeed,
        calls: CallStatistics,
        permissions: Permissions,
        audit: AuditLog,
        has_tls: bool,
        is_stopping: threading.Event,
    ) -> None:
        """:param permissions: say who may see tracebacks. They are enforced elsewhere.
        :param has_tls: whether callers show who they are.
        """
        self._application = application
        self._methods = methods
        self._feed = feed
        self._calls = calls
        self._permissions = permissions
        self._audit = CallAudit.of_programs(audit, application.name, methods, has_tls=has_tls)
        self._is_stopping = is_stopping
        self._transcoder: Transcoder = application.mapper.transcoder

    def handler(self, streams: StreamPool) -> grpc.GenericRpcHandler[Any, Any]:
        """Returns what routes requests to this service.

        :param streams: has the threads that subscriptions wait in, so that calls never wait for one.
        """
        return grpc.method_handlers_generic_handler(
            SERVICE_NAME,
            {
                "CallMethod": grpc.unary_unary_rpc_method_handler(
                    self.call_method,
                    request_deserializer=pb.CallMethodRequest.FromString,
                    response_serializer=pb.CallMethodResponse.SerializeToString,
                ),
                "SelectNotifications": grpc.unary_unary_rpc_method_handler(
                    self.select_notifications,
                    request_deserializer=pb.SelectNotificationsRequest.FromString,
                    response_serializer=pb.SelectNotificationsResponse.SerializeToString,
                ),
                "Subscribe": grpc.unary_stream_rpc_method_handler(
                    streams.behavior(self.subscribe),
                    request_deserializer=pb.SubscribeRequest.FromString,
                    # The feed encodes batches itself, once for all subscribers.
                    response_serializer=None,
                ),
            },
        )

    def call_method(
        self, request: pb.CallMethodRequest, context: grpc.ServicerContext
    ) -> pb.CallMethodResponse:
        """Calls one exposed method of the application."""
        try:
            if self._is_stopping.is_set():
                msg = f"The server of {self._application.name} is stopping"
                raise ServerStoppingError(msg)
            with self._calls.measure():
                response = pb.CallMethodResponse(result=self._call(request))
        except BaseException as e:
            # SystemExit too: grpcio would leave the caller waiting.
            self._audit.note(request.method, context, e)
            self._abort(context, e)
        self._audit.note(request.method, context)
        return response

    def _call(self, request: pb.CallMethodRequest) -> bytes:
        method = self._methods.get(request.method)
        try:
            args = self._transcoder.decode(request.args) if request.args else ()
            kwargs = self._transcoder.decode(request.kwargs) if request.kwargs else {}
        except Exception as e:
            msg = f"The arguments of {method.name}() can't be decoded: {e}"
            raise ArgumentsError(msg) from e
        if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
            msg = f"The arguments of {method.name}() are not a list and a dict"
            raise ArgumentsError(msg)
        method.bind(args, kwargs)
        result = getattr(self._application, method.name)(*args, **kwargs)
        try:
            return self._transcoder.encode(result)
        except Exception as e:
            msg = (
                f"{method.name}() was executed, but the {type(result).__name__} that it returned "
                f"can't be encoded: {e}"
            )
            raise ResultNotEncodableError(msg) from e

    def select_notifications(
        self, request: pb.SelectNotificationsRequest, context: grpc.ServicerContext
    ) -> pb.SelectNotificationsResponse:
        """Reads one page of the notification log."""
        try:
            check_limit(request.limit)
            limit = min(request.limit, MAX_PAGE_SIZE)
            notifications = self._application.recorder.select_notifications(
                start=_database_id(request.start) if request.HasField("start") else None,
                limit=limit,
                stop=_database_id(request.stop) if request.HasField("stop") else None,
                topics=list(request.topics),
                inclusive_of_start=not request.exclusive_of_start,
            )
            response = pb.SelectNotificationsResponse(
                has_more=len(notifications) == limit < request.limit, head=self._feed.head
            )
            size = 0
            for notification in notifications:
                size += len(notification.state)
                if size > MAX_BATCH_BYTES and response.notifications:
                    response.has_more = True
                    break
                response.notifications.append(notification_to_message(notification))
            if notifications:
                response.head = max(response.head, notifications[-1].id)
            return response
        except Exception as e:  # whatever a recorder raises is told to the caller
            self._abort(context, e)

    def subscribe(
        self, request: pb.SubscribeRequest, context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        """Sends encoded batches of notifications until the client goes or the server stops."""
        name = self._application.name
        if request.application and request.application != name:
            msg = f"{request.application} was asked for, but {name} is served here"
            self._abort(context, RequestError(msg, {"application": f"is {name}"}))
        subscription = self._feed.subscribe(request.after, request.topics)
        try:
            # A client that goes leaves this thread waiting for a notification.
            if not context.add_callback(subscription.close):
                return
            for batch in subscription:
                yield batch.encode()
        except Exception as e:
            self._abort(context, e)
        finally:
            subscription.close()
        if self._is_stopping.is_set():
            self._abort(context, ServerStoppingError(f"The server of {name} is stopping"))

    def _abort(self, context: grpc.ServicerContext, error: BaseException) -> NoReturn:
        hide_values(error)
        if status_code(error) is grpc.StatusCode.UNKNOWN:
            # A defect or a broken database, which the caller may not be shown.
            logger.error("A call of %s failed", self._application.name, exc_info=error)
        abort(
            context,
            error,
            transcoder=self._transcoder,
            with_traceback=self._permissions.may_see_tracebacks(peer_identity(context)),
        )


def _database_id(notification_id: int) -> int:
    # Databases have signed integers of 64 bits.
    return min(notification_id, 2**63 - 1)
