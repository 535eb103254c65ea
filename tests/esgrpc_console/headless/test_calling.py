"""Methods, and calling them, as scripts do."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.application import Application

from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.methods import command, query
from tests.esgrpc_console.console_process import console, console_here, started_console
from tests.esgrpc_console.headless.conftest import ServedSystem
from tests.esgrpc_console.shop import UNKIND
from tests.waiting import DEADLINE, addresses_of


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory, orders: ServedSystem) -> Path:
    path = tmp_path_factory.mktemp("configuration") / "config.toml"
    path.write_text(
        f'[contexts.production]\naddresses = ["{orders.address}"]\nread_only = true\n', "utf-8"
    )
    return path


def test_a_result_is_json_on_standard_output(orders: ServedSystem) -> None:
    created = console("call", orders.address, "Orders.create_new_order")
    assert (created.returncode, created.stderr) == (0, "")
    order_id = json.loads(created.stdout)
    assert str(UUID(order_id)) == order_id
    got = console("call", orders.address, "orders.GET_ORDER", f"order_id={order_id}", "--json")
    assert (got.returncode, got.stderr) == (0, "")
    assert len(got.stdout.splitlines()) == 1
    assert json.loads(got.stdout)["id"] == order_id


def test_arguments_are_taken_as_the_parameters_want_them(shop: ServedSystem) -> None:
    for text in ("1.10", "null", "", "[/red]", "a=b", "-x", '"q"'):
        result = console_here("call", shop.address, "Shop.echo", f"text={text}")
        assert (result.returncode, json.loads(result.stdout)) == (0, text)
    assert (
        json.loads(console_here("call", shop.address, "Shop.much", "characters=3").stdout) == "xxx"
    )


def test_arguments_may_be_one_json_object_also_from_standard_input(shop: ServedSystem) -> None:
    call = ("call", shop.address, "Shop.echo", "--json-args")
    assert json.loads(console(*call, '{"text": "a"}').stdout) == "a"
    assert json.loads(console(*call, '{"text": "a"}', "text=b").stdout) == "b"
    assert json.loads(console(*call, "-", stdin='{"text": "\\u202e"}').stdout) == "\u202e"


def test_what_is_written_for_a_terminal_can_do_no_harm(shop: ServedSystem) -> None:
    result = console_here("call", shop.address, "Shop.echo", f"text={UNKIND}")
    assert json.loads(result.stdout) == UNKIND
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_what_the_application_raises_is_status_1(shop: ServedSystem) -> None:
    result = console("call", shop.address, "Shop.fail")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("OutOfStockError: [/red]")
    assert len(result.stderr.splitlines()) == 1
    assert "\x1b" not in result.stderr
    result = console("call", shop.address, "Shop.fail", "--json")
    assert (result.returncode, result.stdout) == (1, "")
    error = json.loads(result.stderr)
    assert (error["error_class"], error["message"]) == ("OutOfStockError", UNKIND)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Shop.add_item", "item_id=x", "price=1"], "Shop.add_item: item_id: Input should be"),
        (["Shop.add_item", "price=1"], "Shop.add_item: item_id: Field required"),
        (["Shop.echo", "text=a", "nope=1"], "Shop.echo: nope: There is no such parameter"),
        (["Shop.echo", "text"], "'text' must be an argument as name=value"),
        (["Shop.echo", "text=a", "text=b"], "text is given twice"),
        (["Shop.echo", "--json-args", '{"text": "\\ud800"}'], "Shop.echo: "),
        (["Shop.ecko"], "'ecko' is not a method of Shop: did you mean echo? it has add_item, "),
        (["Shp.echo"], "'Shp' is not an application of this system: did you mean Shop? it has C"),
        (["echo"], "'echo' must name an application and a method, as in Orders.get_order"),
        (["Shop.echo", "--json-args", "{"], "--json-args is not JSON: line 1, column 2"),
        (["Shop.echo", "--json-args", "[]"], "--json-args must be a JSON object"),
    ],
)
def test_wrong_arguments_are_status_2(shop: ServedSystem, arguments: list[str], said: str) -> None:
    result = console_here("call", shop.address, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.removeprefix("esgrpc-console: ").startswith(said)


def test_a_read_only_context_lets_only_queries_be_called(
    orders: ServedSystem, read_only: Path
) -> None:
    env = {"ESGRPC_CONSOLE_CONFIG": str(read_only)}
    refused = console_here("call", "@production", "Orders.create_new_order", env=env)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Orders.create_new_order is a command, and @production is read-only" in refused.stderr
    allowed = console_here(
        "call", "@production", "Orders.create_new_order", "--read-write", env=env
    )
    assert allowed.returncode == 0
    order_id = json.loads(allowed.stdout)
    query = console_here(
        "call", "@production", "Orders.is_order_paid", f"order_id={order_id}", env=env
    )
    assert query.returncode == 0
    refused = console_here("call", orders.address, "Orders.create_new_order", "--read-only")
    assert refused.returncode == 2


def test_methods_are_listed_for_people_and_for_programs(orders: ServedSystem) -> None:
    listed = console("methods", orders.address)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "query    Orders.get_order(order_id: UUID) -> OrderDetails" in listed.stdout
    assert "Payments has no methods that can be called" in listed.stdout
    result = console("methods", orders.address, "ORDERS", "--json")
    [application] = json.loads(result.stdout)["applications"]
    assert application["name"] == "Orders"
    kinds = {method["name"]: method["kind"] for method in application["methods"]}
    assert kinds["create_new_order"] == "command"
    assert kinds["get_order"] == "query"
    [get_order] = [one for one in application["methods"] if one["name"] == "get_order"]
    assert get_order["parameters_schema"]["required"] == ["order_id"]


def test_docstrings_can_do_no_harm(shop: ServedSystem) -> None:
    listed = console_here("methods", shop.address, "Shop")
    assert listed.returncode == 0
    assert "\x1b" not in listed.stdout
    assert "[/red]" in listed.stdout


class Gate(Application[UUID]):
    """Lets a test see when it is called, and say when it returns."""

    has_begun = threading.Event()
    may_end = threading.Event()

    @command
    def hold(self) -> None:
        self.has_begun.set()
        self.may_end.wait(DEADLINE)

    @query
    def look(self) -> None:
        self.hold()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["Gate.hold"],
            "esgrpc-console: Gate.hold: interrupted before the server answered "
            "(it may have been carried out all the same)\n",
        ),
        (
            ["Gate.hold", "--json"],
            '{"message": "interrupted before the server answered", "is_outcome_unknown": true}\n',
        ),
        (["Gate.look"], ""),
    ],
)
def test_who_interrupts_a_command_hears_that_it_may_be_carried_out(
    arguments: list[str], said: str
) -> None:
    Gate.has_begun.clear()
    Gate.may_end.clear()
    server = start_server(Gate, addresses_of(Gate))
    try:
        with started_console("call", server.address, *arguments) as process:
            assert Gate.has_begun.wait(DEADLINE)
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE) == 130
            assert process.stderr
            assert process.stderr.read() == said
    finally:
        Gate.may_end.set()
        server.stop(wait=True)
