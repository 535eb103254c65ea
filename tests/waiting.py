"""Waiting for conditions, with a deadline, and addresses for servers that tests start."""

from __future__ import annotations

import atexit
import random
import socket
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from eventsourcing.application import Application

DEADLINE = 20.0
"""Seconds after which a condition that is not true is not expected to become true any more."""

_never = threading.Event()
_held: deque[socket.socket] = deque()
_MAX_HELD = 500


@atexit.register
def _let_go() -> None:
    """Closes what is held: what is left open at the end would be told of, one by one."""
    while _held:
        _held.popleft().close()


def wait_until(
    condition: Callable[[], object], what: str = "", *, timeout: float = DEADLINE
) -> float:
    """Returns when a condition is true: how many seconds it took."""
    started = monotonic()
    while not condition():
        if monotonic() - started > timeout:
            msg = f"Not within {timeout:g} s: {what or condition}"
            raise AssertionError(msg)
        _never.wait(0.01)
    return monotonic() - started


def free_port() -> int:
    """Returns a port that nobody listens on, below those that connections get by themselves.

    It is held, so that tests that run at the same time are given others. A server may listen on it.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        sock = socket.socket()
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            continue
        # Servers, which set this too, may now be bound to it. The next search for a port may not.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(sock)
        if len(_held) > _MAX_HELD:
            _held.popleft().close()
        return port


def addresses_of(*app_classes: type[Application[Any]]) -> dict[str, str]:
    """Returns an environment in which each application has an address."""
    return {
        f"{cls.name.upper()}_GRPC_SERVER_ADDRESS": f"127.0.0.1:{free_port()}" for cls in app_classes
    }
