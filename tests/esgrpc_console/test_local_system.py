"""Tests of a system whose servers the console starts: what they write, how they are stopped and restarted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from esgrpc_console.local_environment import DataDirError
from esgrpc_console.local_system import LocalSystem
from esgrpc_console.server_output import Level
from esgrpc_console.system_view import FollowingState, Health, RequestFailed, SystemView
from eventsourcing_grpc.example import system
from eventsourcing_grpc.server_process import ServerStartError
from tests.esgrpc_console.conftest import wait_for

pytestmark = pytest.mark.usefixtures("own_addresses")


@asynccontextmanager
async def running(data_dir: Path | None = None) -> AsyncIterator[tuple[LocalSystem, SystemView]]:
    """The example, with its servers, and its view."""
    with LocalSystem(system, data_dir) as local:
        async with AsyncExitStack() as stack:
            view = await local.open(stack)
            await wait_for(lambda: _is_well(view), "all serve and follow")
            yield local, view


def _is_well(view: SystemView) -> bool:
    applications = view.state.applications.values()
    followings = view.state.followings
    return (
        len(applications) == 3
        and all(application.health is Health.SERVING for application in applications)
        and len(followings) == 4
        and all(following.state is FollowingState.LIVE for following in followings)
    )


def _head(view: SystemView, application: str) -> int:
    status = view.state.applications[application].status
    return status.head if status else 0


def _servers() -> dict[str, psutil.Process]:
    found = {}
    for process in psutil.Process().children():
        # One that has ended since then is none any more.
        with suppress(psutil.NoSuchProcess):
            topic = process.environ().get("APPLICATION_TOPIC", "")
            if topic:
                found[topic.rpartition(":")[2]] = process
    return found


def _texts(local: LocalSystem) -> list[str]:
    return [f"{line.application}: {line.text}" for line in local.output.after(0)]


async def test_a_stopped_server_is_said_to_have_been_stopped_and_is_back_after_a_restart(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (local, view):
        await local.stop_server("Payments")
        await view.call_method("Orders", "create_new_order", {})
        assert "Payments" not in _servers()
        payments = view.state.applications["Payments"]
        assert payments.ending == "stopped by you"
        await wait_for(
            lambda: view.state.applications["Payments"].health is Health.UNREACHABLE,
            "the view has noticed",
        )

        await local.restart_server("Payments")
        assert view.state.applications["Payments"].ending == ""
        await wait_for(lambda: _is_well(view), "all is well again")
        await wait_for(lambda: _head(view, "Payments") == 1, "the order is paid after all")
    assert _servers() == {}


async def test_a_server_that_dies_is_told_with_its_last_words_until_it_is_restarted() -> None:
    async with running() as (local, view):
        _servers()["Payments"].send_signal(signal.SIGKILL)
        await wait_for(
            lambda: view.state.applications["Payments"].ending.startswith("by SIGKILL"),
            "it is told",
        )
        await local.restart_server("Payments")
        await wait_for(lambda: _is_well(view), "all is well again")
        assert view.state.applications["Payments"].ending == ""


async def test_a_restart_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as (local, view):
        await local.stop_server("Payments")
        database = tmp_path / "payments.db"
        database.write_text("this is no database, whatever its name says" * 100)
        with pytest.raises(RequestFailed) as caught:
            await local.restart_server("Payments")
        text = str(caught.value)
        assert text.startswith("the server of Payments was not restarted: The server of Payments")
        assert "file is not a database" in text
        assert "\n" not in text
        await wait_for(
            lambda: "with status 2" in view.state.applications["Payments"].ending, "it is told"
        )
        # It can be tried again.
        database.unlink()
        await local.restart_server("Payments")


async def test_one_thing_at_a_time_is_done_with_a_server() -> None:
    async with running() as (local, view):
        restart = asyncio.create_task(local.restart_server("Orders"))
        await asyncio.sleep(0)
        assert view.state.applications["Orders"].ending == "being restarted by you"
        with pytest.raises(RequestFailed, match="being stopped or restarted already"):
            await local.stop_server("Orders")
        await restart
        with pytest.raises(RequestFailed, match="there is no server of Nobody"):
            await local.stop_server("Nobody")


async def test_quitting_while_a_server_restarts_leaves_nothing() -> None:
    async with running() as (local, _):
        before = _servers()["Orders"].pid
        restart = asyncio.create_task(local.restart_server("Orders"))
        await wait_for(
            lambda: _servers().get("Orders", psutil.Process()).pid not in {before, os.getpid()},
            "it is being started",
        )
        restart.cancel()
    assert _servers() == {}


async def test_what_servers_and_this_process_write_is_kept() -> None:
    async with running() as (local, _):
        texts = _texts(local)
        for name in ("Orders", "Reservations", "Payments"):
            assert any(text.startswith(f"{name}: ") and "is serving" in text for text in texts)
        logging.getLogger("some.library").warning("Beware\nof this")
        first, second = local.output.after(local.output.count - 2)
        assert first.application == ""
        assert first.text.endswith("WARNING some.library: Beware")
        assert (second.text, second.level) == ("of this", Level.WARNING)
        doing, lines = local.progress()
        assert doing == "connecting to them …"
        assert lines[-1] == "of this"


async def test_a_system_that_can_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS_MAX_PULL_INTERVAL", "abc")
    with LocalSystem(system) as local:
        async with AsyncExitStack() as stack:
            with pytest.raises(ServerStartError, match="MAX_PULL_INTERVAL='abc'"):
                await local.open(stack)
    assert _servers() == {}


async def test_leaving_while_servers_start_leaves_nothing() -> None:
    with LocalSystem(system) as local:
        async with AsyncExitStack() as stack:
            opening = asyncio.create_task(local.open(stack))
            await wait_for(lambda: len(_servers()) > 0, "one is being started")
            opening.cancel()
    assert _servers() == {}


def test_a_data_dir_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirError, match=r"--data-dir '.*/file/data' can't be made"):
        LocalSystem(system, tmp_path / "file" / "data")
