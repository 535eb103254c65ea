"""The three files of mutual TLS, read and checked together: what is wrong with them, in plain words.

gRPC would only say that a socket was closed. The owner of the certificate shakes hands with itself
here, in memory, which checks and decodes with nothing but the standard library.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    CertificatePaths,
)
from eventsourcing_grpc.user_errors import UserError

SHORT_VALIDITY = timedelta(days=30)
"""Who has less time left is warned."""
_ATTEMPTS = 3
# X509_V_FLAG_NO_CHECK_TIME, which Python has no name for:
# https://docs.openssl.org/3.0/man3/X509_VERIFY_PARAM_set_flags/
_NO_CHECK_TIME = 0x200000
# X509_V_ERR_...: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_EXPIRED = 10
_INVALID_PURPOSE = 26
_NOT_SIGNED = frozenset({2, 7, 18, 19, 20, 21, 24, 30, 79})
_OTHER_HOST = frozenset({62, 64})
_TOO_WEAK = {
    "EE_KEY_TOO_SMALL": "its key is too short",
    "CA_KEY_TOO_SMALL": "the key of who signed it is too short",
    "CA_MD_TOO_WEAK": "it is signed with a hash that is too weak",
}


class CertificateError(UserError, ValueError):
    """Raised when a certificate or key file can't be used. The message names the file and the remedy."""


class Role(Enum):
    """What a certificate is shown as: it may be restricted to one of them."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True)
class RootFacts:
    """What a root certificate says."""

    name: str
    not_after: datetime


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says, and those that it is to be trusted by."""

    names: tuple[str, ...]
    """The subject alternative names, then the common name. Each once."""
    not_before: datetime
    not_after: datetime
    roots: tuple[RootFacts, ...]
    """Without those that don't say that they sign others."""


@dataclass(frozen=True)
class Certificates:
    """What is in the three files. It works together, or did when it was read."""

    private_key: bytes
    certificate: bytes
    root_certificate: bytes
    facts: CertificateFacts


def read_contents(paths: CertificatePaths) -> tuple[bytes, bytes, bytes]:
    """Returns what is in the files, in the order of ``CertificatePaths``, whatever it is.

    :raises CertificateError: when a file is missing or can't be read.
    """
    return (
        _read(PRIVATE_KEY_PATH, paths.private_key),
        _read(CERTIFICATE_PATH, paths.certificate),
        _read(ROOT_CERTIFICATE_PATH, paths.root_certificate),
    )


def read_certificates(paths: CertificatePaths, role: Role) -> Certificates:
    """Returns what is in the files, after making sure that it works together.

    :raises CertificateError: when a file is missing, unreadable or not PEM, when the key belongs
        to another certificate, when the root did not sign it, when it is not valid today, and when
        it is restricted to another role.
    """
    for _ in range(_ATTEMPTS):
        contents = read_contents(paths)
        try:
            facts = _check(paths, role)
        except OSError as e:
            # One that was there a moment ago.
            msg = f"{CERTIFICATE_PATH}={paths.certificate!r} can't be read: {e.strerror}"
            raise CertificateError(msg) from e
        # The checks read the files themselves, and somebody may be replacing them.
        if read_contents(paths) == contents:
            return Certificates(*contents, facts)
    msg = f"{CERTIFICATE_PATH}={paths.certificate!r} is being changed just now"
    raise CertificateError(msg)


def host_problem(paths: CertificatePaths, host: str) -> str:
    """Returns why clients that call a host will not take its certificate, or an empty string.

    :param paths: of files of a server that work together.
    :param host: a name or an IP address.
    """
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    problem = f"{certificate} is not for {host!r}: clients that call it so will not trust it"
    server, client = _server(paths), _client()
    _load_root(client, paths)
    client.check_hostname = True
    try:
        _shake_hands(server, client, host)
    except ssl.SSLCertVerificationError as e:
        return problem if e.verify_code in _OTHER_HOST else ""
    except ValueError:
        # No certificate is for what can't be a name.
        return problem
    return ""


def expiry_problem(what: str, not_after: datetime, now: datetime | None = None) -> str:
    """Returns that something expires soon, or an empty string.

    :param what: how the text begins.
    """
    left = not_after - (now or datetime.now(UTC))
    if left >= SHORT_VALIDITY:
        return ""
    return f"{what} expires on {shown_time(not_after)}, in {_in_words(left)}: renew it"


