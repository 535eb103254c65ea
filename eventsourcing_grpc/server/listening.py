"""Makes sure that an address can be listened on, and says why not."""

from __future__ import annotations

import errno
import socket

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.user_errors import UserError


class AddressUnavailableError(UserError, OSError):
    """Raised when a server can't listen on its address. The message names both."""

    is_taken = False
    """Whether somebody else listens on it."""


def check_is_free(address: str, name: str) -> None:
    """Makes sure that nobody listens on an address.

    grpcio is content when it can listen on one of the addresses of a host.

    :param name: of the application that is to be served there.
    :raises AddressUnavailableError: when somebody does, or the host is not this machine's.
    """
    if address.startswith("unix:"):
        if _has_listener(address.removeprefix("unix:")):
            raise _taken(address, name)
        return
    host, port = split_address(address)
    try:
        infos = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG
        )
    except OSError as e:
        msg = f"{name} can't be served on {address}: {host!r} can't be resolved ({e.strerror})"
        raise AddressUnavailableError(msg) from e
    for family, kind, protocol, _, socket_address in infos:
        try:
            with socket.socket(family, kind, protocol) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(socket_address)
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                raise _taken(address, name) from e
            msg = f"{name} can't be served on {address}: {e.strerror or e}"
            raise AddressUnavailableError(msg) from e


def _taken(address: str, name: str) -> AddressUnavailableError:
    error = AddressUnavailableError(f"{name} can't be served on {address}: the address is taken")
    error.is_taken = True
    return error


def _has_listener(path: str) -> bool:
    """Tells whether somebody listens on a Unix socket. grpcio would take it away from them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(path)
        except OSError:
            return False
    return True
