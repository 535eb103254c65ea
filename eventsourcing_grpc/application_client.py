"""Clients of applications that are served with gRPC, and proxies that stand for the applications."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from weakref import WeakSet

import grpc
from eventsourcing.application import Application, NotificationLog, TApplication
from eventsourcing.persistence import InfrastructureFactory, Notification, Transcoder
from eventsourcing.popo import POPOFactory
from eventsourcing.utils import EnvType
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from eventsourcing_grpc.calls.error_receiving import (
    UNAVAILABLE_CODES,
    error_from_rpc,
    rpc_code,
    was_never_sent,
)
from eventsourcing_grpc.channels import open_channel
from eventsourcing_grpc.environment import application_environment, server_address
from eventsourcing_grpc.errors import (
    ClientClosedError,
    DeadlineExceeded,
    GrpcError,
    RemoteApplicationError,
    ServiceUnavailable,
)
from eventsourcing_grpc.methods import ExposedMethods, MethodKind
from eventsourcing_grpc.notifications.notification_subscription import NotificationSubscription
from eventsourcing_grpc.notifications.remote_notification_log import RemoteNotificationLog
from eventsourcing_grpc.protos.application_pb2 import (
    CallMethodRequest,
    CallMethodResponse,
    SelectNotificationsRequest,
    SelectNotificationsResponse,
)
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from eventsourcing_grpc.telemetry.hooks import Metadata
from eventsourcing_grpc.telemetry.tracing_switch import client_tracer

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = [
    "ApplicationProxy",
    "ClientClosedError",
    "DeadlineExceeded",
    "GrpcApplicationClient",
    "GrpcError",
    "RemoteApplicationError",
    "ServiceUnavailable",
    "connect",
    "create_client",
]

DEFAULT_TIMEOUT = 30.0
"""Seconds that a call may take."""
UNAVAILABLE_TIMEOUT = 5.0
"""Seconds for which a call that may be sent again is sent again while the server is unavailable."""
_FIRST_RETRY_DELAY = 0.05
_MAX_RETRY_DELAY = 0.5
_PING_TIMEOUT = 5.0

TRequest = TypeVar("TRequest")
TResponse = TypeVar("TResponse")


class GrpcApplicationClient(Generic[TApplication]):
    """Calls one application's server. May be used by many threads at once.

    Opens neither the application's database nor, before the first call, a connection.
    """

    def __init__(
        self,
        app_class: type[TApplication],
        env: EnvType | None = None,
        owner_name: str = "",
        is_stopping: threading.Event | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """:param app_class: the application's class, for its name, transcoder and methods.
        :param env: overrides ``os.environ``.
        :param owner_name: of the application that this client belongs to, if any: its certificate is shown.
        :param is_stopping: ends waiting for the server when it is set.
        :param timeout: seconds that a call may take.
        :param tracer_provider: what calls are traced with. None: OpenTelemetry's own, if it is in use
            when the client is made.
        :raises EnvironmentVariableError: when the address is missing, or a value can't be used.
        :raises CertificateError: when a certificate or key file can't be used.
        """
        self.app_class = app_class
        self.env = application_environment(_application_class(app_class), env)
        self.name: str = self.env.name
        self.address = server_address(self.env, self.name)
        self.timeout = timeout
        self._transcoder = _construct_transcoder(_application_class(app_class), env)
        methods = ExposedMethods(_application_class(app_class))
        self._queries = frozenset(m.name for m in methods if m.kind is MethodKind.QUERY)
        self._is_closed = threading.Event()
        self._is_stopping = is_stopping or self._is_closed
        # One that nobody iterates over any more goes, and its stream with it.
        self._subscriptions: WeakSet[NotificationSubscription] = WeakSet()
        self._lock = threading.Lock()
        self._channel = open_channel(self.address, self.env, owner_name or self.name)
        self._stub = ApplicationStub(self._channel)
        self._health = HealthStub(self._channel)
        self._tracer = client_tracer(self.name, self.address, tracer_provider)
        self._app = ApplicationProxy(self)

    @property
    def app(self) -> TApplication:
        """Stands for the application: its public methods are called on the server."""
        return cast(TApplication, self._app)

    @property
    def _server(self) -> str:
        return f"{self.name} on {self.address}"

    def connect(self, max_attempts: int = 0) -> None:
        """Waits for the server.

        :param max_attempts: how often it is asked whether it is serving, with a back-off between
            50 ms and 500 ms. 0: not at all, and this returns at once.
        :raises ServiceUnavailable: when it did not serve at the last attempt.
        :raises ClientClosedError: when the client is closed in the meantime.
        """
        self._check_not_closed()
        delay = _FIRST_RETRY_DELAY
        for attempt in range(1, max_attempts + 1):
            try:
                self.ping()
            except (ServiceUnavailable, DeadlineExceeded) as e:
                if attempt == max_attempts:
                    msg = f"{self._server} is unavailable after {attempt} attempts: {e}"
                    raise ServiceUnavailable(msg) from e
            else:
                return
            if self._pause(delay) or self._is_closed.is_set():
                msg = f"Waiting for {self._server} was ended"
                raise ClientClosedError(msg)
            delay = min(delay * 2, _MAX_RETRY_DELAY)

    def ping(self) -> None:
        """Asks the server whether it is serving.

        :raises ServiceUnavailable: when it is not, or can't be reached.
        :raises DeadlineExceeded: when it did not answer within 5 s.
        """
        self._check_not_closed()
        try:
            response = self._health.Check(HealthCheckRequest(), timeout=_PING_TIMEOUT)
        except grpc.RpcError as e:
            raise self._map(e) from None
        if response.status != HealthCheckResponse.SERVING:
            status = HealthCheckResponse.ServingStatus.Name(response.status)
            msg = f"{self._server} is {status}"
            raise ServiceUnavailable(msg)

    def call_application_method(
        self, method_name: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls a method of the application, and returns what it returns.

        A method that the application's class marks with ``@query`` is called again while the server
        is unavailable, for up to 5 s. Any other method is a command, which is sent again only
        when it is certain that the application has not seen it.

        :raises ServiceUnavailable: when the server is unavailable.
        :raises DeadlineExceeded: when the call takes longer than the client's ``timeout``.
        :raises GrpcError: what the method raises, as its own class where this process knows it.
        """
        request = CallMethodRequest(method=method_name)
        if args:
            request.args = self._encode(list(args), method_name)
        if kwargs:
            request.kwargs = self._encode(dict(kwargs), method_name)
        # What the class here doesn't know is taken for a command. The server says what it is.
        is_query = method_name in self._queries
        response: CallMethodResponse
        if self._tracer is None:
            response = self._call(self._stub.CallMethod, request, may_repeat=is_query)
        else:
            with self._tracer.call("CallMethod", method_name) as metadata:
                response = self._call(
                    self._stub.CallMethod, request, may_repeat=is_query, metadata=metadata
                )
        return self._transcoder.decode(response.result)

    def get_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Selects notifications from the application's log. Arguments and errors are those of
        :meth:`RemoteNotificationLog.select`.
        """
        return self._app.notification_log.select(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> NotificationSubscription:
        """Returns an iterator of the application's notifications that waits for new ones.

        It goes on where it was when the server has been away. It ends when it, or this client,
        is closed.

        :param gt: the greatest ID that is not wanted. None: all are.
        :param topics: the topics wanted. Empty: all.
        :raises ClientClosedError: when the client is closed.
        """
        with self._lock:
            self._check_not_closed()
            subscription = NotificationSubscription(
                self._stub, self.name, self._map, max(gt or 0, 0), topics, self._forget
            )
            self._subscriptions.add(subscription)
        return subscription

    def select_page(self, request: SelectNotificationsRequest) -> SelectNotificationsResponse:
        """Reads one page of the log."""
        select = self._stub.SelectNotifications
        if self._tracer is None:
            return self._call(select, request, may_repeat=True)
        with self._tracer.call("SelectNotifications", "") as metadata:
            return self._call(select, request, may_repeat=True, metadata=metadata)

    def close(self) -> None:
        """Ends the client's subscriptions and calls. Closing a closed client changes nothing."""
        with self._lock:
            self._is_closed.set()
            subscriptions = tuple(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
        self._channel.close()

    def __enter__(self) -> GrpcApplicationClient[TApplication]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget(self, subscription: NotificationSubscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def _check_not_closed(self) -> None:
        if self._is_closed.is_set():
            msg = f"The client of {self._server} is closed"
            raise ClientClosedError(msg)

    def _encode(self, arguments: object, method_name: str) -> bytes:
        try:
            return self._transcoder.encode(arguments)
        except Exception as e:
            e.add_note(f"The arguments of {self.name}.{method_name}() can't be sent")
            raise

    def _call(
        self,
        rpc: Callable[..., TResponse],
        request: TRequest,
        *,
        may_repeat: bool,
        metadata: Metadata | None = None,
    ) -> TResponse:
        give_up_at = 0.0
        delay = _FIRST_RETRY_DELAY
        while True:
            self._check_not_closed()
            try:
                return rpc(request, timeout=self.timeout, metadata=metadata)
            except grpc.RpcError as e:
                is_unavailable = rpc_code(e) in UNAVAILABLE_CODES
                if not is_unavailable or not (may_repeat or was_never_sent(e)):
                    raise self._map(e, is_unknown=is_unavailable) from None
                give_up_at = give_up_at or monotonic() + UNAVAILABLE_TIMEOUT
                if monotonic() > give_up_at or self._pause(delay):
                    raise self._map(e) from None
                delay = min(delay * 2, _MAX_RETRY_DELAY)
            except ValueError:
                # What grpcio raises for a channel that is closed.
                self._check_not_closed()
                raise

    def _pause(self, delay: float) -> bool:
        """Waits before the next attempt. Returns whether there is to be none.

        While nobody waits for an answer, grpcio before 1.80 does not get on with connecting.
        """
        until = monotonic() + delay
        with suppress(grpc.RpcError, ValueError):
            self._health.Check(HealthCheckRequest(), timeout=delay, wait_for_ready=True)
        return self._is_stopping.wait(max(0.0, until - monotonic()))

    def _map(self, error: grpc.RpcError, *, is_unknown: bool = False) -> GrpcError:
        if self._is_closed.is_set():
            return ClientClosedError(f"The client of {self._server} is closed")
        mapped = error_from_rpc(error, server=self._server, transcoder=self._transcoder)
        if is_unknown:
            mapped.add_note("Whether the application has executed the call is not known")
        return mapped


class ApplicationProxy:
    """Stands for an application that is served somewhere else.

    Calling a method of it calls the application's method of that name.
    """

    def __init__(self, client: GrpcApplicationClient[Any]) -> None:
        self._client = client
        self._notification_log = RemoteNotificationLog(client.select_page)

    @property
    def name(self) -> str:
        """The application's name."""
        return self._client.name

    @property
    def notification_log(self) -> NotificationLog:
        """The application's notification log. Any limit may be selected."""
        return self._notification_log

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        definition = inspect.getattr_static(self._client.app_class, name, None)
        is_property = isinstance(definition, property | cached_property)
        if is_property:
            # What is returned for a method would be true in every condition.
            msg = f"{self._client.name}.{name} is a property: only methods can be called remotely"
            raise AttributeError(msg)
        method = _RemoteMethod(self._client, name)
        # Found without this method the next time.
        self.__dict__[name] = method
        return method

    def __repr__(self) -> str:
        return f"<proxy for {self._client.name} on {self._client.address}>"


class _RemoteMethod:
    def __init__(self, client: GrpcApplicationClient[Any], name: str) -> None:
        self._client = client
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._client.call_application_method(self._name, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        msg = (
            f"{self._client.name}.{self._name}.{name}: only methods of the application itself, and its "
            "notification_log, can be reached through a client"
        )
        raise AttributeError(msg)


def create_client(
    app_class: type[TApplication],
    env: EnvType | None = None,
    owner_name: str = "",
    is_stopping: threading.Event | None = None,
) -> GrpcApplicationClient[TApplication]:
    """Returns a client that has not waited for its server. Arguments and errors are the class's."""
    return GrpcApplicationClient(app_class, env, owner_name, is_stopping)


def connect(
    app_class: type[TApplication],
    env: EnvType | None = None,
    owner_name: str = "",
    max_attempts: int = 0,
) -> GrpcApplicationClient[TApplication]:
    """Returns a client that has waited for its server.

    Arguments and errors are those of the class and of :meth:`GrpcApplicationClient.connect`.
    """
    client = create_client(app_class, env, owner_name)
    try:
        client.connect(max_attempts)
    except BaseException:
        client.close()
        raise
    return client


def _application_class(app_class: type[object]) -> type[Application[Any]]:
    if not (isinstance(app_class, type) and issubclass(app_class, Application)):
        msg = f"Not an application class: {app_class!r}"
        raise TypeError(msg)
    return app_class


def _construct_transcoder(app_class: type[Application[Any]], env: EnvType | None) -> Transcoder:
    """Returns the transcoder that an application would have, without constructing the application.

    Constructing it would open its database.
    """
    application = app_class.__new__(app_class)
    application.env = application.construct_env(app_class.name, env)  # type: ignore[misc]
    factory: InfrastructureFactory[Any] = POPOFactory(application.env)
    application.factory = factory
    return application.construct_transcoder()
