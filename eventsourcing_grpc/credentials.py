"""Plaintext on loopback, mutual TLS elsewhere: who may listen and connect with what.

Where the files are is read in ``environment``, and what is wrong with them told by
``certificates``, because a failed TLS handshake looks to gRPC like a closed socket.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc

from eventsourcing_grpc.addresses import is_loopback
from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    EnvironmentVariableError,
    certificate_paths,
)
from eventsourcing_grpc.tls.certificate_decoding import CertificateError, Role
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import Certificates

__all__ = [
    "CertificateError",
    "channel_credentials",
    "check_plaintext",
    "client_certificates",
    "server_certificates",
    "server_credentials",
]


def server_certificates(
    env: Mapping[str, str], application_name: str, address: str
) -> CertificateFiles | None:
    """Returns the files for mutual TLS, or None for plaintext.

    :raises EnvironmentVariableError: when the address can be reached from other machines
        and no certificate is configured, or only some of the files are.
    :raises CertificateError: when a file can't be used.
    """
    paths = certificate_paths(env, application_name)
    if paths is not None:
        return CertificateFiles(paths, Role.SERVER)
    check_plaintext(address, application_name)
    return None


def check_plaintext(address: str, application_name: str) -> None:
    """Makes sure that an application may be served without TLS on an address.

    :raises EnvironmentVariableError: when the address can be reached from other machines.
    """
    if not is_loopback(address):
        msg = (
            f"{application_name} can't be served without TLS on {address!r}, which other machines "
            f"can reach: set {PRIVATE_KEY_PATH}, {CERTIFICATE_PATH} and {ROOT_CERTIFICATE_PATH}, "
            f"or listen on localhost"
        )
        raise EnvironmentVariableError(msg)


def client_certificates(
    env: Mapping[str, str], application_name: str, address: str
) -> CertificateFiles | None:
    """Returns the files for mutual TLS that an address is to be called with, or None for plaintext.

    :raises EnvironmentVariableError: when only some of the certificate files are configured, or
        none is and the address is not on this machine.
    :raises CertificateError: when a file can't be used.
    """
    paths = certificate_paths(env, application_name)
    if paths is not None:
        return CertificateFiles(paths, Role.CLIENT)
    if is_loopback(address):
        return None
    msg = (
        f"{address!r} is not on this machine, and nothing is sent there without TLS: set "
        f"{PRIVATE_KEY_PATH}, {CERTIFICATE_PATH} and {ROOT_CERTIFICATE_PATH}"
    )
    raise EnvironmentVariableError(msg)


def server_credentials(files: CertificateFiles) -> grpc.ServerCredentials:
    """Returns credentials for mutual TLS 1.2 or newer.

    Each new connection is made with what the files then have. Others stay as they are.
    """
    given = files.look()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        newest = files.look()
        if newest is given:
            return None
        given = newest
        return _server_configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        _server_configuration(given),
        fetch,  # type: ignore[arg-type]  # None is for no change, as its documentation says.
        require_client_authentication=True,
    )


def channel_credentials(certificates: Certificates) -> grpc.ChannelCredentials:
    """Returns credentials for mutual TLS 1.2 or newer. A channel keeps those that it is made with."""
    return grpc.ssl_channel_credentials(
        certificates.root_certificate, certificates.private_key, certificates.certificate
    )


def _server_configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (certificates.private_key, certificates.certificate)
    return grpc.ssl_server_certificate_configuration([pair], certificates.root_certificate)
