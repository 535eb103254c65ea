"""What a server's log says of connections that come to nothing."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from eventsourcing_grpc.addresses import split_address
from make_certificates import make_certificate, make_root
from tests.applications import Notebook
from tests.certificates import NAMES, Authority, channel_with, new_certificates
from tests.serving import address_env, free_address
from tests.waiting import DEADLINE, wait_until

ROOT = Path(__file__).parents[3]


class ServerWithLog:
    """A server as people run it, whose standard error is a file."""

    def __init__(self, address: str, log_file: Path) -> None:
        self.address = address
        self._log_file = log_file

    @property
    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> None:
        """Returns when the log has something."""
        wait_until(lambda: re.search(pattern, self.log), f"{pattern} in\n{self.log}")


@contextmanager
def running(folder: Path, env: Mapping[str, str]) -> Iterator[ServerWithLog]:
    address = free_address()
    log_file = folder / "log"
    with (
        log_file.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, "-m", "eventsourcing_grpc", "server", "tests.applications:Notebook"],
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'ssl'}", **address_env(Notebook, address), **env},
            cwd=ROOT,
            stderr=log,
        ) as process,
    ):
        server = ServerWithLog(address, log_file)
        try:
            server.wait_for("is serving on")
            yield server
        finally:
            process.terminate()
            process.wait(DEADLINE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ssl"))


@pytest.fixture(scope="module")
def server(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerWithLog]:
    with running(tmp_path_factory.mktemp("server"), authority.server_files()) as server:
        yield server


def is_refused(channel: grpc.Channel) -> bool:
    with channel:
        try:
            HealthStub(channel).Check(HealthCheckRequest(), timeout=DEADLINE)
        except grpc.RpcError:
            return True
    return False


def audit_line(why: str) -> str:
    entry = rf'who="loopback" what=connect target="Notebook" reason="" outcome="refused: {why}"'
    return rf"WARNING eventsourcing_grpc\.audit: {entry}"


def test_no_certificate(server: ServerWithLog, authority: Authority) -> None:
    credentials = grpc.ssl_channel_credentials(authority.root.certificate_pem)
    assert is_refused(grpc.secure_channel(server.address, credentials))
    server.wait_for(audit_line("it shows no certificate"))


def test_certificate_of_another_root(
    server: ServerWithLog, authority: Authority, tmp_path: Path
) -> None:
    stranger = make_certificate(make_root(), NAMES)
    assert is_refused(channel_with(server.address, authority.files_of("stranger", stranger)))
    server.wait_for(audit_line("its certificate is not signed by the root"))


def test_expired_certificate(server: ServerWithLog, authority: Authority) -> None:
    now = datetime.now(UTC)
    expired = make_certificate(
        authority.root, NAMES, not_before=now - timedelta(days=3), not_after=now - timedelta(days=2)
    )
    assert is_refused(channel_with(server.address, authority.files_of("expired", expired)))
    server.wait_for(audit_line("its certificate has expired"))


def test_plaintext(server: ServerWithLog) -> None:
    assert is_refused(grpc.insecure_channel(server.address))
    server.wait_for(audit_line("it does not speak TLS"))


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (ssl.TLSVersion.TLSv1_2, "it does not trust the root of this server's certificate"),
        (ssl.TLSVersion.TLSv1_3, "it breaks off: it may not trust this server's certificate"),
    ],
    ids=["TLS 1.2", "TLS 1.3"],
)
def test_client_that_does_not_trust_the_server(
    server: ServerWithLog, tmp_path: Path, version: ssl.TLSVersion, why: str
) -> None:
    # Not one of gRPC: that says nothing before it goes.
    root = new_certificates(tmp_path)["GRPC_SSL_ROOT_CERTIFICATE_PATH"]
    context = ssl.create_default_context(cafile=root)
    context.minimum_version = context.maximum_version = version
    address = split_address(server.address)
    with (
        socket.create_connection(address, DEADLINE) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(connection, server_hostname=address[0])
    server.wait_for(audit_line(why))


def test_connections_without_a_word_and_good_ones_are_not_told(
    authority: Authority, tmp_path: Path
) -> None:
    with running(tmp_path, authority.server_files()) as server:
        with socket.create_connection(split_address(server.address)):
            pass
        assert not is_refused(channel_with(server.address, authority.server_files()))
    assert "audit" not in server.log
    # Nor is anything of what this is found out from.
    own_line = r"\S+ \S+ INFO eventsourcing_grpc\.(server\.serving|application_server): .*\n"
    assert re.fullmatch(f"({own_line})+", server.log)


def test_names_that_strangers_call_the_server_are_not_in_its_log(
    authority: Authority, tmp_path: Path
) -> None:
    forged = b'x\n2026-11-25 INFO eventsourcing_grpc.audit: who="oscar" what=Operations.SkipEvent'
    # As long, in parts that a name may have.
    name = "a" * 60 + "." + "b" * (len(forged) - 61)
    context = ssl.create_default_context()
    hello = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname=name).do_handshake()
    message = hello.read()
    assert name.encode() in message
    with running(tmp_path, authority.server_files()) as server:
        with socket.create_connection(split_address(server.address), DEADLINE) as connection:
            connection.sendall(message.replace(name.encode(), forged))
            assert connection.recv(1000)
        assert is_refused(grpc.insecure_channel(server.address))
        server.wait_for(audit_line("it does not speak TLS"))
    assert "oscar" not in server.log


def test_a_flood_is_told_in_few_lines(authority: Authority, tmp_path: Path) -> None:
    with running(tmp_path, authority.server_files()) as server:
        for _ in range(50):
            with socket.create_connection(split_address(server.address), DEADLINE) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                assert connection.recv(1000) == b""
        server.wait_for("count=")
    lines = [line for line in server.log.splitlines() if "what=connect" in line]
    counts = [int(found[1]) if (found := re.search(r"count=(\d+)", line)) else 1 for line in lines]
    assert sum(counts) == 50
    assert len(lines) < 20


def test_whoever_wants_what_core_writes_gets_it(authority: Authority, tmp_path: Path) -> None:
    env = {**authority.server_files(), "GRPC_VERBOSITY": "INFO"}
    with running(tmp_path, env) as server:
        assert is_refused(grpc.insecure_channel(server.address))
        server.wait_for("Handshake failed with error .*WRONG_VERSION_NUMBER")
    assert "what=connect" not in server.log


def test_what_others_write_to_standard_error_is_not_lost(
    authority: Authority, tmp_path: Path
) -> None:
    module = tmp_path / "noisy.py"
    module.write_text(
        "import os, sys\n"
        "from tests.applications import Notebook as Base\n"
        "os.write(2, b'from a library\\n')\n"
        "sys.stderr.write('from Python\\n')\n"
        "assert os.environ.get('GRPC_TRACE') == 'handshaker'\n"
        "class Notebook(Base):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__(*args, **kwargs)\n"
        "        os.write(2, 'at the end: é'.encode())\n"
        "        assert 'GRPC_TRACE' not in os.environ\n",
        encoding="utf-8",
    )
    env = {
        "PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'ssl'}",
        "APPLICATION_TOPIC": "noisy:Notebook",
        **address_env(Notebook, free_address()),
        **authority.server_files(),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "eventsourcing_grpc", "server"],
        env=env,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        written = ""
        while "is serving on" not in written:
            line = process.stderr.readline()
            assert line, written
            written += line
        process.terminate()
        written += process.communicate(timeout=DEADLINE)[1]
    for text in ("from a library\n", "from Python\n", "at the end: é"):
        assert text in written
