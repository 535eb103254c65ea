"""Plaintext on loopback, mutual TLS elsewhere: who may listen and connect with what.

Certificate files are checked before gRPC sees them, because a failed TLS handshake
looks to gRPC like a closed socket. Where the files are is read in ``environment``.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import grpc

from eventsourcing_grpc.addresses import is_loopback
from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    CertificatePaths,
    EnvironmentVariableError,
    certificate_paths,
)
from eventsourcing_grpc.user_errors import UserError


class CertificateError(UserError, ValueError):
    """Raised when a certificate or key file can't be used. The message names the file and the remedy."""


def server_credentials(
    env: Mapping[str, str], application_name: str, address: str
) -> grpc.ServerCredentials | None:
    """Returns credentials for mutual TLS, or None for plaintext.

    :raises EnvironmentVariableError: when the address can be reached from other machines
        and no certificate is configured.
    :raises CertificateError: when a file can't be used.
    """
    paths = certificate_paths(env, application_name)
    if paths is None:
        if is_loopback(address):
            return None
        msg = (
            f"{application_name} can't be served without TLS on {address!r}, which other machines "
            f"can reach: set {PRIVATE_KEY_PATH}, {CERTIFICATE_PATH} and {ROOT_CERTIFICATE_PATH}, "
            f"or listen on localhost"
        )
        raise EnvironmentVariableError(msg)
    key, certificate, root = read_certificates(paths)
    return grpc.ssl_server_credentials([(key, certificate)], root, require_client_auth=True)


def channel_credentials(
    env: Mapping[str, str], application_name: str = ""
) -> grpc.ChannelCredentials | None:
    """Returns credentials for mutual TLS, or None for plaintext.

    :raises EnvironmentVariableError: when only some of the files are configured.
    :raises CertificateError: when a file can't be used.
    """
    paths = certificate_paths(env, application_name)
    if paths is None:
        return None
    key, certificate, root = read_certificates(paths)
    return grpc.ssl_channel_credentials(root, key, certificate)


def read_certificates(paths: CertificatePaths) -> tuple[bytes, bytes, bytes]:
    """Returns the contents of the private key, certificate and root certificate files,
    after making sure that they work together.

    :raises CertificateError: when a file is missing, unreadable or not PEM, when the key belongs
        to another certificate, when the root did not sign it, and when it is not valid today.
    """
    contents = tuple(
        _read(variable, path)
        for variable, path in (
            (PRIVATE_KEY_PATH, paths.private_key),
            (CERTIFICATE_PATH, paths.certificate),
            (ROOT_CERTIFICATE_PATH, paths.root_certificate),
        )
    )
    _check(paths)
    return contents[0], contents[1], contents[2]


def _read(variable: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as e:
        msg = f"{variable}={path!r} can't be read: {e.strerror}"
        raise CertificateError(msg) from e


def _check(paths: CertificatePaths) -> None:
    """Lets the certificate's owner shake hands with itself, in memory, as server and as client."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    for context in (server, client):
        try:
            # A password is never asked for: the prompt would stop a server without a word.
            context.load_cert_chain(
                paths.certificate, paths.private_key, partial(_refuse_password, paths.private_key)
            )
        except ssl.SSLError as e:
            raise CertificateError(_explain_pair(paths, e)) from e
        try:
            context.load_verify_locations(paths.root_certificate)
        except ssl.SSLError as e:
            msg = (
                f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r} "
                "is not a certificate in PEM format"
            )
            raise CertificateError(msg) from e
    server.verify_mode = ssl.CERT_REQUIRED
    try:
        _shake_hands(server, client)
    except ssl.SSLCertVerificationError as e:
        msg = (
            f"{CERTIFICATE_PATH}={paths.certificate!r} is not trusted by "
            f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r}: {e.verify_message}"
        )
        raise CertificateError(msg) from e
    except ssl.SSLError as e:
        msg = f"{CERTIFICATE_PATH}={paths.certificate!r} can't be used for TLS: {e.reason}"
        raise CertificateError(msg) from e


def _refuse_password(path: str) -> str:
    msg = f"{PRIVATE_KEY_PATH}={path!r} is encrypted, but must be a key without a password"
    raise CertificateError(msg)


def _explain_pair(paths: CertificatePaths, error: ssl.SSLError) -> str:
    key = f"{PRIVATE_KEY_PATH}={paths.private_key!r}"
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}"
    return f"{key} and {certificate} are not a private key and a certificate in PEM format"


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    # Each side is done after at most four flights of messages.
    for _ in range(4):
        for side in tuple(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
