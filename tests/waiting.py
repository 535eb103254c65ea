"""Waiting for conditions, with a deadline, and addresses for servers that tests start."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from eventsourcing.application import Application

DEADLINE = 20.0
"""Seconds after which a condition that is not true is not expected to become true any more."""

_never = threading.Event()


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
    """Returns a port that nobody listens on, below those that connections get by themselves."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


def addresses_of(*app_classes: type[Application[Any]]) -> dict[str, str]:
    """Returns an environment in which each application has an address."""
    return {
        f"{cls.name.upper()}_GRPC_SERVER_ADDRESS": f"127.0.0.1:{free_port()}" for cls in app_classes
    }
