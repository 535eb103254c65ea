"""What gRPC's core writes past all logging is not in what the console's commands write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.certificates import Authority
from tests.esgrpc_console.conftest import free_addresses
from tests.esgrpc_console.shop import Shop, system
from tests.waiting import DEADLINE

SAID = "does not accept this console's certificate, or is not what it says"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a server that is certified by one root, where the console knows another."""
    authority = Authority(tmp_path / "server")
    server = GrpcApplicationServer(
        Shop, {**free_addresses(("Shop",)), **authority.server_files()}, system=system
    )
    for name, value in Authority(tmp_path / "console").files("console").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GRPC_VERBOSITY", raising=False)
    server.start()
    yield server.address
    server.stop(wait=True)


def test_status_says_what_is_wrong_and_nothing_else(address: str) -> None:
    command = [sys.executable, "-m", "esgrpc_console", "status", address]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=DEADLINE, env=os.environ
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "ssl_transport_security" not in done.stderr
