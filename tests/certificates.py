"""Certificate files for tests: good ones, and ones with something wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from make_certificates import KeyAndCertificate, make_certificate, make_root, write

NAMES = ("localhost", "127.0.0.1", "::1")


def write_certificates(
    folder: Path, root: KeyAndCertificate, owner: KeyAndCertificate | None = None
) -> dict[str, str]:
    """Writes a key, its certificate and the root, and returns the environment that names them."""
    write(folder, "owner", owner or make_certificate(root, NAMES))
    write(folder, "root", root)
    return {
        "GRPC_SSL_PRIVATE_KEY_PATH": str(folder / "owner.key"),
        "GRPC_SSL_CERTIFICATE_PATH": str(folder / "owner.crt"),
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": str(folder / "root.crt"),
    }


def new_certificates(folder: Path) -> dict[str, str]:
    """Writes certificates of a root that nobody else has, and returns their environment."""
    return write_certificates(folder, make_root())


def write_chain(folder: Path, intermediate_ends: datetime) -> dict[str, str]:
    """Writes a certificate that an intermediate one has signed, which is in its file, and a root."""
    root = _make_issuer("a root")
    intermediate = _make_issuer("an intermediate", root, intermediate_ends)
    owner = make_certificate(intermediate, NAMES)
    env = write_certificates(folder, root, owner)
    chain = owner.certificate_pem + intermediate.certificate_pem
    Path(env["GRPC_SSL_CERTIFICATE_PATH"]).write_bytes(chain)
    return env


def _make_issuer(
    name: str, signer: KeyAndCertificate | None = None, ends: datetime | None = None
) -> KeyAndCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(ends or now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return KeyAndCertificate(key, builder.sign(signer.key if signer else key, hashes.SHA256()))


class Authority:
    """A root, and a folder for the files of whom it signs."""

    def __init__(self, folder: Path) -> None:
        self.root = make_root()
        self._folder = folder

    def files(self, *names: str) -> dict[str, str]:
        """Returns the environment of whoever has these names. The first one is the common name."""
        return self.files_of(names[0], make_certificate(self.root, names))

    def server_files(self, *names: str) -> dict[str, str]:
        """Returns the environment of a server on this machine that has other names too."""
        return self.files(*names, *NAMES) if names else self.files(*NAMES)

    def files_of(self, folder: str, owner: KeyAndCertificate) -> dict[str, str]:
        """Writes a certificate into a folder of its own, and returns its environment."""
        return write_certificates(self._folder / folder, self.root, owner)

    def sign(
        self,
        common_name: str,
        alternative_names: Sequence[x509.GeneralName] = (),
        usages: Sequence[x509.ObjectIdentifier] = (),
    ) -> KeyAndCertificate:
        """Makes a certificate of an uncommon kind.

        :param common_name: empty: it has none.
        :param usages: what it is restricted to. Empty: nothing.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(parts))
            .issuer_name(self.root.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
        )
        if alternative_names:
            names = x509.SubjectAlternativeName(alternative_names)
            builder = builder.add_extension(names, critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return KeyAndCertificate(key, builder.sign(self.root.key, hashes.SHA256()))


def channel_with(address: str, files: Mapping[str, str]) -> grpc.Channel:
    """Returns a channel with given certificates, as any program might have it."""
    key, certificate, root = (Path(path).read_bytes() for path in files.values())
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(root, key, certificate))
