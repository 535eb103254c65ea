"""Servers that restart, freeze, are stopped or can't write, and clients that disappear."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from uuid import UUID

import grpc
import pytest

from eventsourcing_grpc.application_client import (
    DeadlineExceeded,
    GrpcApplicationClient,
    GrpcError,
    ServiceUnavailable,
)
from eventsourcing_grpc.server_process import ServerProcess
from tests.applications import CrampedNotebook, Notebook
from tests.serving import (
    ClientOf,
    InBackground,
    Serve,
    Spawn,
    free_address,
    sqlite_env,
    status_of,
)
from tests.waiting import DEADLINE, wait_until

PROJECT = Path(__file__).parents[2]


@contextmanager
def frozen(process: ServerProcess) -> Iterator[None]:
    """Lets a server do nothing at all, for a while."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_calls_go_through_again_after_a_server_was_killed(
    spawn: Spawn, client_of: ClientOf, tmp_path: Path
) -> None:
    address, env = free_address(), sqlite_env(tmp_path / "notes.db")
    process = spawn(Notebook, address=address, **env)
    client = client_of(Notebook, process)
    before = client.app.add_note("before")
    os.kill(process.pid, signal.SIGKILL)
    assert process.has_stopped.wait(DEADLINE)
    assert process.has_errored.is_set()
    # Sent when there is no server, and executed when there is one again.
    adding = InBackground(lambda: client.app.add_note("meanwhile"))
    spawn(Notebook, address=address, **env)
    serving_at = monotonic()
    meanwhile = adding.result()
    # The figure to reach is 1 s. Machines that run tests are busy with other things too.
    assert monotonic() - serving_at < 5
    assert client.app.get_text(before) == "before"
    assert client.app.get_text(meanwhile) == "meanwhile"
    assert [n.originator_id for n in client.get_notifications(1, 10)] == [before, meanwhile]


def test_command_in_progress_is_not_sent_again_to_the_next_server(
    spawn: Spawn, client_of: ClientOf
) -> None:
    address = free_address()
    process = spawn(Notebook, address=address)
    client = client_of(Notebook, process)
    commanding = InBackground(client.app.wait_in_command)
    assert client.app.await_waiting()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ServiceUnavailable) as caught:
        commanding.result()
    assert "not known" in caught.value.__notes__[0]
    spawn(Notebook, address=address)
    assert client.app.count_executions("wait_in_command") == 0


def test_subscription_goes_on_after_a_server_was_killed(
    spawn: Spawn, client_of: ClientOf, tmp_path: Path
) -> None:
    address, env = free_address(), sqlite_env(tmp_path / "notes.db")
    process = spawn(Notebook, address=address, **env)
    client = client_of(Notebook, process)
    client.app.add_notes(3)
    subscription = client.subscribe()
    assert [next(subscription).id for _ in range(3)] == [1, 2, 3]
    waiting = InBackground(lambda: [next(subscription).id for _ in range(4)])
    os.kill(process.pid, signal.SIGKILL)
    assert process.has_stopped.wait(DEADLINE)
    spawn(Notebook, address=address, **env)
    client.app.add_notes(4)
    assert waiting.result() == [4, 5, 6, 7]


def add_each_once(
    client: GrpcApplicationClient[Notebook], texts: Iterable[str], unknown: list[str]
) -> list[str]:
    """Returns the texts whose notes were acknowledged."""
    acknowledged = []
    for text in texts:
        try:
            client.app.add_note(text)
        except ServiceUnavailable as e:
            if hasattr(e, "__notes__"):
                unknown.append(text)
        else:
            acknowledged.append(text)
    return acknowledged


