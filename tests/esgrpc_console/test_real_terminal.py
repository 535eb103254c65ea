"""The console in a real terminal: a pseudo-terminal whose screen is read."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import psutil
import pyte
import pytest

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 30.0


class Terminal:
    """Runs a program in a terminal of its own. A thread reads what it writes."""

    def __init__(self, *arguments: str, columns: int = 160, lines: int = 45) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "esgrpc_console", *arguments],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal reader")
        self._reader.start()

    @property
    def text(self) -> str:
        """What is on the screen."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def wait_for(self, condition: Callable[[str], bool], what: str, timeout: float = 15.0) -> str:
        """Waits until the screen is as it should be, and returns its text."""
        deadline = monotonic() + timeout
        while not condition(text := self.text):
            if monotonic() > deadline or self.process.poll() is not None:
                pytest.fail(f"{what} is not on the screen after {timeout:.0f} s:\n{self.text}")
            sleep(0.05)
        return text

    def wait_for_text(self, *texts: str, timeout: float = 15.0) -> str:
        """Waits until all of these are on the screen, and returns its text."""
        return self.wait_for(lambda text: all(t in text for t in texts), repr(texts), timeout)

    def children(self) -> list[psutil.Process]:
        """Returns the processes that the program has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        """Ends the program, if it hasn't ended, and all that it started."""
        if self.process.poll() is None:
            for process in self.children():
                process.kill()
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                # The last process that had the terminal open is gone.
                return
            with self._lock:
                # Private sequences of newer terminals are not pyte's to know.
                self._stream.feed(data)


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


def followers(text: str) -> dict[str, tuple[str, ...]]:
    """Returns position, head and lag of each following that the screen shows."""
    rows = [line.split() for line in text.splitlines()]
    return {
        " ".join(row[:3]): tuple(row[5:8])
        for row in rows
        if row[1:2] == ["←"] and row[0] != "FOLLOWER"
    }


def test_an_order_is_created_and_seen_to_travel(terminal: Terminal, tmp_path: Path) -> None:
    shown = terminal.wait_for(
        lambda text: text.count("● serving") == 3 and text.count("● live") == 4,
        "three applications that serve and four live followings",
        START_TIMEOUT,
    )
    assert "● all is well: 3 applications, 4 followings, all caught up" in shown.splitlines()[0]
    children = terminal.children()
    assert len(children) == 3

    terminal.press("m")
    terminal.wait_for_text("create_new_order() -> UUID")
    terminal.press("\r")
    terminal.wait_for_text("esc back")
    terminal.press("\r")
    terminal.wait_for_text("Order.Created", "Order.Reserved", "Order.Paid", "✓")
    shown = terminal.wait_for(
        lambda text: followers(text)
        == {
            "Orders ← Payments": ("1", "1", "0"),
            "Orders ← Reservations": ("1", "1", "0"),
            "Payments ← Orders": ("3", "3", "0"),
            "Reservations ← Orders": ("3", "3", "0"),
        },
        "four followers that have caught up",
    )
    assert "● all is well: 3 applications, 4 followings, all caught up" in shown.splitlines()[0]

    terminal.press("\x1b")
    terminal.wait_for_text("l log")
    terminal.wait_for(lambda text: "esc back" not in text, "the list of methods")
    terminal.press("q")
    assert terminal.process.wait(15) == 0
    _assert_gone(children)
    names = sorted(path.name for path in (tmp_path / "data").glob("*.db"))
    assert names == ["orders.db", "payments.db", "reservations.db"]


def test_a_server_that_dies_is_said_to_have_died_and_the_console_stays(terminal: Terminal) -> None:
    terminal.wait_for(lambda text: text.count("● serving") == 3, "three that serve", START_TIMEOUT)
    children = terminal.children()
    (victim,) = [
        child for child in children if child.environ()["APPLICATION_TOPIC"].endswith(":Payments")
    ]
    victim.kill()
    shown = terminal.wait_for_text("the server of Payments died", "○ unreachable")
    assert "the server of Payments died" in shown.splitlines()[0]
    assert shown.count("● serving") == 2
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.process.wait(15) == 0
    _assert_gone(children)


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
        shown = terminal.text
        assert "esgrpc-console: The server of Payments ended with status 2" in shown
        assert "MAX_PULL_INTERVAL='abc'" in shown
        assert "Traceback" not in shown
    finally:
        terminal.close()
