"""Addresses of servers: what is one, which ones are private to this machine, which ports are free."""

from __future__ import annotations

import errno
import socket
from collections.abc import Container
from ipaddress import ip_address

FIRST_PORT = 50051


def split_address(address: str) -> tuple[str, int]:
    """Splits ``host:port`` or ``[host]:port``.

    :raises ValueError: saying what is wrong with the address.
    """
    scheme, slashes, _ = address.partition("://")
    if slashes:
        msg = f"it is written without {scheme + slashes!r}"
        raise ValueError(msg)
    host, colon, port_text = address.rpartition(":")
    if not colon:
        msg = "it has no port"
        raise ValueError(msg)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        msg = "an IPv6 address is written in brackets, as in [::1]:50051"
        raise ValueError(msg)
    if not host or any(c.isspace() or c in "/@" for c in host):
        msg = "it has no host" if not host else f"{host!r} is not a host"
        raise ValueError(msg)
    is_number = port_text.isascii() and port_text.isdigit() and len(port_text) <= 5
    if not is_number or int(port_text) > 65535:
        msg = f"{port_text!r} is not a port from 0 to 65535"
        raise ValueError(msg)
    return host, int(port_text)


def check_address(address: str) -> str:
    """Returns what is wrong with an address, or an empty string."""
    if address.startswith("unix:"):
        return "" if address.removeprefix("unix:").strip("/") else "it has no path"
    try:
        split_address(address)
    except ValueError as e:
        return str(e)
    return ""


def is_loopback(address: str) -> bool:
    """Tells whether only this machine can reach an address."""
    if address.startswith("unix:"):
        return True
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_peer(peer: str) -> bool:
    """Tells whether a gRPC peer is on this machine: ``ipv4:127.0.0.1:50051``, with or without a port."""
    kind, _, address = peer.partition(":")
    if kind == "unix":
        return True
    # Peers' addresses are percent-encoded: "ipv6:%5B::1%5D:50051".
    address = address.replace("%5B", "[").replace("%5D", "]")
    is_in_brackets = address.startswith("[")
    host = address[1:].partition("]")[0] if is_in_brackets else address.partition(":")[0]
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def choose_free_address(taken: Container[str] = ()) -> str:
    """Returns ``localhost`` with the first free port from 50051 upward.

    :param taken: addresses that are not to be chosen.
    :raises OSError: when no port is free.
    """
    for port in range(FIRST_PORT, 65536):
        address = f"localhost:{port}"
        if address not in taken and _is_free(port):
            return address
    msg = f"No port from {FIRST_PORT} upward is free on localhost"
    raise OSError(msg)


def _is_free(port: int) -> bool:
    # A server on "localhost" listens on both families where both exist.
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                # Without this, ports of closed connections would look taken for a minute.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((host, port))
        except OSError as e:
            if family == socket.AF_INET or e.errno == errno.EADDRINUSE:
                return False
    return True
