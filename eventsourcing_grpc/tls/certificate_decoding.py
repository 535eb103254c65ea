"""What certificate files say, with nothing but the standard library.

The owner of a certificate shakes hands with itself, in memory: then Python's ``ssl`` tells what the
other side has shown. What is wrong with it is left to ``certificates``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from ipaddress import ip_address
from typing import Any

from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    CertificatePaths,
)
from eventsourcing_grpc.user_errors import UserError

# X509_V_FLAG_NO_CHECK_TIME, which Python has no name for:
# https://docs.openssl.org/3.0/man3/X509_VERIFY_PARAM_set_flags/
_NO_CHECK_TIME = 0x200000
# X509_V_ERR_INVALID_PURPOSE: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_INVALID_PURPOSE = 26
_TOO_WEAK = {
    "EE_KEY_TOO_SMALL": "its key is too short",
    "CA_KEY_TOO_SMALL": "the key of who signed it is too short",
    "CA_MD_TOO_WEAK": "it is signed with a hash that is too weak",
}
_FLIGHTS = 4


class CertificateError(UserError, ValueError):
    """Raised when a certificate or key file can't be used. The message names the file and the remedy."""


class Role(Enum):
    """What a certificate is shown as: it may be restricted to one of them."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True)
class IssuerFacts:
    """What the certificate of somebody who signs others says."""

    name: str
    not_after: datetime


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says, and those that it is to be trusted by."""

    names: tuple[str, ...]
    """The subject alternative names, then the common name. Each once."""
    not_before: datetime
    not_after: datetime
    intermediates: tuple[IssuerFacts, ...]
    """Those in its file that come between it and a root."""
    roots: tuple[IssuerFacts, ...]
    """Without those that don't say that they sign others."""


def decode_certificates(paths: CertificatePaths, role: Role) -> CertificateFacts:
    """Returns what the files say, whether they are valid today or not, and whoever has signed what.

    :raises CertificateError: when a file is not PEM, when the key belongs to another certificate,
        and when that is restricted to another role.
    :raises OSError: when a file is missing or unreadable.
    """
    server = server_context(paths)
    client = client_context(paths if role is Role.CLIENT else None)
    looking = client if role is Role.SERVER else server
    client.verify_mode = ssl.CERT_NONE
    looking.verify_mode = ssl.CERT_REQUIRED
    # It is looked at as one that is trusted because it is known: then all of it can be read.
    looking.load_verify_locations(paths.certificate)
    looking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    looking.verify_flags |= _NO_CHECK_TIME
    roots = load_root(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), paths)
    try:
        sides = shake_hands(server, client)
    except ssl.SSLCertVerificationError as e:
        certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
        msg = f"{certificate} can't be used by a {role.value}: {e.verify_message}"
        if e.verify_code == _INVALID_PURPOSE:
            msg = f"{certificate} is not for a {role.value}: its extended key usage says for what it is"
        raise CertificateError(msg) from e
    decoded: dict[str, Any] = sides[looking is server].getpeercert() or {}
    return CertificateFacts(
        certificate_names(decoded),
        _time(decoded["notBefore"]),
        _time(decoded["notAfter"]),
        _issuers(looking.get_ca_certs()),
        _issuers(roots),
    )


def server_context(paths: CertificatePaths) -> ssl.SSLContext:
    """Returns a server that shows a certificate, and asks for none.

    :raises CertificateError: when the key and the certificate are none, or don't belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_pair(context, paths)
    return context


def client_context(paths: CertificatePaths | None = None) -> ssl.SSLContext:
    """Returns a client that wants to trust the server, whatever its name is.

    :param paths: of the certificate that it shows. None: it shows none.
    :raises CertificateError: when the key and the certificate are none, or don't belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if paths is not None:
        _load_pair(context, paths)
    return context


def load_root(context: ssl.SSLContext, paths: CertificatePaths) -> list[dict[str, Any]]:
    """Lets a context trust the root, and returns the certificates in its file, decoded.

    :raises CertificateError: when there are none.
    """
    try:
        context.load_verify_locations(paths.root_certificate)
    except ssl.SSLError as e:
        msg = (
            f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r} is not a certificate in PEM format"
        )
        raise CertificateError(msg) from e
    return context.get_ca_certs()


def shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Returns the client's side and the server's.

    :param host: is what the client calls. None: nothing that has a name.
    :raises ssl.SSLError: when they don't come together.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    shaking = list(sides)
    # Each side is done after at most four flights of messages.
    for _ in range(_FLIGHTS):
        for side in tuple(shaking):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            shaking.remove(side)
    return sides


def explain(paths: CertificatePaths, error: ssl.SSLError) -> str:
    """Returns why a certificate can't be used, where its trust is not what is wrong."""
    reason = _TOO_WEAK.get(error.reason, error.reason)
    return f"{CERTIFICATE_PATH}={paths.certificate!r} can't be used for TLS: {reason}"


def _load_pair(context: ssl.SSLContext, paths: CertificatePaths) -> None:
    try:
        # A password is never asked for: the prompt would stop a server without a word.
        context.load_cert_chain(
            paths.certificate, paths.private_key, partial(_refuse_password, paths.private_key)
        )
    except ssl.SSLError as e:
        raise CertificateError(_explain_pair(paths, e)) from e


def _refuse_password(path: str) -> str:
    msg = f"{PRIVATE_KEY_PATH}={path!r} is encrypted, but must be a key without a password"
    raise CertificateError(msg)


def _explain_pair(paths: CertificatePaths, error: ssl.SSLError) -> str:
    key = f"{PRIVATE_KEY_PATH}={paths.private_key!r}"
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}"
    if error.reason in _TOO_WEAK:
        return explain(paths, error)
    return f"{key} and {certificate} are not a private key and a certificate in PEM format"


def certificate_names(decoded: dict[str, Any]) -> tuple[str, ...]:
    """Returns the subject alternative names, then the common name. Each once.

    Names of directories, which are not text and mean nobody to gRPC, are left out.

    :param decoded: as ``ssl`` decodes a certificate.
    """
    names = [
        _address(name) if kind == "IP Address" else name
        for kind, name in decoded.get("subjectAltName", ())
        if isinstance(name, str)
    ]
    return tuple(dict.fromkeys([*names, *_subject(decoded, "commonName")]))


def _address(text: str) -> str:
    """Returns an IP address as gRPC writes it."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def _issuers(decoded: Iterable[dict[str, Any]]) -> tuple[IssuerFacts, ...]:
    return tuple(IssuerFacts(_issuer_name(one), _time(one["notAfter"])) for one in decoded)


def _issuer_name(decoded: dict[str, Any]) -> str:
    for field in ("commonName", "organizationalUnitName", "organizationName"):
        if found := _subject(decoded, field):
            return found[0]
    return "without a name"


def _subject(decoded: dict[str, Any], field: str) -> list[str]:
    return [value for part in decoded.get("subject", ()) for key, value in part if key == field]


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