def shown_time(time: datetime) -> str:
    """Returns a time to the minute, for people."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _read(variable: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as e:
        msg = f"{variable}={path!r} can't be read: {e.strerror}"
        raise CertificateError(msg) from e


def _check(paths: CertificatePaths, role: Role) -> CertificateFacts:
    facts = _decode(paths, role)
    now = datetime.now(UTC)
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    if now < facts.not_before:
        msg = (
            f"{certificate} is not yet valid: it is from {shown_time(facts.not_before)} on, in "
            f"{_in_words(facts.not_before - now)}. If that is wrong, look at this machine's clock"
        )
        raise CertificateError(msg)
    if now >= facts.not_after:
        msg = (
            f"{certificate} expired on {shown_time(facts.not_after)}, "
            f"{_in_words(now - facts.not_after)} ago: renew it"
        )
        raise CertificateError(msg)
    if role is Role.SERVER:
        server, client = _server(paths), _client()
        _load_root(client, paths)
    else:
        server, client = _server(paths), _client(paths)
        _load_root(server, paths)
        server.verify_mode = ssl.CERT_REQUIRED
        client.verify_mode = ssl.CERT_NONE
    try:
        _shake_hands(server, client)
    except ssl.SSLCertVerificationError as e:
        raise CertificateError(_explain_trust(paths, facts, e, now)) from e
    except ssl.SSLError as e:
        raise CertificateError(_explain(paths, e)) from e
    return facts


def _decode(paths: CertificatePaths, role: Role) -> CertificateFacts:
    """Decodes a certificate, whether it is valid today or not, and whoever has signed it."""
    server = _server(paths)
    client = _client(paths if role is Role.CLIENT else None)
    looking = client if role is Role.SERVER else server
    client.verify_mode = ssl.CERT_NONE
    looking.verify_mode = ssl.CERT_REQUIRED
    # It is looked at as one that is trusted because it is known: then all of it can be read.
    looking.load_verify_locations(paths.certificate)
    looking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    looking.verify_flags |= _NO_CHECK_TIME
    roots = _load_root(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), paths)
    try:
        sides = _shake_hands(server, client)
    except ssl.SSLCertVerificationError as e:
        certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
        msg = f"{certificate} can't be used by a {role.value}: {e.verify_message}"
        if e.verify_code == _INVALID_PURPOSE:
            msg = f"{certificate} is not for a {role.value}: its extended key usage says what it is for"
        raise CertificateError(msg) from e
    except ssl.SSLError as e:
        raise CertificateError(_explain(paths, e)) from e
    decoded: dict[str, Any] = sides[looking is server].getpeercert() or {}
    return CertificateFacts(
        _names(decoded),
        _time(decoded["notBefore"]),
        _time(decoded["notAfter"]),
        tuple(RootFacts(_root_name(root), _time(root["notAfter"])) for root in roots),
    )


def _server(paths: CertificatePaths) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_pair(context, paths)
    return context


def _client(paths: CertificatePaths | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if paths is not None:
        _load_pair(context, paths)
    return context


def _load_pair(context: ssl.SSLContext, paths: CertificatePaths) -> None:
    try:
        # A password is never asked for: the prompt would stop a server without a word.
        context.load_cert_chain(
            paths.certificate, paths.private_key, partial(_refuse_password, paths.private_key)
        )
    except ssl.SSLError as e:
        raise CertificateError(_explain_pair(paths, e)) from e


def _load_root(context: ssl.SSLContext, paths: CertificatePaths) -> list[dict[str, Any]]:
    """Lets a context trust the root, and returns what there is in its file, decoded."""
    try:
        context.load_verify_locations(paths.root_certificate)
    except ssl.SSLError as e:
        msg = (
            f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r} is not a certificate in PEM format"
        )
        raise CertificateError(msg) from e
    return context.get_ca_certs()


def _refuse_password(path: str) -> str:
    msg = f"{PRIVATE_KEY_PATH}={path!r} is encrypted, but must be a key without a password"
    raise CertificateError(msg)


def _explain_pair(paths: CertificatePaths, error: ssl.SSLError) -> str:
    key = f"{PRIVATE_KEY_PATH}={paths.private_key!r}"
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}"
    if error.reason in _TOO_WEAK:
        return _explain(paths, error)
    return f"{key} and {certificate} are not a private key and a certificate in PEM format"


def _explain(paths: CertificatePaths, error: ssl.SSLError) -> str:
    reason = _TOO_WEAK.get(error.reason, error.reason)
    return f"{CERTIFICATE_PATH}={paths.certificate!r} can't be used for TLS: {reason}"


def _explain_trust(
    paths: CertificatePaths,
    facts: CertificateFacts,
    error: ssl.SSLCertVerificationError,
    now: datetime,
) -> str:
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    root = f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r}"
    if error.verify_code in _NOT_SIGNED:
        return f"{certificate} is not trusted by {root}: that root did not sign it"
    last = max((root.not_after for root in facts.roots), default=now)
    if error.verify_code == _EXPIRED and last < now:
        return f"{root} expired on {shown_time(last)}, {_in_words(now - last)} ago: renew it"
    return f"{certificate} is not trusted by {root}: {error.verify_message}"


def _shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Returns the client's side and the server's.

    :param host: is what the client calls. None: nothing that has a name.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    shaking = list(sides)
    # Each side is done after at most four flights of messages.
    for _ in range(4):
        for side in tuple(shaking):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            shaking.remove(side)
    return sides


def _names(decoded: dict[str, Any]) -> tuple[str, ...]:
    names = [
        _address(name) if kind == "IP Address" else name
        for kind, name in decoded.get("subjectAltName", ())
    ]
    return tuple(dict.fromkeys([*names, *_subject(decoded, "commonName")]))


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def _root_name(decoded: dict[str, Any]) -> str:
    for field in ("commonName", "organizationalUnitName", "organizationName"):
        if found := _subject(decoded, field):
            return found[0]
    return "without a name"


def _subject(decoded: dict[str, Any], field: str) -> list[str]:
    return [value for part in decoded.get("subject", ()) for key, value in part if key == field]


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _in_words(span: timedelta) -> str:
    for count, unit in ((span.days, "day"), (span.seconds // 3_600, "hour")):
        if count:
            return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
    minutes = span.seconds // 60
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
