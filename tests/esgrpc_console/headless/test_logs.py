"""Logs, aggregates and traces, as scripts read them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.esgrpc_console.console_process import ROOT, console, console_here, started_console
from tests.esgrpc_console.headless.conftest import ServedSystem, label
from tests.esgrpc_console.shop import UNKIND, Shop
from tests.esgrpc_console.shop import system as shop_system
from tests.serving import address_env, free_address, sqlite_env
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def order_id(orders: ServedSystem) -> str:
    """Returns the ID of an order that has been reserved and paid."""
    created: str = json.loads(
        console_here("call", orders.address, "Orders.create_new_order").stdout
    )
    recorder = orders.servers["Orders"].application.recorder
    wait_until(lambda: len(recorder.select_events(created)) == 3, "the order is paid")
    return created


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GrpcApplicationServer]:
    """A server of the shop alone, that keeps its events over restarts."""
    env = {**address_env(Shop, free_address()), **sqlite_env(tmp_path / "shop.db")}
    server = GrpcApplicationServer(Shop, env, system=shop_system)
    server.start()
    yield server
    server.stop()
    server.wait_for_termination()


def _ids(text: str) -> list[int]:
    return [json.loads(line)["id"] for line in text.splitlines()]


def test_events_are_json_lines(orders: ServedSystem, order_id: str) -> None:
    result = console("log", orders.address, "orders", "--aggregate", order_id, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["originator_version"] for event in events] == [1, 2, 3]
    created = events[0]
    assert created.keys() == {
        "id", "topic", "originator_id", "originator_version", "timestamp", "state", "error",
    }  # fmt: skip
    assert created["topic"] == "eventsourcing_grpc.example:Order.Created"
    assert created["originator_id"] == created["state"]["originator_id"] == order_id
    assert created["timestamp"].endswith("+00:00")


def test_a_log_begins_and_ends_where_it_is_wanted(server: GrpcApplicationServer) -> None:
    label(server, 6)
    log = ("log", server.address, "Shop", "--json")
    assert _ids(console_here(*log).stdout) == [1, 2, 3, 4, 5, 6]
    assert _ids(console_here(*log, "--after", "2", "--limit", "2").stdout) == [3, 4]
    assert _ids(console_here(*log, "--last", "2").stdout) == [5, 6]
    assert _ids(console_here(*log, "--last", "0").stdout) == []
    assert _ids(console_here(*log, "--after", "6").stdout) == []


def test_topics_may_be_given_by_their_last_parts(orders: ServedSystem, order_id: str) -> None:
    log = ("log", orders.address, "Orders", "--json", "--aggregate", order_id, "--topic")
    for topic in ("order.paid", "Paid", "eventsourcing_grpc.example:Order.Paid"):
        [line] = console_here(*log, topic).stdout.splitlines()
        assert json.loads(line)["topic"] == "eventsourcing_grpc.example:Order.Paid"
    result = console_here(*log, "Order.Payed")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean Order.Paid?" in result.stderr


def test_events_for_people_are_lines_that_can_do_no_harm(server: GrpcApplicationServer) -> None:
    label(server, text=UNKIND)
    result = console("log", server.address, "Shop")
    assert (result.returncode, result.stderr) == (0, "")
    [line] = result.stdout.splitlines()
    assert line.startswith("1  ")
    assert "  Item.Labelled  " in line
    assert not {"\x1b", "\u202e", "\x07"} & set(line)


def test_following_goes_on_over_a_restart_without_gap_or_repeat(
    server: GrpcApplicationServer,
) -> None:
    label(server, 2)
    log = ("log", server.address, "Shop", "--json", "--follow", "--limit", "6")
    with started_console(*log) as process:
        assert process.stdout
        assert process.stderr
        assert _ids("".join(islice(process.stdout, 2))) == [1, 2]
        server.stop()
        server.wait_for_termination()
        assert "Shop can't be reached" in process.stderr.readline()
        server.start()
        label(server, 2)
        assert _ids("".join(islice(process.stdout, 2))) == [3, 4]
        assert "Shop is there again" in process.stderr.readline()
        label(server, 2)
        assert _ids(process.stdout.read()) == [5, 6]
        assert process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_ends_without_a_word(
    server: GrpcApplicationServer, number: signal.Signals
) -> None:
    label(server, 1)
    with started_console("log", server.address, "Shop", "--follow") as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("1  ")
        process.send_signal(number)
        assert process.wait(20) == 130
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""


@pytest.mark.parametrize("options", [["--json"], ["--follow"]])
def test_a_reader_that_has_enough_ends_the_command(
    server: GrpcApplicationServer, options: list[str]
) -> None:
    label(server, 2, "x" * 100_000)
    command = [sys.executable, "-m", "esgrpc_console", "log", server.address, "Shop", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(10)
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_a_log_that_was_replaced_is_status_1(server: GrpcApplicationServer) -> None:
    result = console_here("log", server.address, "Shop", "--after", "5")
    assert (result.returncode, result.stdout) == (1, "")
    assert "shorter than #5: it ends at #0" in result.stderr


def test_the_state_of_an_aggregate_is_told_at_any_version(
    orders: ServedSystem, order_id: str
) -> None:
    result = console("aggregate", orders.address, "Orders", order_id, "--version", "1", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["application"] == "Orders"
    assert (told["originator_id"], told["version"]) == (order_id, 1)
    assert told["topic"] == "eventsourcing_grpc.example:Order"
    assert told["state"]["is_paid"] is False
    shown = console("aggregate", orders.address, "Orders", order_id)
    assert shown.returncode == 0
    heading, state = shown.stdout.split("\n", 1)
    assert heading == f"eventsourcing_grpc.example:Order {order_id} in Orders, version 3"
    assert json.loads(state)["is_paid"] is True


@pytest.mark.parametrize("version", [[], ["--version", "9"]])
def test_an_aggregate_that_there_is_not_is_status_1(
    orders: ServedSystem, order_id: str, version: list[str]
) -> None:
    wanted = order_id if version else str(uuid4())
    result = console_here("aggregate", orders.address, "Orders", wanted, *version)
    assert (result.returncode, result.stdout) == (1, "")
    assert wanted in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_trace_has_what_every_application_knows_in_the_order_of_time(
    orders: ServedSystem, order_id: str
) -> None:
    result = console("trace", orders.address, order_id.upper(), "--json")
    assert (result.returncode, result.stderr) == (0, "")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["application"], event["topic"].partition(":")[2]) for event in events] == [
        ("Orders", "Order.Created"),
        ("Reservations", "Reservation.Created"),
        ("Orders", "Order.Reserved"),
        ("Payments", "Payment.Created"),
        ("Orders", "Order.Paid"),
    ]
    assert events[1]["mention"] == f"order_id {order_id}"
    shown = console("trace", orders.address, order_id)
    assert [line.split()[2] for line in shown.stdout.splitlines()[1:]] == [
        event["application"] for event in events
    ]


def test_a_trace_of_what_nothing_mentions_is_status_1(orders: ServedSystem) -> None:
    result = console_here("trace", orders.address, str(uuid4()))
    assert (result.returncode, result.stdout) == (1, "")
    assert "nothing mentions" in result.stderr
    result = console_here("trace", orders.address, " ")
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is nothing to look for" in result.stderr
