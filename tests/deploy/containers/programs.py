"""Runs make and what it runs, for tests with real containers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMES = ("orders", "reservations", "payments")
_TIMEOUT = 1_200.0


def run(*command: str, **env: str) -> str:
    """Runs a program at the root of the repository, and returns what it writes.

    :raises AssertionError: when it fails, with what it wrote.
    """
    # What the make that runs the tests was told is not for the one that they run.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**outer, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def client_environment(address: str) -> Mapping[str, str]:
    """Returns the environment of a client on this machine, with the certificate of an application."""
    return {
        "ORDERS_GRPC_SERVER_ADDRESS": address,
        "GRPC_SSL_PRIVATE_KEY_PATH": str(ROOT / "ssl" / "orders" / "orders.key"),
        "GRPC_SSL_CERTIFICATE_PATH": str(ROOT / "ssl" / "orders" / "orders.crt"),
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": str(ROOT / "ssl" / "orders" / "root.crt"),
    }
