"""How a system is, and waiting until it is so, as scripts and CI rely on it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Payments, Reservations
from eventsourcing_grpc.example import system as example
from eventsourcing_grpc.protos import operations_pb2 as pb
from tests.esgrpc_console.console_process import console, console_here, started_console
from tests.esgrpc_console.headless.conftest import ServedSystem, label
from tests.serving import status_of
from tests.waiting import addresses_of, wait_until


def _application(orders: ServedSystem) -> Orders:
    application = orders.servers["Orders"].application
    assert isinstance(application, Orders)
    return application


@pytest.fixture
def lagging(orders: ServedSystem) -> Iterator[ServedSystem]:
    """The example system, with an order that is not paid for as long as payments are paused."""
    control = (orders.address, "Payments", "Orders", "--reason", "a test")
    assert console_here("pause", *control).returncode == 0
    order_id = _application(orders).create_new_order()
    wait_until(lambda: _application(orders).is_order_reserved(order_id), "it is reserved")
    wait_until(
        lambda: status_of(orders.servers["Payments"]).followings[0].lag_seconds > 0,
        "the age of the event that is next is known",
    )
    yield orders
    assert console_here("resume", *control).returncode == 0
    wait_until(lambda: _application(orders).is_order_paid(order_id), "it is paid")


@pytest.fixture
def parts() -> Iterator[dict[str, GrpcApplicationServer]]:
    """Servers of the example system, of which none is started."""
    classes = (Orders, Reservations, Payments)
    env = addresses_of(*classes)
    servers = {cls.name: GrpcApplicationServer(cls, env, system=example) for cls in classes}
    yield servers
    for server in servers.values():
        server.stop()
    for server in servers.values():
        if server.has_started.is_set():
            server.wait_for_termination()


def test_a_healthy_system_is_status_0(orders: ServedSystem) -> None:
    assert console("wait", orders.address, "--caught-up").returncode == 0
    result = console("status", orders.address, "--json", "--max-lag", "0", "--max-lag-seconds", "0")
    assert (result.returncode, result.stderr) == (0, "")
    [line] = result.stdout.splitlines()
    status = json.loads(line)
    assert (status["is_healthy"], status["is_caught_up"], status["problems"]) == (True, True, [])
    assert (status["max_lag_events"], status["max_lag_seconds"]) == (0, 0)
    assert (status["is_lag_known"], status["is_lag_exceeded"]) == (True, False)
    applications = {application["name"]: application for application in status["applications"]}
    assert applications.keys() == {"Orders", "Payments", "Reservations"}
    assert applications["Orders"]["health"] == "serving"
    assert applications["Orders"]["leads"] == ["Payments", "Reservations"]
    assert isinstance(applications["Orders"]["head"], int)
    assert applications["Orders"]["uptime_seconds"] > 0
    followings = {(one["follower"], one["leader"]): one for one in status["followings"]}
    assert len(followings) == 4
    payments = followings["Payments", "Orders"]
    assert (payments["state"], payments["lag_events"], payments["last_error"]) == ("live", 0, None)
    assert payments["position"] == payments["read_through"] == payments["head"]
    assert payments["state_since"].endswith("+00:00")


def test_people_are_told_first_whether_all_is_well(orders: ServedSystem) -> None:
    assert console("wait", orders.address, "--caught-up").returncode == 0
    result = console("status", orders.address)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "all is well: 3 applications, 4 followings, all caught up"
    assert lines[2].split()[:4] == ["APPLICATION", "ADDRESS", "HEALTH", "HEAD"]
    assert lines[7].split()[:5] == ["FOLLOWER", "LEADER", "STATE", "POSITION", "HEAD"]
    assert {line.split()[0] for line in lines[3:6]} == {"Orders", "Payments", "Reservations"}
    assert "\x1b" not in result.stdout


def test_lag_matters_only_where_it_is_limited(lagging: ServedSystem) -> None:
    for limit in ([], ["--max-lag", "1000"], ["--max-lag-seconds", "1000"]):
        assert console_here("status", lagging.address, *limit).returncode == 0
    result = console_here("status", lagging.address, "--max-lag", "0", "--json")
    assert result.returncode == 1
    assert "esgrpc-console: Payments is 2 events behind Orders: more than 0\n" in result.stderr
    status = json.loads(result.stdout)
    assert (status["is_healthy"], status["is_lag_exceeded"]) == (True, True)
    assert (status["max_lag_events"], status["is_caught_up"]) == (2, False)
    assert console_here("status", lagging.address, "--max-lag-seconds", "0").returncode == 1


def test_a_following_that_fails_is_status_1(shop: ServedSystem) -> None:
    complaints = shop.servers["Complaints"]
    label(shop.servers["Shop"])
    wait_until(
        lambda: status_of(complaints).followings[0].state == pb.FOLLOWING_STATE_FAILING,
        "it is failing",
    )
    result = console("status", shop.address, "--json")
    assert (result.returncode, result.stderr) == (1, "")
    status = json.loads(result.stdout)
    [following] = status["followings"]
    assert (status["is_healthy"], following["state"]) == (False, "failing")
    assert following["last_error"]["error_class"] == "OutOfStockError"
    assert following["last_error"]["attempts"] >= 1
    [problem] = status["problems"]
    assert (problem["application"], problem["leader"]) == ("Complaints", "Shop")
    shown = console("status", shop.address)
    assert shown.returncode == 1
    assert shown.stdout.startswith("✗ Complaints has been failing on Shop #")
    assert "\x1b" not in shown.stdout
    waited = console("wait", shop.address, "--timeout", "0")
    assert (waited.returncode, waited.stdout) == (1, "")
    assert "Complaints has been failing on Shop #" in waited.stderr


def test_an_application_that_can_not_be_reached_is_status_1(
    parts: dict[str, GrpcApplicationServer],
) -> None:
    parts["Orders"].start()
    parts["Payments"].start()
    address = parts["Orders"].address
    result = console_here("status", address, "--json")
    assert result.returncode == 1
    applications = {one["name"]: one for one in json.loads(result.stdout)["applications"]}
    reservations = applications["Reservations"]
    assert (reservations["health"], reservations["why"]) == ("unreachable", "connection refused")
    assert reservations["head"] is None
    waited = console_here("wait", address, "--caught-up", "--timeout", "0", "--json")
    assert waited.returncode == 1
    told = json.loads(waited.stdout)
    assert told["is_done"] is False
    assert any("Reservations has been unreachable" in text for text in told["waiting_for"])
    assert console_here("wait", address, "--follower", "payments").returncode == 0
    shown = console_here("status", address)
    [row] = [line for line in shown.stdout.splitlines() if line.startswith("Reservations  127")]
    assert row.split()[3:] == ["unreachable", "–", "–", "–", "–"]


def test_what_one_application_does_not_tell_keeps_nothing_from_being_told_of_others(
    parts: dict[str, GrpcApplicationServer],
) -> None:
    parts["Orders"].start()
    address = parts["Orders"].address
    order_id = _application(ServedSystem(parts)).create_new_order()
    unreachable = f"can't be reached on {parts['Payments'].address}: connection refused"
    listed = console_here("methods", address)
    assert listed.returncode == 2
    assert "Orders.create_new_order() -> UUID" in listed.stdout
    assert f"esgrpc-console: Payments {unreachable}" in listed.stderr.splitlines()
    traced = console_here("trace", address, str(order_id))
    assert traced.returncode == 2
    assert "Order.Created" in traced.stdout
    assert sorted(traced.stderr.splitlines()) == [
        f"esgrpc-console: {name} was not looked through: connection refused"
        for name in ("Payments", "Reservations")
    ]
    state = console_here("aggregate", address, "Payments", "x")
    assert (state.returncode, state.stdout) == (2, "")
    assert state.stderr == "esgrpc-console: Payments can't be reached: connection refused\n"


def test_watching_goes_on_until_it_is_interrupted(orders: ServedSystem) -> None:
    with started_console("status", orders.address, "--watch", "--json") as process:
        assert process.stdout
        assert process.stderr
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        assert first["time"] < second["time"]
        assert first["applications"][0]["events_per_second"] is None
        assert second["applications"][0]["events_per_second"] is not None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == ""


def test_waiting_takes_no_longer_than_it_is_given(lagging: ServedSystem) -> None:
    result = console_here("wait", lagging.address, "--caught-up", "--timeout", "0.3")
    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert line.endswith("s: Payments is 2 events behind Orders (paused)")
    assert console_here("wait", lagging.address).returncode == 0
    wait = ("wait", lagging.address, "--caught-up", "--timeout", "0", "--follower")
    assert console_here(*wait, "reservations").returncode == 0
    assert console_here(*wait, "payments").returncode == 1


def test_what_was_recorded_before_and_what_it_led_to_is_waited_for(orders: ServedSystem) -> None:
    application = _application(orders)
    for _ in range(5):
        order_id = application.create_new_order()
        waited = console_here("wait", orders.servers["Payments"].address, "--caught-up")
        assert (waited.returncode, waited.stderr) == (0, "")
        assert application.is_order_paid(order_id)


def test_servers_that_are_not_there_yet_are_waited_for(
    parts: dict[str, GrpcApplicationServer],
) -> None:
    address = parts["Orders"].address
    never = console("wait", address, "--timeout", "0")
    assert (never.returncode, never.stdout) == (2, "")
    assert "There is no system to be reached on" in never.stderr
    with started_console("wait", address, "--caught-up", "--json") as process:
        for server in parts.values():
            server.start()
        assert process.stdout
        assert json.loads(process.stdout.read())["is_done"] is True
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("follower", "said"),
    [("Nobody", "it has Orders, Payments, Reservations"), ("Paymints", "did you mean Payments?")],
)
def test_a_follower_that_there_is_not_is_status_2(
    orders: ServedSystem, follower: str, said: str
) -> None:
    result = console_here("wait", orders.address, "--follower", follower)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
