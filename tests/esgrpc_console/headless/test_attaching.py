"""Attaching the console to a running system, in a real terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.esgrpc_console.headless.conftest import ServedSystem
from tests.esgrpc_console.terminal import Terminal
from tests.serving import free_address
from tests.waiting import wait_until

Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal() -> Iterator[Open]:
    with ExitStack() as stack:

        def open_terminal(*arguments: str) -> Terminal:
            terminal = Terminal(*arguments)
            stack.callback(terminal.close)
            return terminal

        yield open_terminal


def test_the_console_shows_a_system_that_is_running(
    orders: ServedSystem,
    open_terminal: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[contexts.production]\naddresses = ["{orders.address}"]\nread_only = true\n', "utf-8"
    )
    monkeypatch.setenv("ESGRPC_CONSOLE_CONFIG", str(path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    terminal = open_terminal("attach", "@production")
    text = terminal.wait_for_text("Orders", "Payments", "Reservations", "serving")
    assert "@production" in text
    assert "read-only" in text
    terminal.press("q")
    assert terminal.process.wait(20) == 0


def test_without_a_connection_it_says_why_and_ends(open_terminal: Open) -> None:
    address = free_address()
    terminal = open_terminal("attach", address)
    assert terminal.process.wait(20) == 2
    said = f"There is no system to be reached on {address}: connection refused"
    wait_until(lambda: said in terminal.text, said)


@pytest.mark.parametrize(
    "arguments", [("attach", "localhost:1"), ("run", "eventsourcing_grpc.example")]
)
def test_keys_that_there_are_not_are_told_before_the_screen_opens(
    open_terminal: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[keys]\n'log.follow' = 'esc'\n", "utf-8")
    monkeypatch.setenv("ESGRPC_CONSOLE_CONFIG", str(path))
    terminal = open_terminal(*arguments)
    assert terminal.process.wait(20) == 2
    said = f"""esgrpc-console: {path}: keys."log.follow" = "esc": there is no key 'esc': did you mean"""
    # The terminal breaks the line where it ends.
    wait_until(lambda: "".join(terminal.text.split()).startswith("".join(said.split())), said)
