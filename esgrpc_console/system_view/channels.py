"""Opens the channels of a system view, and finds out why one can't be connected.

Who may be called with what is told by ``eventsourcing_grpc.channels``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import grpc

from esgrpc_console.system_view.failures import explain
from esgrpc_console.system_view.options import ConnectionOptions, OptionError
from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.channels import CHANNEL_OPTIONS
from eventsourcing_grpc.credentials import channel_credentials, client_certificates
from eventsourcing_grpc.environment import CERTIFICATE_PATH, certificate_paths
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import Certificates
from eventsourcing_grpc.user_errors import UserError

_PROBE_TIMEOUT = 2.0
_CLOSED = "socket closed"
_NEVER_CONNECTED = "failed to connect"


class ChannelOpener:
    """Opens channels with the certificates that are configured."""

    def __init__(self, options: ConnectionOptions, env: Mapping[str, str]) -> None:
        self._options = options
        self._env = options.environment(env)
        self._files: CertificateFiles | None = None
        self._opened: WeakKeyDictionary[grpc.aio.Channel, Certificates] = WeakKeyDictionary()

    def open(self, address: str) -> grpc.aio.Channel:
        """Returns a channel to an address. Nothing is sent before the first call.

        :raises OptionError: when a certificate file is missing or can't be used, or none is
            configured and the address is not on this machine.
        """
        if self._files is None:
            try:
                self._files = client_certificates(self._env, "", address)
            except UserError as e:
                raise OptionError(self._options.in_own_words(str(e))) from e
        if self._files is None:
            return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        options: list[tuple[str, int | str]] = [*CHANNEL_OPTIONS]
        if self._options.server_name:
            options.append(("grpc.ssl_target_name_override", self._options.server_name))
        certificates = self._files.look()
        credentials = channel_credentials(certificates)
        channel = grpc.aio.secure_channel(address, credentials, options=options)
        self._opened[channel] = certificates
        return channel

    def is_outdated(self, channel: grpc.aio.Channel) -> bool:
        """Tells whether certificates are others now: a channel keeps those it was opened with."""
        opened_with = self._opened.get(channel)
        return self._files is not None and self._files.look() is not opened_with

    @property
    def refusal(self) -> str:
        """Why the newest certificate files are not used. Empty: they are."""
        return self._options.in_own_words(self._files.refusal) if self._files else ""

    async def explain(self, error: grpc.aio.AioRpcError, address: str) -> str:
        """Returns in a few words why a server can't be reached, for people.

        gRPC says only that the socket was closed where the two sides don't agree on TLS: then the
        server is asked for its certificate, which takes 2 s at most.
        """
        details = (error.details() or "").lower()
        if _CLOSED not in details or _NEVER_CONNECTED not in details or address.startswith("unix:"):
            return explain(error)
        paths = certificate_paths(self._env, "")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        try:
            if paths:
                context.load_cert_chain(paths.certificate, paths.private_key)
            async with asyncio.timeout(_PROBE_TIMEOUT):
                is_kept_open = await _shake_hands(address, context)
        except (OSError, TimeoutError):
            return explain(error)
        if paths is None:
            return "the server there speaks TLS, and no certificates are configured for calling it"
        if is_kept_open:
            return explain(error)
        certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
        return self._options.in_own_words(f"the server there does not accept {certificate}")


async def _shake_hands(address: str, context: ssl.SSLContext) -> bool:
    """Makes a TLS connection, and tells whether the server keeps it open.

    :raises OSError: when it can't be made.
    """
    host, port = split_address(address)
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        # An HTTP/2 server speaks first. A client that isn't trusted is told after the handshake.
        return bool(await reader.read(1))
    finally:
        writer.transport.abort()
