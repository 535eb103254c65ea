"""An application as a gRPC server: its life cycle, and nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any

import grpc
from eventsourcing.application import Application
from eventsourcing.popo import POPORecorder
from eventsourcing.system import Follower, Leader, System
from eventsourcing.utils import Environment, EnvType, get_topic

from eventsourcing_grpc import standard_services
from eventsourcing_grpc.application_construction import construct_application
from eventsourcing_grpc.application_service import ApplicationService
from eventsourcing_grpc.audit import AuditLog
from eventsourcing_grpc.call_statistics import CallStatistics
from eventsourcing_grpc.certificate_files import CertificateFiles
from eventsourcing_grpc.certificates import host_problem, shown_time
from eventsourcing_grpc.channels import SERVER_OPTIONS, open_channel
from eventsourcing_grpc.configuration_check import (
    configured_system,
    host_of,
    unlimited_warning,
)
from eventsourcing_grpc.credentials import server_certificates, server_credentials
from eventsourcing_grpc.database_session import session_of
from eventsourcing_grpc.environment import (
    APPLICATION_TOPIC,
    SYSTEM_TOPIC,
    application_environment,
    has_server_address,
    listen_address,
    max_pull_interval,
    server_address,
)
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.listening import AddressUnavailableError, check_is_free
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.operations_service import OperationsService
from eventsourcing_grpc.permission_interceptor import PermissionInterceptor
from eventsourcing_grpc.permissions import Permissions, permissions
from eventsourcing_grpc.served_system import ServedApplication, ServedSystem
from eventsourcing_grpc.server_process import ServerProcess
from eventsourcing_grpc.stream_pool import StreamPool
from eventsourcing_grpc.telemetry.server_telemetry import ServerTelemetry
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = [
    "AddressUnavailableError",
    "GrpcApplicationServer",
    "start_server",
    "start_server_subprocess",
]

logger = logging.getLogger(__name__)

DEFAULT_MAX_WORKERS = 16
"""How many calls are served at once. More wait for one of these to end."""
GRACE = 1.5
"""Seconds that calls in progress have for coming to their end when a server stops."""
_CLOSE_TIMEOUT = 0.5


class GrpcApplicationServer:
    """Serves one application, and lets it follow its leaders.

    A started server has threads of its own, which :meth:`stop` ends. It can then be started
    again: an application whose events are only in memory still has them.
    """

    def __init__(
        self,
        app_class: type[Application[Any]],
        env: EnvType | None = None,
        is_stopping: threading.Event | None = None,
        max_workers: int | None = None,
        *,
        system: System | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """Nothing is opened before :meth:`start`.

        :param env: overrides ``os.environ``.
        :param is_stopping: stops the server when it is set.
        :param max_workers: how many calls are served at once. None: 16.
        :param system: which leaders are followed. None: the one that ``SYSTEM_TOPIC`` names, if any.
        :param tracer_provider: what is traced with. None: OpenTelemetry's own, if it is in use when
            the server is started.
        :raises EnvironmentVariableError: when the address is missing, or a value can't be used.
        """
        self.env: Environment = application_environment(app_class, env)
        self.app_class = app_class
        self.is_stopping = is_stopping or threading.Event()
        self.has_started = threading.Event()
        self.has_stopped = threading.Event()
        self._name: str = app_class.name
        self._max_workers = max_workers or DEFAULT_MAX_WORKERS
        self._system = system or configured_system(self.env, self._name)
        self._configured_address = server_address(self.env, self._name)
        self._listen_address = listen_address(self.env, self._name)
        self._max_pull_interval = max_pull_interval(self.env, self._name)
        self._permissions = permissions(self.env, self._name)
        self._telemetry = ServerTelemetry(self.env, self._name, tracer_provider)
        self._address = self._configured_address
        self._application: Application[Any] | None = None
        self._followings: list[Following] = []
        self._lock = threading.Lock()
        self._stopper: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where the server is found. A configured port 0 is replaced by the one that was chosen."""
        return self._address

    @property
    def application(self) -> Application[Any]:
        """The application that is served. It is constructed when it is first needed."""
        if self._application is None:
            self._application = construct_application(self.app_class, self.env)
        return self._application

    @property
    def followings(self) -> Sequence[Following]:
        """How the application follows its leaders. Empty before the start."""
        return tuple(self._followings)

    def start(self) -> None:
        """Starts serving and following. Returns when clients can connect.

        Starting a started server changes nothing. One that is stopping is waited for.

        :raises AddressUnavailableError: when the address is taken, or can't be listened on.
        :raises EnvironmentVariableError: when TLS is missing for an address off loopback.
        :raises CertificateError: when a certificate or key file can't be used.
        :raises MetricsAddressError: when metrics are asked for on an address that is taken.
        :raises Exception: what the application's constructor raises.
        """
        with self._lock:
            if self.has_started.is_set() and self.is_stopping.is_set():
                self.has_stopped.wait()
            if self.has_started.is_set() and not self.has_stopped.is_set():
                return
            if self.has_stopped.is_set():
                self.is_stopping.clear()
                self.has_started.clear()
                self.has_stopped.clear()
            self._serve()
            self._stopper = threading.Thread(
                target=self._stop_when_asked, name=f"stopper {self._name}", daemon=True
            )
            self._stopper.start()
            self.has_started.set()

    def stop(self, wait: bool = False) -> None:
        """Stops serving: calls in progress come to their end, new ones are refused.

        :param wait: whether to return only when everything has stopped, which takes 3 s at most.
        """
        self.is_stopping.set()
        if not self.has_started.is_set():
            self.has_stopped.set()
        if wait:
            self.wait_for_termination()

    def wait_for_termination(self) -> None:
        """Returns when the server has stopped."""
        self.has_stopped.wait()

    def _serve(self) -> None:
        certificates = server_certificates(self.env, self._name, self._listen_address)
        check_is_free(self._listen_address, self._name)
        if not isinstance(getattr(self._application, "recorder", None), POPORecorder):
            self._application = None
        methods = ExposedMethods(self.app_class)
        application = self.application
        try:
            self._session = session_of(application.recorder, self._name)
        except UserError:
            application.close()
            raise
        try:
            self._telemetry.begin(application.recorder, certificates)
        except BaseException:
            self._session.stop()
            application.close()
            raise
        self._feed = NotificationFeed(
            application.recorder,
            self._max_pull_interval,
            self._name,
            session=self._session,
            trace_context=self._telemetry.trace_context,
        )
        self._streams = StreamPool(self._name)
        self._calls = ThreadPoolExecutor(self._max_workers, f"calls {self._name}")
        self._health = standard_services.Health(self._name)
        self._followings = []
        self._audit = AuditLog(self._name)
        # Without certificates nobody has a name.
        allowed = self._permissions if certificates is not None else Permissions()
        guard = PermissionInterceptor(self._name, allowed, methods, self._audit)
        self._server = grpc.server(
            self._calls,
            options=SERVER_OPTIONS,
            interceptors=[
                *self._telemetry.interceptors(methods),
                *([guard] if allowed.are_limited else ()),
            ],
        )
        try:
            self._feed.start()
            self._session.start(self._feed.announce, self._feed.head)
            assert isinstance(application, Leader)
            # A server that is started again has a new feed.
            others = [f for f in application.followers if not isinstance(f, NotificationFeed)]
            application.followers[:] = [*others, self._feed]
            self._make_followings(application)
            # Listening can't be undone before the start: what may fail comes first.
            addresses = self._known_addresses()
            self._listen(certificates)
            addresses[self._name] = self._address
            self._add_services(application, methods, addresses, allowed, certificates)
            self._server.start()
        except BaseException:
            self._shut_down()
            raise
        self._health.set_serving()
        for following in self._followings:
            following.start()
        logger.info("%s is serving on %s", self._name, self._address)
        self._tell_permissions(certificates)

    def _tell_permissions(self, certificates: CertificateFiles | None) -> None:
        """Logs who may call and operate the server, and what clients may not like about it."""
        if certificates is None:
            warning = unlimited_warning(self._name, self._permissions)
        else:
            facts = certificates.look().facts
            names, end = ", ".join(facts.names), shown_time(facts.not_after)
            logger.info("%s shows a certificate for %s, valid to %s", self._name, names, end)
            logger.info("%s: %s", self._name, self._permissions)
            host = host_of(self._configured_address)
            warning = host_problem(certificates.paths, facts, host) if host else ""
        if warning:
            logger.warning("%s", warning)

    def _make_followings(self, application: Application[Any]) -> None:
        if self._system is None:
            return
        addresses = {
            leader: server_address(self.env, leader)
            for leader in self._system.follows.get(self._name, ())
        }
        for leader, address in addresses.items():
            assert isinstance(application, Follower)
            channel = open_channel(address, self.env, self._name)
            lock = self._session.lock(leader)
            tracer = self._telemetry.event_tracer(leader)
            self._followings.append(Following(application, leader, address, channel, lock, tracer))

    def _add_services(
        self,
        application: Application[Any],
        methods: ExposedMethods,
        addresses: Mapping[str, str],
        allowed: Permissions,
        certificates: CertificateFiles | None,
    ) -> None:
        calls = CallStatistics()
        programs = ApplicationService(
            application=application,
            methods=methods,
            feed=self._feed,
            calls=calls,
            permissions=allowed,
            audit=self._audit,
            is_stopping=self.is_stopping,
        )
        operators = OperationsService(
            application=application,
            methods=methods,
            feed=self._feed,
            followings=self._followings,
            calls=calls,
            identity=self._identity(addresses),
            streams=self._streams,
            permissions=allowed,
            certificates=certificates,
            audit=self._audit,
            is_stopping=self.is_stopping,
        )
        reflection = standard_services.Reflection(self._streams)
        self._server.add_generic_rpc_handlers((programs.handler(self._streams), reflection))
        operators.add_to_server(self._server)
        self._health.add_to_server(self._server)
        self._telemetry.serve_metrics(
            feed=self._feed,
            followings=self._followings,
            calls=calls,
            streams=self._streams,
            certificates=certificates,
            permissions=allowed,
            audit=self._audit,
        )

    def _identity(self, addresses: Mapping[str, str]) -> ServedSystem:
        nodes = self._system.nodes if self._system else {self._name: get_topic(self.app_class)}
        follows = self._system.follows if self._system else {}
        return ServedSystem(
            name=self._name,
            topic=get_topic(self.app_class),
            system_topic=self.env.get(SYSTEM_TOPIC, ""),
            applications=tuple(
                ServedApplication(name, addresses.get(name, ""), tuple(follows.get(name, ())))
                for name in nodes
            ),
        )

    def _known_addresses(self) -> dict[str, str]:
        """Returns the configured addresses of the system's applications, by their names."""
        names = self._system.nodes if self._system else [self._name]
        return {
            name: server_address(self.env, name)
            for name in names
            if has_server_address(self.env, name)
        }

    def _listen(self, certificates: CertificateFiles | None) -> None:
        address = self._listen_address
        try:
            if certificates is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, server_credentials(certificates))
        except RuntimeError as e:
            msg = f"{self._name} can't be served on {address}: the address can't be listened on"
            raise AddressUnavailableError(msg) from e
        if address == self._configured_address and not address.startswith("unix:"):
            self._address = f"{address.rpartition(':')[0]}:{port}"

    def _stop_when_asked(self) -> None:
        self.is_stopping.wait()
        try:
            self._shut_down()
        except Exception:  # whatever closing the application raises, nobody waits for ever
            logger.exception("%s did not stop cleanly", self._name)
        logger.info("%s has stopped", self._name)
        self.has_stopped.set()

    def _shut_down(self) -> None:
        """Tells health watchers, ends the streams, lets calls come to their end, and closes all."""
        self._health.set_not_serving()
        for following in self._followings:
            following.cancel()
        self._feed.stop()
        calls_ended = self._server.stop(GRACE)
        deadline = monotonic() + GRACE
        for following in self._followings:
            following.stop(max(0.0, deadline - monotonic()))
        calls_ended.wait()
        self._health.shutdown()
        self._telemetry.end()
        # Who takes over need not wait for what still runs, which can't record the same once more.
        self._session.stop()
        self._audit.close()
        # Closing a database under a method or a stream that still reads, though its caller has been
        # told or has gone, can end the process with a segmentation fault.
        closer = threading.Thread(
            target=_close_when_unused,
            args=(self._application, self._calls, self._streams, self._followings),
            name=f"closer {self._name}",
            daemon=True,
        )
        closer.start()
        closer.join(max(_CLOSE_TIMEOUT, deadline - monotonic()))
        if closer.is_alive():
            logger.warning(
                "%s is left open: a method or a policy of it still runs, or its database does not answer",
                self._name,
            )


