"""Certificates that Python's ``ssl`` takes, and gRPC does not: they are named, and never used."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from eventsourcing_grpc.environment import CertificatePaths
from eventsourcing_grpc.tls.certificates import CertificateError, Role, read_certificates
from make_certificates import KeyAndCertificate, make_root
from tests.applications import Notebook
from tests.certificates import channel_with
from tests.serving import Serve
from tests.waiting import DEADLINE

P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def root() -> KeyAndCertificate:
    return make_root()


def write(
    folder: Path, root: KeyAndCertificate, key: Any, usage: str = "", mark: bytes = b""
) -> CertificatePaths:
    """Writes the three files of a certificate for this machine.

    :param usage: what alone its key is for, as ``cryptography`` calls it. Empty: it does not say.
    :param mark: what the certificate's file begins with.
    """
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=60))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    if usage:
        names = (
            "digital_signature content_commitment key_encipherment data_encipherment "
            "key_agreement key_cert_sign crl_sign encipher_only decipher_only"
        )
        used = {name: name == usage for name in names.split()}
        builder = builder.add_extension(x509.KeyUsage(**used), critical=True)
    certificate = builder.sign(root.key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    written = {
        "key": key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "crt": mark + certificate.public_bytes(pem),
        "root": root.certificate_pem,
    }
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return CertificatePaths(*(str(folder / name) for name in written))


@pytest.mark.parametrize(
    ("key", "usage", "mark", "said"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "", b"", "has a key of a kind that gRPC does not"),
        (ed448.Ed448PrivateKey.generate(), "", b"", "has a key of a kind that gRPC does not know"),
        (
            ec.generate_private_key(ec.SECP521R1()),
            "",
            b"",
            "has a key on a curve that gRPC does not know: use RSA, or ECDSA with P-256 or P-384",
        ),
        (P256, "key_agreement", b"", "its key usage must have digitalSignature"),
        (RSA, "key_encipherment", b"", "its key usage must have digitalSignature"),
        (P256, "", codecs.BOM_UTF8, "begins with a byte order mark"),
    ],
)
def test_what_grpc_does_not_take_is_named(
    root: KeyAndCertificate, tmp_path: Path, key: Any, usage: str, mark: bytes, said: str
) -> None:
    paths = write(tmp_path, root, key, usage, mark)
    with pytest.raises(CertificateError) as raised:
        read_certificates(paths, Role.SERVER)
    assert said in str(raised.value)
    assert paths.certificate in str(raised.value)


@pytest.mark.parametrize(
    ("key", "usage"),
    [
        (P256, ""),
        (P256, "digital_signature"),
        (ec.generate_private_key(ec.SECP384R1()), ""),
        (RSA, "digital_signature"),
    ],
)
def test_what_grpc_takes_is_served_with(
    root: KeyAndCertificate, tmp_path: Path, serve: Serve, key: Any, usage: str
) -> None:
    paths = write(tmp_path, root, key, usage)
    files = {
        "GRPC_SSL_PRIVATE_KEY_PATH": paths.private_key,
        "GRPC_SSL_CERTIFICATE_PATH": paths.certificate,
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": paths.root_certificate,
    }
    server = serve(Notebook, **files)
    with channel_with(server.address, files) as channel:
        HealthStub(channel).Check(HealthCheckRequest(), timeout=DEADLINE)
