"""Who has made a call, as far as the connection says it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import grpc

from eventsourcing_grpc.addresses import is_loopback_peer

_SUBJECT_ALTERNATIVE_NAME = "x509_subject_alternative_name"
_COMMON_NAME = "x509_common_name"
_CERTIFICATE = "x509_pem_cert"


@dataclass(frozen=True)
class PeerIdentity:
    """The other end of a connection."""

    names: tuple[str, ...]
    """Of its certificate: the subject alternative names, then the common name. Each once.
    Empty: it has shown none, which is so without TLS."""
    address: str
    """As gRPC writes it: ``ipv4:127.0.0.1:50051``."""

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback_peer(self.address)

    def __str__(self) -> str:
        """Returns the names, or ``loopback``, or the address."""
        if self.names:
            return ", ".join(self.names)
        return "loopback" if self.is_loopback else self.address


def peer_identity(context: grpc.ServicerContext) -> PeerIdentity:
    """Returns who has made a call."""
    return PeerIdentity(peer_names(context), context.peer())


def peer_names(context: grpc.ServicerContext) -> tuple[str, ...]:
    """Returns the names of who has made a call: those of :class:`PeerIdentity`, in half the time."""
    shown = context.auth_context()
    encoded = (*shown.get(_SUBJECT_ALTERNATIVE_NAME, ()), *shown.get(_COMMON_NAME, ()))
    return _whole_names(encoded, next(iter(shown.get(_CERTIFICATE, ())), b"")) if encoded else ()


@lru_cache(maxsize=1_000)
def _whole_names(encoded: Sequence[bytes], pem: bytes) -> tuple[str, ...]:
    """Returns the names of a certificate, less those that grpcio has cut off.

    To grpcio a name ends at a zero. Whoever has signed "alice\\0.mallory.example" has not meant Alice.
    """
    certificate = ssl.PEM_cert_to_DER_cert(pem.decode()) if pem else b""
    whole = [name for name in encoded if name and name + b"\0" not in certificate]
    return tuple(dict.fromkeys(name.decode(errors="replace") for name in whole))
