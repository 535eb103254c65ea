"""The console in a real terminal: a pseudo-terminal whose screen is read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.esgrpc_console.terminal import Terminal

pytestmark = pytest.mark.usefixtures("own_addresses")

START_TIMEOUT = 30.0
ENTER, RIGHT, F5 = "\r", "\x1b[C", "\x1b[15~"
ALL_IS_WELL = "● all is well: 3 applications, 4 followings, all caught up"


@pytest.fixture(autouse=True)
def _own_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lets programs find neither the person's configuration nor what was called before."""
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(
        "run", "eventsourcing_grpc.example:system", "--data-dir", str(tmp_path / "data")
    )
    yield terminal
    terminal.close()


def _assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []


def _server(terminal: Terminal, name: str) -> psutil.Process:
    (found,) = [
        child
        for child in terminal.children()
        if child.environ()["APPLICATION_TOPIC"].endswith(f":{name}")
    ]
    return found


def _wait_until_well(terminal: Terminal, timeout: float = 15.0) -> None:
    """Waits for an overview on which everything is as it should be."""
    terminal.wait_for(
        lambda text: (
            text.count("● serving") == 3
            and text.count("● live") == 4
            and ALL_IS_WELL in text.splitlines()[1]
        ),
        "three applications that serve, four live followings, and that all is well",
        timeout,
    )


def followers(text: str) -> dict[str, tuple[str, ...]]:
    """Returns position, head and lag of each following that the overview shows."""
    rows = [line.split() for line in text.splitlines()]
    return {
        " ".join(row[:3]): tuple(row[5:8])
        for row in rows
        if row[1:2] == ["←"] and not row[0].startswith("FOLLOWER")
    }


def test_from_the_first_screen_to_a_dead_server_and_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    _wait_until_well(terminal, START_TIMEOUT)
    children = terminal.children()
    assert len(children) == 3

    # Call a method.
    terminal.press("m")
    terminal.wait_for_text("create_new_order() -> UUID")
    terminal.press(F5)
    terminal.wait_for_text("✓", "HISTORY")

    # See the events.
    terminal.press("l")
    terminal.wait_for_text("Order.Created", "Order.Reserved", "Order.Paid")
    terminal.press("o")
    terminal.wait_for(
        lambda text: followers(text)
        == {
            "Orders ← Payments": ("1", "1", "0"),
            "Orders ← Reservations": ("1", "1", "0"),
            "Payments ← Orders": ("3", "3", "0"),
            "Reservations ← Orders": ("3", "3", "0"),
        },
        "four followers that have caught up",
    )

    # Kill a server, and see it said.
    victim = _server(terminal, "Payments")
    victim.kill()
    shown = terminal.wait_for_text("the server of Payments died", "○ unreachable", "by SIGKILL")
    assert "the server of Payments died" in shown.splitlines()[1]
    assert shown.count("● serving") == 2

    # Restart it where the first line leads to.
    terminal.press("!")
    terminal.wait_for_text("Payments ○ died", "Payments is serving on")
    terminal.press("R")
    terminal.wait_for_text("Restart the server of Payments?")
    terminal.press(RIGHT + ENTER)
    terminal.wait_for_text("the server of Payments was restarted", "Payments ● serving")
    terminal.press("o")
    _wait_until_well(terminal)
    again = _server(terminal, "Payments")
    assert again.pid != victim.pid

    # What waited is processed, and what was recorded is still there.
    terminal.press("m")
    terminal.wait_for_text("create_new_order() -> UUID")
    terminal.press(F5 + "o")
    terminal.wait_for(
        lambda text: followers(text).get("Payments ← Orders") == ("6", "6", "0"),
        "a second order that is paid",
    )

    terminal.press("q")
    assert terminal.process.wait(15) == 0
    _assert_gone([*children, again])
    names = sorted(path.name for path in (tmp_path / "data").glob("*.db"))
    assert names == ["orders.db", "payments.db", "reservations.db"]
    history = tmp_path / "state" / "esgrpc-console" / "history.jsonl"
    assert history.read_text().count("create_new_order") == 2


