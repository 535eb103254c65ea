"""What gRPC's own TLS does not take, though Python's ``ssl`` does, by which certificates are checked.

gRPC comes with BoringSSL: it says nothing of these when it is given them, and then no connection can
be made. See https://datatracker.ietf.org/doc/html/rfc5280#section-4.1 for how a certificate is built.
"""

from __future__ import annotations

import codecs
import ssl
from collections.abc import Iterator

from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    CertificatePaths,
)
from eventsourcing_grpc.tls.certificate_decoding import CertificateError

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_REMEDY = "use RSA, or ECDSA with P-256 or P-384"
_ED25519, _ED448 = bytes.fromhex("2b6570"), bytes.fromhex("2b6571")
_ELLIPTIC = bytes.fromhex("2a8648ce3d0201")
_CURVES = {bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2b81040022")}
_KEY_USAGE = bytes.fromhex("551d0f")
_DIGITAL_SIGNATURE = 0x80
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_OBJECT_IDENTIFIER = 0x06
_PUBLIC_KEY = 5
"""Which field of a certificate it is, not counting the version."""


def check_for_grpc(paths: CertificatePaths, contents: tuple[bytes, bytes, bytes]) -> None:
    """Makes sure that gRPC takes what is in the files, which Python's ``ssl`` has taken.

    :param contents: in the order of ``CertificatePaths``.
    :raises CertificateError: when it does not.
    """
    named = {
        PRIVATE_KEY_PATH: paths.private_key,
        CERTIFICATE_PATH: paths.certificate,
        ROOT_CERTIFICATE_PATH: paths.root_certificate,
    }
    for (variable, path), content in zip(named.items(), contents, strict=True):
        if content.startswith(codecs.BOM_UTF8):
            msg = f"{variable}={path!r} begins with a byte order mark: save it as UTF-8 without one"
            raise CertificateError(msg)
    certificate = f"{CERTIFICATE_PATH}={paths.certificate!r}"
    if _BEGIN not in contents[1]:
        # It is called something else there, as few are.
        return
    fields = _fields(_first_certificate(contents[1]))
    if problem := _key_problem(fields):
        raise CertificateError(f"{certificate} has a key {problem}: {_REMEDY}")
    if not _may_sign(fields):
        msg = (
            f"{certificate} is not for making connections: its key usage must have digitalSignature"
        )
        raise CertificateError(msg)


def _first_certificate(pem: bytes) -> bytes:
    begin = pem.index(_BEGIN)
    end = pem.index(_END, begin) + len(_END)
    return ssl.PEM_cert_to_DER_cert(pem[begin:end].decode("ascii"))


def _fields(certificate: bytes) -> list[tuple[int, bytes]]:
    """Returns the fields of what is signed, each with its tag, without the version."""
    (_, whole), *_ = _elements(certificate)
    (_, signed), *_ = _elements(whole)
    return [field for field in _elements(signed) if field[0] != _VERSION]


def _key_problem(fields: list[tuple[int, bytes]]) -> str:
    (_, algorithm), *_ = _elements(fields[_PUBLIC_KEY][1])
    identifiers = [content for tag, content in _elements(algorithm) if tag == _OBJECT_IDENTIFIER]
    if identifiers[0] in (_ED25519, _ED448):
        return "of a kind that gRPC does not know (Ed25519 or Ed448)"
    if identifiers[0] == _ELLIPTIC and identifiers[-1] not in _CURVES:
        return "on a curve that gRPC does not know"
    return ""


def _may_sign(fields: list[tuple[int, bytes]]) -> bool:
    for tag, content in fields:
        if tag != _EXTENSIONS:
            continue
        (_, extensions), *_ = _elements(content)
        for _, extension in _elements(extensions):
            (_, identifier), *_, (_, value) = _elements(extension)
            if identifier == _KEY_USAGE:
                (_, bits), *_ = _elements(value)
                # The first byte tells how many bits of the last one are not used.
                return len(bits) > 1 and bool(bits[1] & _DIGITAL_SIGNATURE)
    return True


def _elements(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the elements of a sequence in DER: the tag and the content of each."""
    at = 0
    while at < len(encoded):
        tag, length = encoded[at], encoded[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(encoded[at : at + size], "big")
            at += size
        yield tag, encoded[at : at + length]
        at += length
