"""The command that asks a server whether it serves, as containers and orchestrators run it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer, start_server
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.server.health_check import NotServingError, Target, ask, find_target
from eventsourcing_grpc.topics import TopicArgumentError
from make_certificates import make_certificate, make_root
from tests.certificates import new_certificates, write_certificates
from tests.serving import Serve
from tests.waiting import DEADLINE, free_port

TOPIC = "eventsourcing_grpc.example:Orders"


def health(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in an environment that has nothing else."""
    return subprocess.run(
        [sys.executable, "-m", "eventsourcing_grpc", "health", *arguments],
        env=dict(env),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.fixture
def of_env(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The process's environment, without what could be there already."""
    for name in list(os.environ):
        if name.endswith(("GRPC_SERVER_ADDRESS", "LISTEN_ADDRESS")) or name.startswith("GRPC_SSL"):
            monkeypatch.delenv(name)
    return os.environ


def test_serving_server_is_healthy_and_a_stopped_one_is_not(serve: Serve) -> None:
    address = f"localhost:{free_port()}"
    server = serve(Orders, address=address)
    env = {"APPLICATION_TOPIC": TOPIC, "ORDERS_GRPC_SERVER_ADDRESS": address}

    serving = health(env)
    server.stop(wait=True)
    stopped = health(env)

    assert (serving.returncode, serving.stderr) == (0, "")
    assert serving.stdout == f"Orders is serving on {address}\n"
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert stopped.stderr == f"Orders is not serving on {address}: nobody listens there\n"


@pytest.mark.parametrize(
    ("env", "arguments", "said"),
    [
        ({}, [], "no application: name its topic, or set APPLICATION_TOPIC"),
        ({}, [TOPIC], "ORDERS_GRPC_SERVER_ADDRESS"),
        ({}, ["nowhere:Orders"], "there is no module 'nowhere' here"),
        ({}, [TOPIC, "--timeout", "soon"], "'soon' is not a number of seconds above 0"),
        ({"ORDERS_GRPC_SERVER_ADDRESS": "orders"}, [TOPIC], "it has no port"),
    ],
)
def test_what_can_not_be_asked_is_told_in_one_line(
    env: Mapping[str, str], arguments: list[str], said: str
) -> None:
    result = health(env, *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_server_on_all_addresses_is_asked_on_this_machine_by_its_own_name(tmp_path: Path) -> None:
    port = free_port()
    certificate = make_certificate(root := make_root(), ["orders"])
    env = {
        "APPLICATION_TOPIC": TOPIC,
        "ORDERS_GRPC_SERVER_ADDRESS": "orders:50051",
        "GRPC_SERVER_LISTEN_ADDRESS": f"0.0.0.0:{port}",
        **write_certificates(tmp_path, root, certificate),
    }
    server = start_server(Orders, env)
    try:
        result = health(env)
        assert server.address == "orders:50051"
    finally:
        server.stop(wait=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"Orders is serving on 127.0.0.1:{port}\n"


def test_server_without_tls_is_not_listened_for_beyond_this_machine() -> None:
    env = {
        "ORDERS_GRPC_SERVER_ADDRESS": "localhost:50051",
        "GRPC_SERVER_LISTEN_ADDRESS": f"0.0.0.0:{free_port()}",
    }
    server = GrpcApplicationServer(Orders, env)
    with pytest.raises(EnvironmentVariableError, match=r"without TLS on '0[.]0[.]0[.]0:"):
        server.start()


def test_bad_listen_address_is_named() -> None:
    env = {"ORDERS_GRPC_SERVER_ADDRESS": "orders:50051", "GRPC_SERVER_LISTEN_ADDRESS": "0.0.0.0"}
    with pytest.raises(
        EnvironmentVariableError, match=r"GRPC_SERVER_LISTEN_ADDRESS='0.0.0.0' is not"
    ):
        GrpcApplicationServer(Orders, env)


def test_reasons_of_tls_are_told(serve: Serve, tmp_path: Path) -> None:
    address = f"localhost:{free_port()}"
    serve(Orders, address=address, **new_certificates(tmp_path / "ours"))
    other = new_certificates(tmp_path / "theirs")

    def said(found_as: str, env: Mapping[str, str]) -> str:
        names = {"ORDERS_GRPC_SERVER_ADDRESS": f"{found_as}:1", "APPLICATION_TOPIC": TOPIC}
        return health({**names, "GRPC_SERVER_LISTEN_ADDRESS": address, **env}).stderr

    ours = write_environment(tmp_path / "ours")
    assert said("localhost", ours) == ""
    assert "its certificate is not for 'shop'" in said("shop", ours)
    assert "GRPC_SSL_ROOT_CERTIFICATE_PATH did not sign its certificate" in said("localhost", other)
    assert "it closes connections like this one" in said("localhost", {})
    gone = {**ours, "GRPC_SSL_CERTIFICATE_PATH": "gone.crt"}
    assert "GRPC_SSL_CERTIFICATE_PATH='gone.crt' can't be read" in said("localhost", gone)


def write_environment(folder: Path) -> dict[str, str]:
    """Returns the environment of certificates that are there."""
    return {
        "GRPC_SSL_PRIVATE_KEY_PATH": str(folder / "owner.key"),
        "GRPC_SSL_CERTIFICATE_PATH": str(folder / "owner.crt"),
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": str(folder / "root.crt"),
    }


def test_server_that_does_not_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target("Orders", f"127.0.0.1:{silent.getsockname()[1]}", "localhost", None)
        with pytest.raises(NotServingError, match=r"it did not answer within 0.2 s"):
            ask(target, timeout=0.2)


def test_unix_socket_is_asked(serve: Serve, tmp_path: Path) -> None:
    serve(Orders, address=f"unix:{tmp_path}/orders")
    ask(Target("Orders", f"unix:{tmp_path}/orders", "", None))
    with pytest.raises(NotServingError, match="nobody listens there"):
        ask(Target("Orders", f"unix:{tmp_path}/payments", "", None))


def test_application_is_imported_only_to_learn_its_name(
    of_env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "renamed.py").write_text(
        "from eventsourcing_grpc.example import Orders\n"
        "class Sales(Orders):\n    name = 'Shop'\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("SHOP_GRPC_SERVER_ADDRESS", "[::]:50051")
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert find_target("renamed:Sales", str(tmp_path)) == Target("Shop", "[::1]:50051", "", None)

    monkeypatch.setenv("SALES_GRPC_SERVER_ADDRESS", "sales:50051")
    target = find_target("not_imported:Sales", str(tmp_path))
    assert target == Target("Sales", "sales:50051", "sales", None)
    with pytest.raises(TopicArgumentError):
        find_target("not_imported:Payments", str(tmp_path))