def test_a_signal_ends_the_console_and_its_servers(terminal: Terminal) -> None:
    _wait_until_well(terminal, START_TIMEOUT)
    children = terminal.children()
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.process.wait(15) == 0
    _assert_gone(children)


def test_a_stopped_server_is_not_said_to_have_died(terminal: Terminal) -> None:
    _wait_until_well(terminal, START_TIMEOUT)
    terminal.press("O")
    terminal.wait_for_text("following the newest", "Orders is serving on")
    terminal.press("X")
    terminal.wait_for_text("Stop the server of", "Payments      ● serving")
    terminal.press(ENTER)
    terminal.wait_for_text("It is down until it is restarted.")
    terminal.press(RIGHT + ENTER)
    shown = terminal.wait_for_text("was stopped by you", "○ stopped by you", "has stopped")
    assert "died" not in shown
    assert len(terminal.children()) == 2
    terminal.press("q")
    assert terminal.process.wait(15) == 0


def test_a_system_is_watched_from_another_terminal(terminal: Terminal) -> None:
    _wait_until_well(terminal, START_TIMEOUT)
    address = next(word for word in terminal.text.split() if word.startswith("127.0.0.1:"))
    other = Terminal("attach", address, "--read-only", columns=120, lines=30)
    try:
        shown = other.wait_for(
            lambda text: ALL_IS_WELL in text and text.count("● serving") >= 3,
            "the same system",
            START_TIMEOUT,
        )
        assert "read-only" in shown
        # It has started no servers.
        other.press("O")
        terminal.press("q")
        assert terminal.process.wait(15) == 0
        shown = other.wait_for_text("○ unreachable", "has been unreachable on")
        assert "OUTPUT" not in shown
        other.press("q")
        assert other.process.wait(15) == 0
    finally:
        other.close()


def test_ctrl_c_leaves_nothing_behind_even_while_servers_start() -> None:
    terminal = Terminal("run", "eventsourcing_grpc.example:system", columns=80, lines=24)
    try:
        terminal.wait_for_text("starting 3 servers", timeout=START_TIMEOUT)
        children = terminal.children()
        terminal.press("\x03")
        assert terminal.process.wait(15) == 0
        _assert_gone(children)
    finally:
        terminal.close()


def test_a_server_that_cannot_start_is_told_when_the_screen_is_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAYMENTS_MAX_PULL_INTERVAL", "abc")
    terminal = Terminal("run", "eventsourcing_grpc.example:system", columns=120, lines=24)
    try:
        assert terminal.process.wait(START_TIMEOUT) == 2
        shown = terminal.wait_for_text(
            "esgrpc-console: The server of Payments ended with status 2", "MAX_PULL_INTERVAL='abc'"
        )
        assert "Traceback" not in shown
    finally:
        terminal.close()


@pytest.mark.parametrize("variable", ["", "1"])
def test_what_goes_wrong_in_the_console_is_one_line_and_a_traceback_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    program = """
from esgrpc_console.__main__ import main
from esgrpc_console.tui.screens.starting_screen import StartingScreen

def compose(self):
    password = "secret"
    raise RuntimeError(f"a defect of {len(password)} letters")

StartingScreen.compose = compose
main()
"""
    monkeypatch.setenv("ESGRPC_CONSOLE_DEBUG", variable)
    command = (sys.executable, "-c", program)
    terminal = Terminal("run", "eventsourcing_grpc.example:system", command=command)
    try:
        assert terminal.process.wait(START_TIMEOUT) == 2
        shown = terminal.wait_for_text("RuntimeError: a defect of 6 letters")
        assert "secret" not in shown
        assert ("Traceback" in shown) == bool(variable)
        assert ("esgrpc-console: unexpected RuntimeError: " in shown) != bool(variable)
    finally:
        terminal.close()
