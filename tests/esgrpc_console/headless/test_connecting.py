"""How commands find a system and connect to it, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.certificates import new_certificates
from tests.esgrpc_console.console_process import console, console_here, run_python
from tests.esgrpc_console.headless.conftest import ServedSystem
from tests.esgrpc_console.shop import Shop
from tests.esgrpc_console.shop import system as shop_system
from tests.esgrpc_console.test_command_line import CHANGING, LOOKING
from tests.serving import address_env, free_address


def test_commands_never_import_textual(orders: ServedSystem) -> None:
    lines = [
        ["status", orders.address],
        ["status", orders.address, "--json"],
        ["log", orders.address, "Orders", "--limit", "1"],
        ["aggregate", orders.address, "Orders", "x"],
        ["methods", orders.address],
        ["trace", orders.address, "x"],
        ["wait", orders.address, "--caught-up"],
        ["call", orders.address, "Orders.create_new_order"],
        ["pause", orders.address, "Payments", "Nobody", "--reason", "x"],
        ["resume", orders.address, "Payments", "Nobody", "--reason", "x"],
        ["retry", orders.address, "Payments", "Orders", "--reason", "x"],
        ["skip", orders.address, "Payments", "Orders", "1", "--dry-run"],
    ]
    assert {line[0] for line in lines} == {*LOOKING, *CHANGING}
    program = f"""
import sys
from esgrpc_console.__main__ import main
for line in {lines!r}:
    sys.argv = ["esgrpc-console", *line]
    try:
        main()
    except SystemExit:
        pass
sys.stdout.write(repr(sorted({{"textual", "pydantic"}} & set(sys.modules))))
"""
    assert run_python("-c", program).stdout.endswith("[]")


def test_text_that_the_encoding_does_not_have_is_escaped(orders: ServedSystem) -> None:
    result = console("status", orders.address, env={"PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\u25cf serving" in result.stdout


def test_the_first_address_that_answers_will_do(orders: ServedSystem) -> None:
    address = f"{free_address()},{orders.servers['Payments'].address}"
    result = console_here("methods", address, "orders")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Orders.get_order" in result.stdout


def test_an_application_may_be_elsewhere_than_its_server_says(
    tmp_path: Path, orders: ServedSystem
) -> None:
    nowhere = free_address()
    option = f"--address=Payments={nowhere}"
    result = console_here("status", orders.address, option, "--json")
    assert result.returncode == 1
    applications = {one["name"]: one for one in json.loads(result.stdout)["applications"]}
    assert applications["Payments"]["address"] == nowhere
    path = tmp_path / "config.toml"
    path.write_text(
        f'[contexts.x]\naddresses = ["{orders.address}"]\n'
        f'[contexts.x.addresses_of]\nPayments = "{nowhere}"\n',
        "utf-8",
    )
    env = {"ESGRPC_CONSOLE_CONFIG": str(path)}
    assert console_here("status", "@x", env=env).returncode == 1
    payments = orders.servers["Payments"].address
    overridden = console_here("status", "@x", "--address", f"Payments={payments}", env=env)
    assert overridden.returncode == 0


def test_an_override_for_nobody_is_status_2(orders: ServedSystem) -> None:
    result = console_here("status", orders.address, "--address", "Nobody=localhost:1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "it has Orders, Payments, Reservations" in result.stderr


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return new_certificates(tmp_path)


def test_certificates_are_taken_from_options_context_and_environment(
    tmp_path: Path, files: dict[str, str]
) -> None:
    key, certificate, root = files.values()
    address = free_address()
    server = GrpcApplicationServer(
        Shop, {**address_env(Shop, address), **files}, system=shop_system
    )
    server.start()
    path = tmp_path / "config.toml"
    path.write_text(
        f'[contexts.shop]\naddresses = ["{address}"]\nroot_cert = "{Path(root).name}"\n'
        f'cert = "{certificate}"\nkey = "{key}"\nserver_name = "localhost"\n',
        "utf-8",
    )
    options = ("--root-cert", root, "--cert", certificate, "--key", key)
    try:
        assert console_here("methods", address, *options).returncode == 0
        assert console_here("methods", address, env=files).returncode == 0
        context = {"ESGRPC_CONSOLE_CONFIG": str(path)}
        assert console_here("methods", "@shop", env=context).returncode == 0
        other_name = console_here("methods", "@shop", "--server-name", "orders", env=context)
        assert (other_name.returncode, other_name.stdout) == (2, "")
        assert "another name" in other_name.stderr
        without = console_here("methods", address)
        assert (without.returncode, without.stdout) == (2, "")
        assert "speaks TLS" in without.stderr
    finally:
        server.stop()
        server.wait_for_termination()


def test_a_shell_is_offered_what_the_system_tells(orders: ServedSystem) -> None:
    def offered(line: str) -> list[str]:
        env = {
            "_ESGRPC_CONSOLE_COMPLETE": "bash_complete",
            "COMP_LINE": f"esgrpc-console {line}",
            "COMP_WORDBREAKS": " :=@",
        }
        return console_here(env=env).stdout.splitlines()

    at = orders.address
    assert offered(f"log {at} pay") == ["plain,Payments"]
    assert offered(f"call {at} Orders.is") == [
        "plain,Orders.is_order_reserved",
        "plain,Orders.is_order_paid",
    ]
    assert offered(f"call {at} Orders.get_order or") == ["plain,order_id="]
    assert offered(f"pause {at} ") == ["plain,Orders", "plain,Payments", "plain,Reservations"]
    assert offered(f"pause {at} orders P") == ["plain,Payments"]
    assert offered(f"wait {at} --follower pay") == ["plain,Payments"]
    assert offered(f"log nowhere,{at} pay") == [""]
