"""One stretch of serving: all that a server has from a start to the stop after it.

When that is, and what outlasts it, is left to ``application_server``.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import grpc
from eventsourcing.application import Application
from eventsourcing.system import Follower, Leader

from eventsourcing_grpc.access.audit import AuditLog
from eventsourcing_grpc.access.permission_interceptor import PermissionInterceptor
from eventsourcing_grpc.access.permissions import Permissions
from eventsourcing_grpc.application_service import ApplicationService
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.channels import SERVER_OPTIONS, open_channel
from eventsourcing_grpc.credentials import server_credentials
from eventsourcing_grpc.database.database_session import session_of
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.operations_service import OperationsService
from eventsourcing_grpc.server import standard_services
from eventsourcing_grpc.server.configuration_check import host_of, unlimited_warning
from eventsourcing_grpc.server.listening import AddressUnavailableError
from eventsourcing_grpc.server.server_configuration import ServerConfiguration
from eventsourcing_grpc.telemetry.server_telemetry import ServerTelemetry
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import shown_time

logger = logging.getLogger(__name__)

GRACE = 1.5
"""Seconds that calls in progress have for coming to their end when a server stops."""
_CLOSE_TIMEOUT = 0.5
_OPERATOR_THREADS = 8
"""How many requests of operators are answered at once, besides their streams and calls of methods."""


class Serving:
    """Serves an application, and lets it follow its leaders, from :meth:`start` to :meth:`stop`.

    Owns the threads, the connections and, when it ends, the closing of the application.
    """

    def __init__(
        self,
        configuration: ServerConfiguration,
        application: Application[Any],
        certificates: CertificateFiles | None,
        telemetry: ServerTelemetry,
        is_stopping: threading.Event,
    ) -> None:
        """Opens what is observed with. Nobody is answered, and nothing read, before the start.

        :param application: is closed by :meth:`stop`, unless this raises.
        :param certificates: of the server. None: it is served without TLS.
        :param is_stopping: has new calls refused when it is set.
        :raises UserError: when the database, or what is to be observed with, can't be used.
        """
        name = configuration.name
        self._configuration = configuration
        self._name = name
        self._application = application
        self._certificates = certificates
        self._telemetry = telemetry
        self._is_stopping = is_stopping
        # Without certificates nobody has a name.
        self._permissions = configuration.permissions if certificates else Permissions()
        self._methods = ExposedMethods(configuration.app_class)
        self._session = session_of(application.recorder, name)
        try:
            telemetry.begin(application.recorder, certificates)
        except BaseException:
            self._session.stop()
            raise
        self._feed = NotificationFeed(
            application.recorder,
            configuration.max_pull_interval,
            name,
            session=self._session,
            trace_context=telemetry.trace_context,
        )
        self._streams = StreamPool(name)
        self._calls = ThreadPoolExecutor(configuration.max_workers, f"calls {name}")
        self._operators = ThreadPoolExecutor(_OPERATOR_THREADS, f"operators {name}")
        self._health = standard_services.Health(name, self._streams)
        self._audit = AuditLog(name)
        self._server = self._make_server()
        self.address = configuration.address
        """Where the server is found. A configured port 0 is replaced by the one that is listened on."""
        self.followings: list[Following] = []

    def start(self) -> None:
        """Starts serving and following. Returns when clients can connect.

        :raises AddressUnavailableError: when the address can't be listened on.
        :raises CertificateError: when a certificate or key file can't be used.
        :raises PersistenceError: when the log can't be read.
        """
        try:
            self._feed.start()
            self._session.start(self._feed.announce, self._feed.head, self._feed.doubt)
            self._hear_of_recordings()
            # Listening can't be undone before the start: what may fail comes first.
            self._make_followings()
            self._listen()
            self._add_services()
            self._server.start()
        except BaseException:
            self.stop()
            raise
        self._health.set_serving()
        for following in self.followings:
            following.start()
        logger.info("%s is serving on %s", self._name, self.address)
        self._tell_permissions()

    def stop(self) -> None:
        """Tells health watchers, ends the streams, lets calls come to their end, and closes all."""
        self._health.set_not_serving()
        for following in self.followings:
            following.cancel()
        self._feed.stop()
        calls_ended = self._server.stop(GRACE)
        deadline = monotonic() + GRACE
        for following in self.followings:
            following.stop(max(0.0, deadline - monotonic()))
        calls_ended.wait()
        self._health.shutdown()
        self._telemetry.end()
        # Who takes over need not wait for what still runs, which can't record the same once more.
        self._session.stop()
        self._audit.close()
        closer = threading.Thread(
            target=self._close_when_unused, name=f"closer {self._name}", daemon=True
        )
        closer.start()
        closer.join(max(_CLOSE_TIMEOUT, deadline - monotonic()))
        if closer.is_alive():
            logger.warning(
                "%s is left open: a method or a policy of it still runs, or its database does not answer",
                self._name,
            )

    def _make_server(self) -> grpc.Server:
        guard = PermissionInterceptor(self._name, self._permissions, self._methods, self._audit)
        return grpc.server(
            self._calls,
            options=SERVER_OPTIONS,
            interceptors=[
                *self._telemetry.interceptors(self._methods),
                *([guard] if self._permissions.are_limited else ()),
            ],
        )

    def _hear_of_recordings(self) -> None:
        application = self._application
        assert isinstance(application, Leader)
        # A server that is started again has a new feed.
        others = [f for f in application.followers if not isinstance(f, NotificationFeed)]
        application.followers[:] = [*others, self._feed]

    def _make_followings(self) -> None:
        for leader, address in self._configuration.leaders.items():
            assert isinstance(self._application, Follower)
            channel = open_channel(address, self._configuration.env, self._name)
            lock = self._session.lock(leader)
            tracer = self._telemetry.event_tracer(leader)
            following = Following(self._application, leader, address, channel, lock, tracer)
            self.followings.append(following)

    def _listen(self) -> None:
        address = self._configuration.listen_address
        try:
            if self._certificates is None:
                port = self._server.add_insecure_port(address)
            else:
                credentials = server_credentials(self._certificates)
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as e:
            msg = f"{self._name} can't be served on {address}: the address can't be listened on"
            if self._certificates is not None:
                msg += ", or gRPC does not take the certificates"
            raise AddressUnavailableError(msg) from e
        if address == self._configuration.address and not address.startswith("unix:"):
            self.address = f"{address.rpartition(':')[0]}:{port}"

    def _add_services(self) -> None:
        calls = CallStatistics()
        programs = ApplicationService(
            application=self._application,
            methods=self._methods,
            feed=self._feed,
            calls=calls,
            permissions=self._permissions,
            audit=self._audit,
            has_tls=self._certificates is not None,
            is_stopping=self._is_stopping,
        )
        operators = OperationsService(
            application=self._application,
            methods=self._methods,
            feed=self._feed,
            followings=self.followings,
            calls=calls,
            identity=self._configuration.served_system(self.address),
            streams=self._streams,
            pool=self._operators,
            permissions=self._permissions,
            certificates=self._certificates,
            audit=self._audit,
            is_stopping=self._is_stopping,
        )
        reflection = standard_services.Reflection(self._streams)
        self._server.add_generic_rpc_handlers((programs.handler(self._streams), reflection))
        operators.add_to_server(self._server)
        self._health.add_to_server(self._server)
        self._telemetry.serve_metrics(
            feed=self._feed,
            followings=self.followings,
            calls=calls,
            streams=self._streams,
            certificates=self._certificates,
            permissions=self._permissions,
            audit=self._audit,
        )

    def _tell_permissions(self) -> None:
        """Logs who may call and operate the server, and what clients may not like about it."""
        if self._certificates is None:
            warning = unlimited_warning(self._name, self._configuration.permissions)
        else:
            facts = self._certificates.look().facts
            names, end = ", ".join(facts.names), shown_time(facts.not_after)
            logger.info("%s shows a certificate for %s, valid to %s", self._name, names, end)
            logger.info("%s: %s", self._name, self._permissions)
            self._certificates.called_as = host_of(self._configuration.address)
            warning = self._certificates.host_problem()
        if warning:
            logger.warning("%s", warning)

    def _close_when_unused(self) -> None:
        """Closes the application when nothing uses it any longer.

        Closing a database under a method or a stream that still reads, though its caller has been
        told or has gone, can end the process with a segmentation fault.
        """
        for following in self.followings:
            following.stop()
        self._calls.shutdown(wait=True, cancel_futures=True)
        self._operators.shutdown(wait=True, cancel_futures=True)
        self._streams.shutdown()
        try:
            self._application.close()
        except Exception:
            # Whatever closing an application raises, nobody waits for it.
            logger.exception("%s was not closed cleanly", self._name)
