"""An application as a gRPC server: its life cycle, and nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eventsourcing.application import Application
from eventsourcing.popo import POPORecorder
from eventsourcing.system import System
from eventsourcing.utils import Environment, EnvType, get_topic

from eventsourcing_grpc.credentials import server_certificates
from eventsourcing_grpc.environment import APPLICATION_TOPIC, application_environment
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.server.application_construction import construct_application
from eventsourcing_grpc.server.listening import AddressUnavailableError, check_is_free
from eventsourcing_grpc.server.server_configuration import ServerConfiguration
from eventsourcing_grpc.server.serving import Serving
from eventsourcing_grpc.server_process import ServerProcess
from eventsourcing_grpc.telemetry.server_telemetry import ServerTelemetry

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = [
    "AddressUnavailableError",
    "GrpcApplicationServer",
    "start_server",
    "start_server_subprocess",
]

logger = logging.getLogger(__name__)


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
        self._configuration = ServerConfiguration.read(app_class, self.env, system, max_workers)
        self._telemetry = ServerTelemetry(self.env, app_class.name, tracer_provider)
        self._application: Application[Any] | None = None
        self._serving: Serving | None = None
        self._lock = threading.Lock()
        self._stopper: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where the server is found. A configured port 0 is replaced by the one that was chosen."""
        return self._serving.address if self._serving else self._configuration.address

    @property
    def application(self) -> Application[Any]:
        """The application that is served. It is constructed when it is first needed."""
        if self._application is None:
            self._application = construct_application(self.app_class, self.env)
        return self._application

    @property
    def followings(self) -> Sequence[Following]:
        """How the application follows its leaders. Empty before the start."""
        return tuple(self._serving.followings) if self._serving else ()

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
            self._serving = self._serve()
            self._stopper = threading.Thread(
                target=self._stop_when_asked, name=f"stopper {self.app_class.name}", daemon=True
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

    def _serve(self) -> Serving:
        configuration = self._configuration
        certificates = server_certificates(
            self.env, configuration.name, configuration.listen_address
        )
        check_is_free(configuration.listen_address, configuration.name)
        if not isinstance(getattr(self._application, "recorder", None), POPORecorder):
            self._application = None
        application = self.application
        try:
            serving = Serving(
                configuration, application, certificates, self._telemetry, self.is_stopping
            )
        except BaseException:
            application.close()
            raise
        serving.start()
        return serving

    def _stop_when_asked(self) -> None:
        self.is_stopping.wait()
        assert self._serving is not None
        try:
            self._serving.stop()
        except Exception:  # whatever closing the application raises, nobody waits for ever
            logger.exception("%s did not stop cleanly", self.app_class.name)
        logger.info("%s has stopped", self.app_class.name)
        self.has_stopped.set()


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