def _close_when_unused(
    application: Application[Any] | None,
    calls: ThreadPoolExecutor,
    streams: StreamPool,
    followings: list[Following],
) -> None:
    for following in followings:
        following.stop()
    calls.shutdown(wait=True, cancel_futures=True)
    streams.shutdown()
    if application is not None:
        try:
            application.close()
        except Exception:
            # Whatever closing an application raises, nobody waits for it.
            logger.exception("%s was not closed cleanly", application.name)


def start_server(
    app_class: type[Application[Any]],
    env: EnvType | None = None,
    is_stopping: threading.Event | None = None,
) -> GrpcApplicationServer:
    """Constructs and starts a server. Its arguments and errors are those of the class."""
    server = GrpcApplicationServer(app_class=app_class, env=env, is_stopping=is_stopping)
    server.start()
    return server


def start_server_subprocess(
    app_class: type[Application[Any]],
    env: EnvType | None = None,
    has_errored: threading.Event | None = None,
) -> ServerProcess:
    """Starts a server in a process of its own, and returns when it serves.

    :param has_errored: is set when the process ends without having been asked to.
    :raises ServerStartError: when the process ends before it serves, with what it said.
    """
    process = ServerProcess(
        app_class.name, {**(env or {}), APPLICATION_TOPIC: get_topic(app_class)}, has_errored
    )
    process.start()
    process.wait_until_serving()
    return process
