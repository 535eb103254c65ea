"""The containers of the Compose file, as plain processes: their command and their environment,
in which only addresses, and where files are, differ.
"""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders
from make_certificates import make_all
from tests.deploy.compose_file import Process, Service, as_process, environment_of, read_services
from tests.waiting import DEADLINE, free_port, wait_until

pytest_plugins = ["tests.postgres"]

PROGRAMS = Path(sys.executable).parent
PASSWORD = "correct horse"
NAMES = ("orders", "reservations", "payments")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like ssl/ after ``make ssl``."""
    folder = tmp_path_factory.mktemp("ssl")
    make_all(folder, NAMES)
    return folder


@pytest.fixture(params=["memory.env", "sqlite.env", "postgres.env"])
def services(request: pytest.FixtureRequest) -> Mapping[str, Service]:
    """The services, with each of the stores that they can have."""
    return read_services(environment_of(request.param))


@pytest.fixture
def database(
    request: pytest.FixtureRequest, services: Mapping[str, Service]
) -> Iterator[dict[str, str]]:
    """Where the database is that the services expect, if they do."""
    if "postgres" not in services:
        yield {}
        return
    uri: str = request.getfixturevalue("postgres_uri")
    expected = services["postgres"].env
    name, user = expected["POSTGRES_DB"], expected["POSTGRES_USER"]
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {user}".encode())
        found = urlsplit(uri)
        yield {
            "POSTGRES_HOST": parse_qs(found.query).get("host", [found.hostname or ""])[0],
            "POSTGRES_PORT": str(found.port or 5432),
        }
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE {user}".encode())


@pytest.fixture
def processes(
    services: Mapping[str, Service],
    certificates: Path,
    database: Mapping[str, str],
    tmp_path: Path,
) -> dict[str, Process]:
    """The services of the applications as processes, which have not been started."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "postgres-password").write_text(PASSWORD, encoding="utf-8")
    addresses = {
        name: f"localhost:{free_port()}"
        for name in services["orders"].env
        if name.endswith("_GRPC_SERVER_ADDRESS")
    }
    made = {}
    for name in NAMES:
        (tmp_path / name).mkdir()
        folders = {
            "/app/ssl": certificates / name,
            "/data": tmp_path / name,
            "/run/secrets": tmp_path / "secrets",
        }
        made[name] = as_process(services[name], folders, {**addresses, **database}, PROGRAMS)
    return made


def start(process: Process, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        process.argv, env=process.env, cwd=cwd, stderr=subprocess.PIPE, text=True
    )


def is_healthy(process: Process, cwd: Path) -> bool:
    """Tells what the container's health check says."""
    done = subprocess.run(
        process.healthcheck,
        env=process.env,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode == 0


def test_containers_take_an_order_and_stop_when_they_are_told_to(
    processes: Mapping[str, Process], tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    with ExitStack() as stack:
        running = {}
        for name, process in processes.items():
            assert not is_healthy(process, tmp_path)
            running[name] = stack.enter_context(start(process, tmp_path / "app"))
            stack.callback(running[name].kill)
        wait_until(lambda: all(is_healthy(process, tmp_path) for process in processes.values()))

        with connect(Orders, dict(processes["payments"].env), max_attempts=50) as client:
            order_id = client.app.create_new_order()
            wait_until(lambda: client.app.is_order_paid(order_id))

        for name, server in running.items():
            server.send_signal(signal.SIGTERM)
            _, stderr = server.communicate(timeout=DEADLINE)
            assert server.returncode == 0, stderr
            assert re.search(rf"{name.capitalize()} has stopped", stderr), stderr
            assert "Traceback" not in stderr
            assert PASSWORD not in stderr
        # Nothing is written where a container could not write.
        assert not list((tmp_path / "app").iterdir())


def test_every_server_is_named_alike_for_itself_and_for_the_others(
    services: Mapping[str, Service],
) -> None:
    for name in NAMES:
        service = services[name]
        address = service.env[f"{name.upper()}_GRPC_SERVER_ADDRESS"]
        host, port = address.split(":")
        assert host == name == service.hostname
        assert service.ports == (f"127.0.0.1:{port}:{port}",)
        addresses = {k: v for k, v in service.env.items() if k.endswith("_GRPC_SERVER_ADDRESS")}
        assert addresses == {
            k: v for k, v in services["orders"].env.items() if k.endswith("_GRPC_SERVER_ADDRESS")
        }
        assert "system" in service.networks


def test_files_that_servers_are_configured_with_are_mounted(
    services: Mapping[str, Service], certificates: Path
) -> None:
    for name in NAMES:
        service = services[name]
        mounts = {mount.target: mount for mount in service.mounts}
        ssl = mounts["/app/ssl"]
        assert ssl.is_read_only
        assert Path(ssl.source).parts[-2:] == ("ssl", name)
        for variable in ("PRIVATE_KEY", "CERTIFICATE", "ROOT_CERTIFICATE"):
            path = service.env[f"GRPC_SSL_{variable}_PATH"]
            assert (certificates / name / Path(path).relative_to("/app/ssl")).is_file()
        assert service.env["POSTGRES_PASSWORD_FILE"] in mounts
        assert str(Path(service.env["SQLITE_DBNAME"]).parent) in mounts


def test_containers_can_do_nothing_that_they_need_not_do(services: Mapping[str, Service]) -> None:
    for service in services.values():
        document = service.document
        assert document["read_only"] is True
        assert document["cap_drop"] == ["ALL"]
        assert document["security_opt"] == ["no-new-privileges:true"]
        assert document["restart"] == "unless-stopped"
        assert document["pids_limit"]
        assert document["mem_limit"]
        assert "privileged" not in document
        assert not any("docker.sock" in mount.source for mount in service.mounts)
        if service.name in NAMES:
            assert "cap_add" not in document
            assert document["user"] == "10001:10001"


def test_no_environment_has_a_password(services: Mapping[str, Service]) -> None:
    for service in services.values():
        assert "POSTGRES_PASSWORD" not in service.env


def test_key_files_are_given_to_the_user_of_the_containers(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "ssl" / "make_certificates.py"
    owner = str(tmp_path.stat().st_uid)
    subprocess.run(
        [sys.executable, script, "--directory", tmp_path, "--owner", owner, "orders"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    key = tmp_path / "orders" / "orders.key"
    assert str(key.stat().st_uid) == owner
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
