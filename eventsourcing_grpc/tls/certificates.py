"""The three files of mutual TLS, read and checked together: what is wrong with them, in plain words.

gRPC would only say that a socket was closed.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    CertificatePaths,
)
from eventsourcing_grpc.tls.certificate_decoding import (
    CertificateError,
    CertificateFacts,
    Role,
    client_context,
    decode_certificates,
    explain,
    load_root,
    server_context,
    shake_hands,
)
from eventsourcing_grpc.tls.grpc_certificates import check_for_grpc

__all__ = [
    "CertificateError",
    "CertificateFacts",
    "Certificates",
    "Role",
    "ends",
    "expiry_problems",
    "host_problem",
    "read_certificates",
    "read_contents",
    "read_facts",
    "root_end",
    "shown_time",
]

SHORT_VALIDITY = timedelta(days=30)
"""Who has less time left is warned."""
_ATTEMPTS = 3
# X509_V_ERR_...: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_EXPIRED = 10
_NOT_SIGNED = frozenset({2, 7, 18, 19, 20, 21, 24, 30, 79})
_OTHER_HOST = frozenset({62, 64})


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


def read_facts(paths: CertificatePaths, role: Role) -> CertificateFacts:
    """Returns what the files say, whether they are valid today or not, and whoever has signed what.

    :raises CertificateError: when a file is missing, unreadable or not PEM, when the key belongs
        to another certificate, and when that is restricted to another role.
    """
    read_contents(paths)
    try:
        return decode_certificates(paths, role)
    except ssl.SSLError as e:
        raise CertificateError(explain(paths, e)) from e


def read_certificates(paths: CertificatePaths, role: Role) -> Certificates:
    """Returns what is in the files, after making sure that it works together.

    :raises CertificateError: when a file is missing, unreadable or not PEM, when the key belongs
        to another certificate, when the root did not sign it, when it is not valid today, when it
        is restricted to another role, and when gRPC knows no such key.
    """
    for _ in range(_ATTEMPTS):
        contents = read_contents(paths)
        try:
            facts = _check(paths, role)
        except ssl.SSLError as e:
            raise CertificateError(explain(paths, e)) from e
        except OSError:
            # A file that was there a moment ago. If it stays away, reading it again tells.
            continue
        # The checks read the files themselves, and somebody may be replacing them.
        if read_contents(paths) == contents:
            check_for_grpc(paths, contents)
            return Certificates(*contents, facts)
    msg = f"{CERTIFICATE_PATH}={paths.certificate!r} is being changed just now: try again"
    raise CertificateError(msg)


def host_problem(paths: CertificatePaths, facts: CertificateFacts, host: str) -> str:
    """Returns why clients that call a host will not take its certificate, or an empty string.

    :param paths: of files of a server that work together.
    :param host: a name or an IP address.
    """
    names = ", ".join(facts.names) or "nobody"
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    problem = (
        f"{certificate} is for {names}, and not for {host!r}: clients that call the server by that "
        "name will not trust it"
    )
    try:
        server, client = server_context(paths), client_context()
        load_root(client, paths)
        client.check_hostname = True
    except (CertificateError, OSError):
        # They have just been replaced. Whoever reads them next tells of it.
        return ""
    try:
        shake_hands(server, client, host)
    except ssl.SSLCertVerificationError as e:
        return problem if e.verify_code in _OTHER_HOST else ""
    except ValueError:
        # No certificate is for what can't be a name.
        return problem
    return ""


def expiry_problems(
    paths: CertificatePaths, facts: CertificateFacts, now: datetime | None = None
) -> list[str]:
    """Returns what expires within 30 days, or has, a line each."""
    now = now or datetime.now(UTC)
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    ends = [(certificate, facts.not_after)]
    ends += [
        (f"{certificate}: its intermediate certificate {issuer.name!r}", issuer.not_after)
        for issuer in facts.intermediates
    ]
    if (last := root_end(facts)) is not None:
        ends.append((f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r}", last))
    return [
        f"{what} {_expiry(end, now)}: renew it" for what, end in ends if end - now < SHORT_VALIDITY
    ]


def ends(facts: CertificateFacts) -> list[datetime]:
    """Returns when each of those expires that connections need."""
    last = root_end(facts)
    needed = [facts.not_after, *(issuer.not_after for issuer in facts.intermediates)]
    return needed if last is None else [*needed, last]


def root_end(facts: CertificateFacts) -> datetime | None:
    """Returns when nothing is left that is trusted, if that is known.

    If there are several roots, others may be there to take over from one that expires.
    """
    return max((root.not_after for root in facts.roots), default=None)


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
    facts = decode_certificates(paths, role)
    _check_dates(paths, facts)
    server = server_context(paths)
    client = client_context(paths if role is Role.CLIENT else None)
    if role is Role.SERVER:
        load_root(client, paths)
    else:
        load_root(server, paths)
        server.verify_mode = ssl.CERT_REQUIRED
        client.verify_mode = ssl.CERT_NONE
    try:
        shake_hands(server, client)
    except ssl.SSLCertVerificationError as e:
        raise CertificateError(_explain_trust(paths, facts, e)) from e
    return facts


def _check_dates(paths: CertificatePaths, facts: CertificateFacts) -> None:
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    now = datetime.now(UTC)
    if now < facts.not_before:
        msg = (
            f"{certificate} is not yet valid: it is from {shown_time(facts.not_before)} on, in "
            f"{_in_words(facts.not_before - now)}. If that is wrong, look at this machine's clock"
        )
        raise CertificateError(msg)
    if now >= facts.not_after:
        msg = f"{certificate} {_expiry(facts.not_after, now)}: renew it"
        raise CertificateError(msg)


def _explain_trust(
    paths: CertificatePaths, facts: CertificateFacts, error: ssl.SSLCertVerificationError
) -> str:
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    root = f"{ROOT_CERTIFICATE_PATH}={paths.root_certificate!r}"
    if error.verify_code in _NOT_SIGNED:
        return f"{certificate} is not trusted by {root}: that root did not sign it"
    now = datetime.now(UTC)
    if error.verify_code == _EXPIRED:
        expired = [
            f"{certificate}: its intermediate certificate {issuer.name!r} {_expiry(issuer.not_after, now)}"
            for issuer in facts.intermediates
            if issuer.not_after < now
        ]
        if (last := root_end(facts)) is not None and last < now:
            expired.append(f"{root} {_expiry(last, now)}")
        if expired:
            return f"{expired[-1]}: renew it"
    return f"{certificate} is not trusted by {root}: {error.verify_message}"


def _expiry(end: datetime, now: datetime) -> str:
    if end > now:
        return f"expires on {shown_time(end)}, in {_in_words(end - now)}"
    return f"expired on {shown_time(end)}, {_in_words(now - end)} ago"


def _in_words(span: timedelta) -> str:
    for count, unit in ((span.days, "day"), (span.seconds // 3_600, "hour")):
        if count:
            return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
    minutes = span.seconds // 60
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
