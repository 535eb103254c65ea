"""Makes a root and certificates that are good for trying mutual TLS: on one machine, with Compose, on Kubernetes.

They are not for production: the root's key lies beside its certificate, unencrypted.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_NAME = "root"
DEFAULT_NAMES = ("orders", "reservations", "payments")
ROOT_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
RENEWED_BEFORE_END = timedelta(days=30)
"""A certificate with less time left is made anew."""
_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Certificates are good from a little earlier, so that a machine whose clock is slow takes them too."""


@dataclass(frozen=True)
class KeyAndCertificate:
    """A private key (EC P-256) and the certificate of its public half."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        """The key as unencrypted PKCS #8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def make_root(
    common_name: str = "eventsourcing_grpc test root",
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> KeyAndCertificate:
    """Makes a self-signed root.

    It is good from five minutes ago, for ten years, unless *not_before* and *not_after* (aware) say otherwise.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(common_name, key, not_before, not_after, ROOT_LIFETIME)
    builder = (
        builder.issuer_name(_distinguished_name(common_name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return KeyAndCertificate(key, builder.sign(key, hashes.SHA256()))


def make_certificate(
    root: KeyAndCertificate,
    names: Sequence[str],
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> KeyAndCertificate:
    """Makes a certificate, signed by *root*, for a program that is both server and client.

    The first of *names* is its common name; all of them, host names and IP addresses, are its alternative names.
    It is good from five minutes ago, for a year, unless *not_before* and *not_after* (aware) say otherwise.
    Raises ``ValueError`` when there is no name, or one that no certificate can have.
    """
    if not names:
        raise ValueError("A certificate needs at least one name")
    key = ec.generate_private_key(ec.SECP256R1())
    root_key = root.key.public_key()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(names[0], key, not_before, not_after, LIFETIME)
    builder = (
        builder.issuer_name(root.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(_alternative_names(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key), critical=False)
    )
    return KeyAndCertificate(key, builder.sign(root.key, hashes.SHA256()))


def _builder(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    not_before: datetime | None,
    not_after: datetime | None,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_distinguished_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now - _CLOCK_DIFFERENCE)
        .not_valid_after(not_after or now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _distinguished_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative_name(name) for name in names])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write(folder: Path, name: str, made: KeyAndCertificate) -> None:
    """Writes ``name.key``, which only its owner may read, and ``name.crt`` to *folder*, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_file(folder / f"{name}.key", made.key_pem, mode=0o600)
    _write_file(folder / f"{name}.crt", made.certificate_pem, mode=0o644)


def _write_file(path: Path, content: bytes, *, mode: int) -> None:
    """Writes a file as a whole: it is never there with a part of its content, or with more permissions."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    unfinished.replace(path)


def read(folder: Path, name: str) -> KeyAndCertificate | None:
    """Reads what :func:`write` wrote. ``None``: something is missing, unreadable as PEM, or no pair."""
    try:
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        return None
    return KeyAndCertificate(key, certificate)


def _has_time_left(certificate: x509.Certificate) -> bool:
    now = datetime.now(UTC)
    return (
        certificate.not_valid_before_utc
        <= now
        < certificate.not_valid_after_utc - RENEWED_BEFORE_END
    )


def _is_good(certificate: x509.Certificate, root: x509.Certificate, names: Sequence[str]) -> bool:
    """Tells whether a certificate need not be made anew: *root* signed it, for these names, and it has time left."""
    try:
        certificate.verify_directly_issued_by(root)
        present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, TypeError, ValueError, x509.ExtensionNotFound):
        return False
    return present == _alternative_names(names) and _has_time_left(certificate)


def machine_names() -> list[str]:
    """The names by which programs on this machine reach each other."""
    host = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1"]
    return [*names, host] if host and host.isascii() and host not in names else names


def make_all(directory: Path, names: Sequence[str], *, force: bool = False) -> list[str]:
    """Makes ``root/root.key`` and ``root.crt``, and for each name ``NAME/NAME.key``, ``NAME.crt`` and ``root.crt``.

    Every certificate has its own name and those of this machine as alternative names, so that who shows it can be told.
    What is there and still good is kept, unless *force* is given. Returns the names of what was made.
    """
    made = []
    root = None if force else read(directory / ROOT_NAME, ROOT_NAME)
    if root is None or not _has_time_left(root.certificate):
        root = make_root()
        write(directory / ROOT_NAME, ROOT_NAME, root)
        made.append(ROOT_NAME)
    for name in names:
        own_names = list(dict.fromkeys([name, *machine_names()]))
        folder = directory / name
        present = None if force else read(folder, name)
        if present is None or not _is_good(present.certificate, root.certificate, own_names):
            write(folder, name, make_certificate(root, own_names))
            made.append(name)
        root_copy = folder / f"{ROOT_NAME}.crt"
        if not root_copy.exists() or root_copy.read_bytes() != root.certificate_pem:
            _write_file(root_copy, root.certificate_pem, mode=0o644)
    return made


def give_away(directory: Path, names: Sequence[str], owner: int) -> None:
    """Lets a user, by number, own what there is for *names*: containers may run as one who is unknown here.

    Raises ``PermissionError`` for everyone but root.
    """
    for name in names:
        for path in sorted((directory / name).iterdir()):
            os.chown(path, owner, -1)


def _name(text: str) -> str:
    if text == ROOT_NAME or not text.isascii() or not text.replace("-", "").isalnum():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name for a certificate: letters, digits and hyphens, such as 'orders'"
        )
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Runs from the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Make a root and certificates for trying mutual TLS."
    )
    parser.add_argument(
        "names", nargs="*", type=_name, metavar="NAME", help="default: orders reservations payments"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path(__file__).resolve().parent, help="default: ssl/"
    )
    parser.add_argument(
        "--force", action="store_true", help="make all anew, also what is still good"
    )
    parser.add_argument(
        "--owner",
        type=int,
        metavar="UID",
        help="who is to own them, by number; only root can give them away (default: who makes them)",
    )
    arguments = parser.parse_args(argv)
    names = list(dict.fromkeys(arguments.names)) or list(DEFAULT_NAMES)
    try:
        made = make_all(arguments.directory, names, force=arguments.force)
        if arguments.owner is not None:
            give_away(arguments.directory, names, arguments.owner)
    except OSError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    kept = [name for name in (ROOT_NAME, *names) if name not in made]
    for verb, which in (("Made", made), ("Kept", kept)):
        if which:
            sys.stdout.write(f"{verb} in {arguments.directory}: {', '.join(which)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
