"""How this package's channels and servers are set up: keep-alive, back-off, message size.

The options are those of https://grpc.github.io/grpc/core/group__grpc__arg__keys.html.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from grpc.experimental import ChannelOptions

from eventsourcing_grpc.credentials import channel_credentials, client_certificates
from eventsourcing_grpc.tls.reloading_channel import ReloadingChannel

Options = list[tuple[str, int]]

_UNLIMITED = -1
_MAX_REQUEST_BYTES = 64 * 1024 * 1024
_MAX_METADATA_BYTES = 64 * 1024

CHANNEL_OPTIONS: Options = [
    # A peer that is frozen or cut off is noticed in 3 seconds: who watches is told within 5.
    ("grpc.keepalive_time_ms", 1_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.ping_timeout_ms", 2_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A server that comes back is found within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # Also at another address, as containers have that are made anew: gRPC would ask once in 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # How long one attempt to connect may take, TLS handshake included.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_receive_message_length", _UNLIMITED),
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
    # Streams are read by the thread that wants what they bring, not by one that passes it on.
    (ChannelOptions.SingleThreadedUnaryStream, 1),
    # A channel's connections are its own: otherwise closing one says nothing of the others.
    ("grpc.use_local_subchannel_pool", 1),
]

SERVER_OPTIONS: Options = [
    # Without this, a second server binds the same port without a word.
    ("grpc.so_reuseport", 0),
    # Let clients ask every second whether this server is still there.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    # And notice clients that are gone without a word.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", _MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
]


def open_channel(address: str, env: Mapping[str, str], application_name: str = "") -> grpc.Channel:
    """Returns a channel to an address, with mutual TLS where certificates are configured.

    Nothing is sent before the first call. New connections are made with the certificates that the
    files then have.

    :raises EnvironmentVariableError: when only some of the certificate files are configured, or
        none is and the address is not on this machine.
    :raises CertificateError: when a certificate file can't be used.
    """
    files = client_certificates(env, application_name, address)
    if files is None:
        return grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
    return ReloadingChannel(
        files,
        lambda certificates: grpc.secure_channel(
            address, channel_credentials(certificates), options=CHANNEL_OPTIONS
        ),
    )
