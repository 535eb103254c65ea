"""Three hosts with mutual TLS: the console attaches from a fourth, strangers are refused, links and
hosts fail while orders are taken, and no event is lost or recorded twice.

The tests are those of one system, one after the other. The last one counts what all of them have left.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from make_certificates import KeyAndCertificate, make_certificate, make_root, write
from tests.esgrpc_console.terminal import CONSOLE, Terminal
from tests.system.hosts.bookkeeping import check_every_order_is_paid_once
from tests.system.hosts.console import Customer, LogReader, Watcher
from tests.system.hosts.deployed_system import DATABASE, DeployedSystem
from tests.system.hosts.states import ALL_LIVE, LIVE_WITHIN, TOLD_WITHIN
from tests.waiting import wait_until

logger = logging.getLogger(__name__)

# Servers are started, and console commands run, on whatever else runs here.
pytestmark = pytest.mark.timeout(120)

DROPPED_FOR = 20.0
"""Longer than any session with the database lives of which nothing is heard."""


@pytest.fixture(autouse=True)
def _logs(system: DeployedSystem) -> Iterator[None]:
    """Shows what servers have logged during a test, if it fails."""
    before = {server: len(server.log) for server in system.servers.values()}
    yield
    for server, length in before.items():
        sys.stderr.write(server.log[length:])


def test_console_attaches_from_another_host(system: DeployedSystem) -> None:
    waited = system.run_console("wait", system.address, "--timeout", "15")
    assert waited.returncode == 0, waited.stderr
    told = system.run_console("status", system.address, "--json")
    assert told.returncode == 0, told.stdout
    status = json.loads(told.stdout)
    assert status["is_healthy"]
    assert {one["name"]: one["address"] for one in status["applications"]} == {
        "Orders": "orders:50051",
        "Reservations": "reservations:50052",
        "Payments": "payments:50053",
    }
    called = system.run_console("call", "payments:50053", "Orders.create_new_order", "--json")
    assert called.returncode == 0, called.stderr
    order_id = json.loads(called.stdout)
    waited = system.run_console("wait", "reservations:50052", "--caught-up", "--timeout", "15")
    assert waited.returncode == 0, waited.stderr
    log = system.run_console("log", system.address, "Orders", "--aggregate", order_id, "--json")
    assert [json.loads(line)["originator_version"] for line in log.stdout.splitlines()] == [1, 2, 3]
    # It has a name there.
    assert 'who="console" what=Operations.CallMethod target="Orders.create_new_order"' in (
        system.servers["orders"].log
    )


def test_console_in_a_terminal_on_another_host(system: DeployedSystem) -> None:
    terminal = Terminal(
        "attach",
        system.address,
        command=system.console_host.command(CONSOLE),
        env=system.console_env,
    )
    try:
        shown = terminal.wait_for(
            lambda text: text.count("● serving") == 3 and text.count("● live") == 4,
            "three applications that serve, and four live followings",
            timeout=30,
        )
        assert "reservations:50052" in shown
        terminal.press("q")
        assert terminal.process.wait(15) == 0
    finally:
        terminal.close()


def _expired(root: KeyAndCertificate) -> KeyAndCertificate:
    now = datetime.now(UTC)
    return make_certificate(
        root, ["console"], not_before=now - timedelta(days=3), not_after=now - timedelta(days=2)
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("none", "it shows no certificate"),
        ("of another root", "its certificate is not signed by the root"),
        ("expired", "its certificate has expired"),
        ("plaintext", "it does not speak TLS"),
    ],
)
def test_refused_client(system: DeployedSystem, tmp_path: Path, kind: str, why: str) -> None:
    files = [] if kind == "plaintext" else [str(system.certificates / "root" / "root.crt")]
    if kind in {"of another root", "expired"}:
        shown = (
            _expired(system.root)
            if kind == "expired"
            else make_certificate(make_root(), ["console"])
        )
        write(tmp_path, "shown", shown)
        files += [str(tmp_path / "shown.key"), str(tmp_path / "shown.crt")]
    server = system.servers["orders"]
    before = len(server.log)
    assert system.run_program("calling", system.address, *files) == "UNAVAILABLE"
    address = system.network.address_of("console")
    line = f'who="ipv4:{address}" what=connect target="Orders" reason="" outcome="refused: {why}"'
    wait_until(lambda: line in server.log[before:], line)


def test_cut_link(system: DeployedSystem, working: Watcher) -> None:
    expected = {
        "Orders": "serving",
        "Reservations": "unreachable",
        "Orders <- Reservations": "unreachable",
        "Orders <- Payments": "live",
    }
    cut_at = monotonic()
    with system.network.cut("reservations"):
        told = working.wait_until_told(expected, cut_at, TOLD_WITHIN)
        status = system.run_console("status", system.address)
        assert status.returncode == 1
        assert "Reservations has been unreachable on reservations:50052" in status.stdout
        assert "Orders has not reached Reservations" in status.stdout
    live = working.wait_until_told(ALL_LIVE, monotonic(), LIVE_WITHIN)
    logger.info("Cut off: told after %.1f s, live %.1f s after it was mended", told, live)


def test_dropped_packets(system: DeployedSystem, working: Watcher) -> None:
    expected = {
        **ALL_LIVE,
        "Orders <- Payments": "unreachable",
        "Payments <- Orders": "unreachable",
    }
    dropped_at = monotonic()
    with ExitStack() as stack:
        stack.enter_context(system.network.dropped("orders", "payments"))
        if system.has_database:
            stack.enter_context(system.network.dropped("reservations", DATABASE))
            expected["Reservations <- Orders"] = "failing"
        told = working.wait_until_told(expected, dropped_at, TOLD_WITHIN)
        threading.Event().wait(DROPPED_FOR - (monotonic() - dropped_at))
    live = working.wait_until_told(ALL_LIVE, monotonic(), LIVE_WITHIN)
    logger.info("Dropped packets: told after %.1f s, live %.1f s after the last", told, live)


def test_frozen_host(system: DeployedSystem, working: Watcher) -> None:
    expected = {
        "Orders": "unreachable",
        "Payments <- Orders": "unreachable",
        "Reservations <- Orders": "unreachable",
    }
    frozen_at = monotonic()
    with system.servers["orders"].frozen():
        told = working.wait_until_told(expected, frozen_at, TOLD_WITHIN)
    live = working.wait_until_told(ALL_LIVE, monotonic(), LIVE_WITHIN)
    logger.info("Frozen: told after %.1f s, live %.1f s after it was thawed", told, live)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("payments", {"Payments": "unreachable", "Orders <- Payments": "unreachable"}),
        (
            "orders",
            {
                "Orders": "unreachable",
                "Payments <- Orders": "unreachable",
                "Reservations <- Orders": "unreachable",
            },
        ),
    ],
    ids=["payments", "orders"],
)
def test_killed_server_is_started_again(
    system: DeployedSystem, working: Watcher, name: str, expected: Mapping[str, str]
) -> None:
    killed_at = monotonic()
    system.servers[name].kill()
    told = working.wait_until_told(expected, killed_at, TOLD_WITHIN)
    system.servers[name].start()
    system.servers[name].wait_until_serving()
    live = working.wait_until_told(ALL_LIVE, monotonic(), LIVE_WITHIN)
    logger.info("Killed: told after %.1f s, live %.1f s after it served again", told, live)


def test_lost_host_comes_back_at_another_address(system: DeployedSystem, working: Watcher) -> None:
    expected = {"Payments": "unreachable", "Orders <- Payments": "unreachable"}
    lost_at = monotonic()
    # Nobody hears that its connections end.
    with system.network.cut("payments"):
        system.servers["payments"].kill()
        told = working.wait_until_told(expected, lost_at, TOLD_WITHIN)
        # As containers do that are made anew.
        system.network.move("payments")
    system.servers["payments"].start()
    system.servers["payments"].wait_until_serving()
    live = working.wait_until_told(ALL_LIVE, monotonic(), LIVE_WITHIN)
    logger.info("Lost: told after %.1f s, live %.1f s after it served again", told, live)


def test_every_order_is_paid_once(
    system: DeployedSystem, customer: Customer, reader: LogReader
) -> None:
    acknowledged = customer.stop()
    logger.info("%d acknowledged, %d not", len(acknowledged), len(customer.failures()))
    ids = check_every_order_is_paid_once(system, acknowledged)
    # Who has read the log all the time has seen the same.
    wait_until(lambda: reader.ids()[-1:] == ids[-1:], "the log is read to its end")
    assert reader.ids() == ids