def test_commands_are_executed_once_at_most_while_a_server_restarts(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    unknown: list[str] = []
    is_enough = threading.Event()

    def texts(name: str) -> Iterator[str]:
        for number in count():
            if is_enough.is_set():
                return
            yield f"{name}{number}"

    callers = [
        InBackground(partial(add_each_once, client_of(Notebook, server), texts(name), unknown))
        for name in "abcd"
    ]

    def has_grown(since: int) -> bool:
        return status_of(server).head > since + 50

    for _ in range(5):
        wait_until(partial(has_grown, status_of(server).head))
        server.stop(wait=True)
        server.start()
    is_enough.set()
    acknowledged = [text for caller in callers for text in caller.result()]
    client = client_of(Notebook, server)
    recorded = [
        client.app.get_text(notification.originator_id)
        for notification in client.get_notifications(1, 10**6)
        if isinstance(notification.originator_id, UUID)
    ]
    assert len(recorded) == len(set(recorded))
    assert set(acknowledged) <= set(recorded) <= {*acknowledged, *unknown}
    assert len(acknowledged) > 200


def test_frozen_server_is_noticed_and_used_again(spawn: Spawn, client_of: ClientOf) -> None:
    process = spawn(Notebook)
    client = client_of(Notebook, process)
    client.app.add_note("x")
    subscription = client.subscribe()
    assert next(subscription).id == 1
    waiting = InBackground(subscription.__next__)
    with frozen(process):
        started = monotonic()
        with pytest.raises(ServiceUnavailable) as caught:
            client.app.extend_note(UUID(int=0), "never")
        # The figure to reach is 5 s, long before the 30 s that calls may take.
        assert monotonic() - started < 10
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        with pytest.raises((ServiceUnavailable, DeadlineExceeded)):
            client.ping()
    client.app.add_note("y")
    assert waiting.result().id == 2


def test_client_that_disappears_is_forgotten(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    app = client_of(Notebook, server).app
    app.add_note("x")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.subscriber", server.address],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    ) as subscriber:
        assert subscriber.stdout is not None
        assert subscriber.stdout.readline() == "1\n"
        watchers = status_of(server).subscribers - 1
        app.add_notes(5_000, "in mid-stream" * 100)
        subscriber.kill()
        subscriber.stdout.read()
    wait_until(lambda: status_of(server).subscribers == watchers)
    assert watchers <= 1
    assert app.get_name() == "Notebook"


def add_until_refused(client: GrpcApplicationClient[Notebook], acknowledged: list[UUID]) -> None:
    while True:
        try:
            acknowledged.append(client.app.add_note("acknowledged"))
        except GrpcError:
            return


def test_what_was_acknowledged_before_sigterm_is_recorded(
    spawn: Spawn, client_of: ClientOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventsourcing_grpc.application_client.UNAVAILABLE_TIMEOUT", 0.5)
    env = sqlite_env(tmp_path / "notes.db")
    process = spawn(Notebook, **env)
    acknowledged: list[UUID] = []
    callers = [
        InBackground(partial(add_until_refused, client_of(Notebook, process), acknowledged))
        for _ in range(8)
    ]
    wait_until(lambda: len(acknowledged) >= 100)
    os.kill(process.pid, signal.SIGTERM)
    assert process.has_stopped.wait(DEADLINE)
    for caller in callers:
        caller.result()
    with Notebook(env) as notebook:
        recorded = {n.originator_id for n in notebook.recorder.select_notifications(1, 10**6)}
    assert len(acknowledged) == len(set(acknowledged))
    assert set(acknowledged) <= recorded
    # Each of the callers may have had one call whose answer did not come.
    assert len(recorded) <= len(acknowledged) + len(callers)


def test_full_disk_is_told_and_nothing_is_lost(
    spawn: Spawn, client_of: ClientOf, tmp_path: Path
) -> None:
    process = spawn(CrampedNotebook, **sqlite_env(tmp_path / "notes.db"))
    client = client_of(CrampedNotebook, process)
    acknowledged = [client.app.add_note("before")]
    client.app.set_room(256 * 1024)

    def fill_disk() -> None:
        while True:
            acknowledged.append(client.app.add_note("x" * 500))

    with pytest.raises(GrpcError, match=r"full|disk I/O") as caught:
        fill_disk()
    assert caught.value.code is grpc.StatusCode.UNKNOWN
    assert len(acknowledged) > 1
    # What is there can be read.
    assert [n.originator_id for n in client.get_notifications(1, 10**6)] == acknowledged
    assert client.app.get_text(acknowledged[0]) == "before"
    client.ping()
    # And when there is room again, more can be recorded.
    client.app.set_room(-1)
    acknowledged.append(client.app.add_note("after"))
    assert [n.originator_id for n in client.get_notifications(1, 10**6)] == acknowledged


def test_read_only_database_can_be_read(serve: Serve, client_of: ClientOf, tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with Notebook(sqlite_env(path)) as notebook:
        note_id = notebook.add_note("kept")
    read_only = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": f"file:{path}?mode=ro",
        "CREATE_TABLE": "n",
    }
    client = client_of(Notebook, serve(Notebook, **read_only))
    assert client.app.get_text(note_id) == "kept"
    with pytest.raises(GrpcError, match="readonly") as caught:
        client.app.add_note("never")
    assert caught.value.code is grpc.StatusCode.UNKNOWN
    assert [n.originator_id for n in client.get_notifications(1, 10)] == [note_id]
    assert next(client.subscribe()).originator_id == note_id


def test_database_that_can_not_be_opened_keeps_a_server_from_starting(
    serve: Serve, tmp_path: Path
) -> None:
    with pytest.raises(Exception, match="unable to open database file"):
        serve(Notebook, **sqlite_env(tmp_path / "nowhere" / "notes.db"))


def test_file_that_is_no_database_keeps_a_server_from_starting(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(Exception, match="not a database"):
        serve(Notebook, **sqlite_env(path))


def test_locked_database_delays_calls_and_loses_nothing(
    serve: Serve, client_of: ClientOf, tmp_path: Path
) -> None:
    path = tmp_path / "notes.db"
    client = client_of(Notebook, serve(Notebook, **sqlite_env(path)))
    client.app.add_note("before")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    adding = InBackground(lambda: client.app.add_note("delayed"))
    assert len(client.get_notifications(1, 10)) == 1
    assert adding.is_running
    other.execute("COMMIT")
    other.close()
    assert client.app.get_text(adding.result()) == "delayed"
