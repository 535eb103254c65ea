"""Tests of the commands: what they are told, how they end, and what they say of errors."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
import pytest

from eventsourcing_grpc.application_client import connect
from tests.certificates import Authority
from tests.system.applications import Broken, Copies, Letters, Slow
from tests.system.serving import Operator, serving
from tests.waiting import DEADLINE, addresses_of, free_port, wait_until

ROOT = Path(__file__).parents[2]

Command = Literal["server", "runner"]

SHOP = """
from eventsourcing.system import System
from tests.system.applications import Copies, Letters
shop = System([[Letters, Copies]])
"""
signals = pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])


def command_line(command: Command, *arguments: str) -> list[str]:
    """As a script does it: the working directory is not where modules are found by themselves."""
    code = f"from eventsourcing_grpc.commands import *; eventsourcing_grpc_{command}()"
    return [sys.executable, "-P", "-c", code, *arguments]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


@contextmanager
def started(
    command: Command, *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command_line(command, *arguments),
        cwd=cwd,
        env=environment(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str], signal_number: int = signal.SIGTERM) -> tuple[int, str]:
    """Returns the status with which a command ends when it gets a signal, and what it wrote."""
    process.send_signal(signal_number)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert stdout == ""
    return process.returncode, stderr


def run(
    command: Command, *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(command, *arguments),
        cwd=cwd,
        env=environment(env or {}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("command", ["server", "runner"])
def test_help_says_how_it_is_used(command: Command) -> None:
    result = run(command, "--help")

    assert result.returncode == 0
    assert result.stderr == ""
    for word in (f"eventsourcing_grpc_{command}", "TOPIC", "--app-dir", "--log-level", "SIGTERM"):
        assert word in result.stdout
    assert "--supervised" not in result.stdout


@signals
def test_server_of_the_argument_stops_gracefully(signal_number: int) -> None:
    env = addresses_of(Letters)
    with (
        started("server", "tests.system.applications:Letters", env=env) as process,
        connect(Letters, env, max_attempts=50) as client,
    ):
        client.app.write(1)
        status, stderr = finish(process, signal_number)

    assert status == 0
    assert f"Letters is serving on {env['LETTERS_GRPC_SERVER_ADDRESS']}" in stderr
    assert "Traceback" not in stderr


def test_many_signals_stop_a_server_like_one() -> None:
    env = addresses_of(Letters)
    with (
        started("server", "tests.system.applications:Letters", env=env) as process,
        connect(Letters, env, max_attempts=50),
    ):
        for _ in range(200):
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
        status, stderr = finish(process)

    assert status == 0
    assert "Traceback" not in stderr


def test_server_of_the_environment_is_found_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "shop_here.py").write_text(SHOP)
    env = addresses_of(Letters)
    with (
        started(
            "server", cwd=tmp_path, env={"APPLICATION_TOPIC": "shop_here:Letters", **env}
        ) as process,
        connect(Letters, env, max_attempts=50) as client,
    ):
        client.app.write(1)
        assert finish(process)[0] == 0


def test_server_stops_gracefully_while_a_call_does_not_end() -> None:
    env = addresses_of(Slow)
    caller = "from eventsourcing_grpc.application_client import *; " + (
        "from tests.system.applications import Slow; connect(Slow, max_attempts=5).app.sleep(60.0)"
    )
    with (
        started("server", "tests.system.applications:Slow", env=env) as process,
        connect(Slow, env, max_attempts=50),
        subprocess.Popen(
            [sys.executable, "-c", caller], env=environment(env), stderr=subprocess.DEVNULL
        ),
        Operator(env["SLOW_GRPC_SERVER_ADDRESS"]) as operator,
    ):
        operator.wait_for_status(lambda status: status.calls.in_progress == 1)
        status, stderr = finish(process)

    assert status == 0
    assert "Slow has stopped" in stderr


@signals
def test_server_stops_while_it_waits_for_its_database(signal_number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {
            **addresses_of(Letters),
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(silent.getsockname()[1]),
            "POSTGRES_DBNAME": "letters",
            "POSTGRES_USER": "letters",
            "POSTGRES_PASSWORD": "x",
            "POSTGRES_CONNECT_TIMEOUT": "120",
        }
        with started("server", "tests.system.applications:Letters", env=env) as process:
            silent.settimeout(DEADLINE)
            connection, _ = silent.accept()
            with connection:
                status, stderr = finish(process, signal_number)

    assert status == 0
    assert stderr.endswith("applications:Letters was stopped before it served\n")


@signals
def test_server_stops_while_its_application_is_imported(tmp_path: Path, signal_number: int) -> None:
    (tmp_path / "slow_to_import.py").write_text(
        "import sys, time\nsys.stderr.write('importing\\n')\ntime.sleep(600)\n", "utf-8"
    )
    with started("server", "slow_to_import:Shop", cwd=tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "importing\n"
        status, stderr = finish(process, signal_number)

    assert status == 0
    assert stderr.endswith("slow_to_import:Shop was stopped before it served\n")


def test_runner_of_a_module_with_one_system_stops_gracefully(tmp_path: Path) -> None:
    (tmp_path / "shop_there.py").write_text(SHOP)
    env = addresses_of(Letters, Copies)
    with (
        started("runner", "shop_there", cwd=tmp_path, env=env) as process,
        connect(Copies, env, max_attempts=50) as copies,
        connect(Letters, env, max_attempts=50) as letters,
    ):
        letters.app.write(7)
        wait_until(lambda: copies.app.numbers() == [7])
        status, stderr = finish(process, signal.SIGINT)

    assert status == 0
    assert "Traceback" not in stderr


def test_runner_of_the_environment_is_found_where_it_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "shop_elsewhere.py").write_text(SHOP)
    env = addresses_of(Letters, Copies)
    with (
        started(
            "runner", "--app-dir", str(tmp_path), env={"SYSTEM_TOPIC": "shop_elsewhere:shop", **env}
        ) as process,
        connect(Letters, env, max_attempts=50) as letters,
    ):
        letters.app.write(1)
        assert finish(process)[0] == 0


def test_runner_can_be_interrupted_while_a_server_takes_its_time_to_start(tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text(
        "from tests.system.applications import *\n"
        "import os, time\n"
        "if os.environ.get('APPLICATION_TOPIC'):\n"
        "    open('yawned', 'w').close()\n"
        "    time.sleep(50)\n"
        "class Lazy(Letters): pass\n"
        "lazy = System([[Lazy]])\n"
    )
    with started("runner", "lazy:lazy", cwd=tmp_path) as process:
        wait_until((tmp_path / "yawned").exists)
        status, stderr = finish(process, signal.SIGINT)

    assert status == 0
    assert "Traceback" not in stderr


def test_runner_ends_when_one_of_its_servers_does() -> None:
    env = addresses_of(Letters)
    with started("runner", "tests.system.applications:single", env=env) as process:
        assert process.stderr is not None
        # Its own words, and not those of the server.
        while not re.search(
            "eventsourcing_grpc.commands: .* is serving", process.stderr.readline()
        ):
            assert process.poll() is None
        psutil.Process(process.pid).children()[0].kill()
        stderr = process.communicate(timeout=DEADLINE)[1]

    assert process.returncode == 1
    assert "The server of Letters ended by SIGKILL" in stderr


@pytest.mark.parametrize("level", ["warning", "info"])
def test_log_level_is_that_of_the_servers_too(level: str) -> None:
    env = addresses_of(Letters)
    with (
        started(
            "runner", "tests.system.applications:single", "--log-level", level, env=env
        ) as process,
        connect(Letters, env, max_attempts=50) as letters,
    ):
        letters.app.write(1)
        status, stderr = finish(process)

    assert status == 0
    assert ("INFO" in stderr) == (level == "info")
    assert ("Letters is serving" in stderr) == (level == "info")
    assert (re.search(r"^Letters: .* INFO ", stderr, re.MULTILINE) is not None) == (level == "info")


@pytest.mark.parametrize(
    ("arguments", "has_tls", "level"),
    [
        ((), False, ""),
        (("--audit-calls",), False, "DEBUG"),
        ((), True, "INFO"),
        (("--no-audit-calls",), True, ""),
    ],
)
def test_calls_of_commands_are_logged_where_callers_have_names_or_that_is_wanted(
    tmp_path: Path, arguments: tuple[str, ...], has_tls: bool, level: str
) -> None:
    env = addresses_of(Letters)
    if has_tls:
        env |= Authority(tmp_path).server_files("letters")
    with (
        started("server", "tests.system.applications:Letters", *arguments, env=env) as process,
        connect(Letters, env, max_attempts=50) as client,
    ):
        client.app.write(1)
        _, stderr = finish(process)

    line = (
        " eventsourcing_grpc.audit.calls: "
        f'who="{"letters, localhost, 127.0.0.1, ::1" if has_tls else "loopback"}" '
        'what=Application.CallMethod target="Letters.write" reason="" outcome="done"\n'
    )
    assert ("audit.calls" in stderr) == bool(level)
    assert not level or f" {level}{line}" in stderr


def check_user_error(result: subprocess.CompletedProcess[str], command: Command, text: str) -> None:
    assert result.stdout == ""
    assert text in result.stderr
    assert result.stderr.startswith(f"eventsourcing_grpc_{command}: error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "no application: name its topic, or set APPLICATION_TOPIC"),
        (["nowhere:Letters"], "there is no module 'nowhere' here"),
        (["tests.system.applications:Letters"], "set LETTERS_GRPC_SERVER_ADDRESS"),
        (["a:B", "c:D"], "unrecognized arguments: c:D"),
        (["a:B", "--log-level", "loud"], "invalid choice: 'loud'"),
    ],
)
def test_server_says_in_one_line_what_is_wrong_with_its_arguments(
    arguments: list[str], text: str
) -> None:
    check_user_error(run("server", *arguments), "server", text)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"LETTERS_GRPC_SERVER_ADDRESS": "localhost"}, "is not an address: it has no port"),
        ({"LETTERS_GRPC_SERVER_ADDRESS": "0.0.0.0:50051"}, "GRPC_SSL_PRIVATE_KEY_PATH"),
        ({"MAX_PULL_INTERVAL": "abc"}, "MAX_PULL_INTERVAL='abc' is not a number"),
        ({"SYSTEM_TOPIC": "nowhere:shop"}, "'nowhere:shop' doesn't resolve"),
        ({"SYSTEM_TOPIC": "tests.system.applications:cycle"}, "is a system without Letters"),
        ({"PERSISTENCE_MODULE": "nowhere"}, "nowhere"),
        ({"PERSISTENCE_MODULE": "eventsourcing.sqlite"}, "SQLITE_DBNAME"),
    ],
)
def test_server_says_in_one_line_what_is_wrong_with_its_environment(
    variables: dict[str, str], text: str
) -> None:
    env = {"LETTERS_GRPC_SERVER_ADDRESS": f"localhost:{free_port()}", **variables}

    check_user_error(run("server", "tests.system.applications:Letters", env=env), "server", text)


def test_server_says_in_one_line_that_its_address_is_taken() -> None:
    env = addresses_of(Letters)
    with serving(Letters, env):
        result = run("server", "tests.system.applications:Letters", env=env)

    check_user_error(
        result, "server", f"{env['LETTERS_GRPC_SERVER_ADDRESS']}: the address is taken"
    )


def test_server_says_in_one_line_what_the_application_raises() -> None:
    result = run("server", "tests.system.applications:Broken", env=addresses_of(Broken))

    check_user_error(result, "server", "RuntimeError: there is no paper")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "no system: name its topic, or set SYSTEM_TOPIC"),
        (["nowhere:shop"], "there is no module 'nowhere' here"),
        (["tests.system.applications"], "systems: name one of"),
        (["tests.system.applications:Letters"], "an application class (Letters), not a system"),
    ],
)
def test_runner_says_in_one_line_what_is_wrong_with_its_arguments(
    arguments: list[str], text: str
) -> None:
    check_user_error(run("runner", *arguments), "runner", text)


def test_runner_says_in_one_line_what_keeps_a_server_from_starting() -> None:
    env = {**addresses_of(Letters, Broken), "MAX_PULL_INTERVAL": "abc"}

    check_user_error(
        run("runner", "tests.system.applications:half_broken", env=env),
        "runner",
        "MAX_PULL_INTERVAL='abc' is not a number",
    )


def test_command_that_does_not_exist_is_told() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "eventsourcing_grpc", "client"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=DEADLINE,
        check=False,
    )

    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
    assert result.stderr.count("\n") == 1
