"""Serves metrics with HTTP: in plaintext on loopback, with mutual TLS elsewhere.

``prometheus_client`` has a server too. That one keeps the certificates it was started with, lets anyone
in whom the root has signed, and lets one client that says nothing keep all others waiting.
"""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, MetricsHandler

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.environment import METRICS_ADDRESS, variable_name
from eventsourcing_grpc.telemetry.errors import MetricsAddressError
from eventsourcing_grpc.tls.certificate_decoding import (
    CertificateError,
    certificate_names,
    load_root,
    server_context,
)
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import Certificates

logger = logging.getLogger(__name__)

MAX_REQUESTS = 16
"""How many are answered at once. More are turned away."""
TIMEOUT = 5.0
"""Seconds that a client has for a handshake, for a request, and for taking a part of the answer."""
_PATHS = ("/", "/metrics")
_POLL_INTERVAL = 0.1
_LOG_INTERVAL = 60.0

Allow = Callable[[tuple[str, ...], str], bool]
"""Tells whether whoever has shown a certificate with some names, at some address, may read metrics."""


class MetricsServer:
    """Listens on an address, and answers with the metrics of a registry.

    Owns a thread that listens, from :meth:`start` to :meth:`stop`, and one for each request.
    """

    def __init__(
        self,
        application_name: str,
        address: str,
        registry: CollectorRegistry,
        certificates: CertificateFiles | None,
    ) -> None:
        """Listens, and answers nobody yet.

        :param certificates: None: it is served without TLS.
        :raises MetricsAddressError: when the address is taken, or can't be listened on.
        """
        self._thread: threading.Thread | None = None
        handler: type[_Handler] = _Handler.factory(registry)
        host, port = split_address(address)
        contexts = _Contexts(certificates) if certificates is not None else None
        problem = f"The metrics of {application_name} can't be served on {address}"
        try:
            self._server = _HttpServer(host, port, handler, contexts)
        except socket.gaierror as e:
            msg = f"{problem}: {host!r} can't be resolved ({e.strerror})"
            raise MetricsAddressError(msg) from e
        except OSError as e:
            own = variable_name(application_name, METRICS_ADDRESS)
            msg = f"{problem}: {e.strerror}. Set another one as {own}"
            raise MetricsAddressError(msg) from e
        self.url = f"{'http' if contexts is None else 'https'}://{_with_port(address, self._server)}/metrics"
        """Where the metrics are."""
        self._name = application_name

    def start(self, allow: Allow) -> None:
        """Starts answering.

        :param allow: is asked where there is TLS.
        """
        self._server.allow = allow
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL_INTERVAL,),
            name=f"metrics {self._name}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Stops listening. Returns within 0.1 s. What is being answered may come to its end."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Contexts:
    """The TLS context for new connections, with the certificates that the files now have."""

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._certificates = files.look()
        self._context = self._make()

    def newest(self) -> ssl.SSLContext:
        certificates: Certificates = self._files.look()
        with self._lock:
            if certificates is not self._certificates:
                try:
                    self._context = self._make()
                except (CertificateError, OSError) as e:
                    # They are being changed again. The next connection looks again.
                    logger.debug("The context for metrics stays as it is: %s", e)
                else:
                    self._certificates = certificates
            return self._context

    def _make(self) -> ssl.SSLContext:
        context = server_context(self._files.paths)
        load_root(context, self._files.paths)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        return context


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        host: str,
        port: int,
        handler: type[_Handler],
        contexts: _Contexts | None,
    ) -> None:
        self.allow: Allow = _allow_nobody
        self._contexts = contexts
        self._places = threading.BoundedSemaphore(MAX_REQUESTS)
        self._next_log = 0.0
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # Where "localhost" has both families, everyone finds the older one.
        infos.sort(key=lambda info: info[0] is not socket.AF_INET)
        self.address_family, _, _, _, address = infos[0]
        super().__init__((str(address[0]), int(address[1])), handler)

    def server_bind(self) -> None:
        # Not as HTTPServer does it: that asks the name server for the host's name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(TIMEOUT)
        if self._contexts is None:
            super().finish_request(request, client_address)
            return
        # Here, in the thread of the request, since a client may take its time.
        with self._contexts.newest().wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says why a request could not be answered, once a minute."""
        level = logging.DEBUG
        if monotonic() >= self._next_log:
            self._next_log = monotonic() + _LOG_INTERVAL
            level = logging.WARNING
        logger.log(level, "Metrics were not sent to %s: %s", client_address[0], sys.exception())


class _Handler(MetricsHandler):
    timeout = TIMEOUT
    server: _HttpServer

    def do_GET(self) -> None:
        """Answers with metrics, if the client may read them."""
        if urlsplit(self.path).path not in _PATHS:
            self.send_error(HTTPStatus.NOT_FOUND, explain="Metrics are at /metrics.")
        elif not self._is_allowed():
            self.send_error(HTTPStatus.FORBIDDEN)
        else:
            try:
                super().do_GET()
            except OSError:
                raise
            except Exception:
                # Before anything was sent: a recorder or a certificate file that can't be used.
                logger.exception("Metrics can't be collected")
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)

    def version_string(self) -> str:
        """Returns what is served, and not which Python serves it."""
        return "eventsourcing_grpc"

    def _is_allowed(self) -> bool:
        if not isinstance(self.connection, ssl.SSLSocket):
            return True
        names = certificate_names(dict(self.connection.getpeercert() or {}))
        return self.server.allow(names, str(self.client_address[0]))


def _allow_nobody(_names: tuple[str, ...], _address: str) -> bool:
    return False


def _with_port(address: str, server: _HttpServer) -> str:
    return f"{address.rpartition(':')[0]}:{server.server_port}"
