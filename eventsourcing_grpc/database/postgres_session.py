"""One connection of a server to PostgreSQL besides those that its recorders use.

It listens to what other processes record, and has the advisory locks of the server's followings. It
asks for an answer each second, so that each side knows of the other: PostgreSQL ends the session of a
server that is silent, and its locks are free.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from math import inf
from time import monotonic

from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresTrackingRecorder
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout

from eventsourcing_grpc.database.database_session import DatabaseSession
from eventsourcing_grpc.database.hindrance import Hindrance
from eventsourcing_grpc.database.postgres_connection import Connection, ImpatientConnection
from eventsourcing_grpc.database.postgres_errors import in_words
from eventsourcing_grpc.database.postgres_lock import PostgresFollowerLock, lock_key
from eventsourcing_grpc.database.postgres_pool import PoolWatch
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.followers.follower_lock import DatabaseProblem, FollowerLock, NoLock

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two questions: whether the session is alive, and whether a lock is free."""
IDLE_SESSION_TIMEOUT = 3.5
"""Seconds of silence after which PostgreSQL ends the session. Longer than ``LEASE``: whoever may still
think that it has a lock has it."""
_PATIENCE = 2.5
"""Seconds without an answer after which something is wrong."""
_STATEMENT_TIMEOUT = 2.0
"""Seconds after which PostgreSQL itself gives a question up. Shorter than ``_PATIENCE``."""
_SETTLING = 0.005
"""Seconds between the look at the log's head and telling it: what this process has recorded itself has
been handed over by then, and many announcements come together."""
_FIRST_DELAY = 0.5
_STOP_TIMEOUT = 1.0
_SOCKET_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 2_500,
}
_MIN_VERSION = 140_000
_BLOCKERS = """
WITH waiting AS (
    SELECT pid, pg_blocking_pids(pid) AS blockers FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND wait_event_type = 'Lock'
)
SELECT blocker FROM waiting, unnest(blockers) AS blocker
WHERE blocker NOT IN (SELECT pid FROM waiting)
UNION SELECT pid FROM pg_locks
WHERE granted AND mode = 'AccessExclusiveLock' AND relation = to_regclass(%s) AND pid <> pg_backend_pid()
ORDER BY 1 LIMIT 3
"""
"""Who keeps this user's sessions waiting, and does not wait for another one, or lets nobody read a
table: https://www.postgresql.org/docs/current/functions-info.html"""
_RELEASED = "released"
_MAX_NAME = 63


class PoolerError(Exception):
    """Raised when another session answers than the one that was asked."""


def postgres_session_of(recorder: ApplicationRecorder, name: str) -> PostgresSession | None:
    """Returns a session with a recorder's database, or None when that is not PostgreSQL.

    :raises EnvironmentVariableError: when the configuration loses events.
    """
    if not isinstance(recorder, PostgresApplicationRecorder):
        return None
    if recorder.datastore.enable_db_functions:
        msg = (
            f"POSTGRES_ENABLE_DB_FUNCTIONS is set for {name}: the functions record neither positions of "
            "followers nor, with several applications in a schema, in the right table. Unset it"
        )
        raise EnvironmentVariableError(msg)
    return PostgresSession(recorder, name)


class PostgresSession(DatabaseSession):
    """Owns a connection, which it replaces when it is lost, and a thread that uses it.

    The connection is not one of the pool, which may be exhausted. It needs a session of its own:
    a pooler between the server and PostgreSQL must not share sessions among clients.
    """

    announces = True

    def __init__(self, recorder: PostgresApplicationRecorder, name: str) -> None:
        """:param name: the application's."""
        self._recorder = recorder
        self._name = name
        self._identity = session_name(name)
        self._pool = PoolWatch(recorder.datastore, name)
        self._locks: list[PostgresFollowerLock] = []
        self._announce: Callable[[int], None] = lambda head: None
        self._doubt: Callable[[], None] = lambda: None
        self._has_listened = False
        self._is_listening = False
        self._problem: DatabaseProblem | None = None
        self._hindrance = Hindrance(name)
        self._is_log_locked = False
        self._has_been_told = False
        self._started_at: float | None = None
        self._heard_at = monotonic()
        self._is_stopping = threading.Event()
        self._waking_end, self._woken_end = socket.socketpair()
        self._waking_end.setblocking(False)
        self._thread = threading.Thread(
            target=self._run, name=f"database-session {name}", daemon=True
        )

    @property
    def is_listening(self) -> bool:
        return self._is_listening and monotonic() - self._heard_at <= _PATIENCE

    def start(
        self, announce: Callable[[int], None], head: int, doubt: Callable[[], None] = lambda: None
    ) -> None:
        self._announce = announce
        self._doubt = doubt
        self._heard_at = monotonic()
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(_STOP_TIMEOUT)
        if not self._thread.is_alive():
            self._waking_end.close()
            self._woken_end.close()
        self._pool.close()

    def lock(self, leader_name: str) -> FollowerLock:
        recorder = self._recorder
        if not isinstance(recorder, PostgresTrackingRecorder):
            return NoLock()
        # What is locked is the one row with the position.
        key = lock_key(recorder.datastore.schema, recorder.tracking_table_name, leader_name)
        lock = PostgresFollowerLock(key, self.problem, self._wake)
        self._locks.append(lock)
        self._wake()
        return lock

    def problem(self) -> DatabaseProblem | None:
        if (problem := self._problem) is not None:
            return problem
        if (problem := self._hindrance.problem()) is not None:
            return problem
        silence = monotonic() - self._heard_at
        if silence <= _PATIENCE:
            return None
        now = datetime.now(UTC)
        return DatabaseProblem(
            text="PostgreSQL does not answer",
            error_class=TimeoutError.__name__,
            attempts=1,
            since=now - timedelta(seconds=silence),
            last_at=now,
            next_try_at=None,
        )

    def in_words(self, error: Exception) -> str:
        return in_words(error)

    def _new_problem(self, text: str, error_class: str, delay: float) -> DatabaseProblem:
        now = datetime.now(UTC)
        previous = self._problem
        return DatabaseProblem(
            text=text,
            error_class=error_class,
            attempts=previous.attempts + 1 if previous else 1,
            since=previous.since if previous else now,
            last_at=now,
            next_try_at=now + timedelta(seconds=delay),
        )

    def _wake(self) -> None:
        # There may be enough of them, or the session has been stopped.
        with suppress(OSError):
            self._waking_end.send(b"\0")

    def _run(self) -> None:
        delay = _FIRST_DELAY
        while not self._is_stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._listen(connection)
                    delay = _FIRST_DELAY
                    self._keep(connection)
            except Exception as e:  # whatever is wrong, it is tried again
                self._note_loss(e, delay)
            finally:
                self._is_listening = False
                for lock in self._locks:
                    lock.lose()
            self._is_stopping.wait(delay)
            delay = min(delay * 2, INTERVAL)

    def _connect(self) -> Connection:
        pool = self._recorder.datastore.pool
        kwargs = pool.kwargs() if callable(pool.kwargs) else dict(pool.kwargs or {})
        if pool.get_password_func:
            kwargs["password"] = pool.get_password_func()
        kwargs.update(
            _SOCKET_OPTIONS,
            application_name=self._identity,
            autocommit=True,
            row_factory=tuple_row,
        )
        conninfo = pool.conninfo() if callable(pool.conninfo) else pool.conninfo
        return ImpatientConnection.connect(conninfo, **kwargs)

    def _listen(self, connection: Connection) -> None:
        if connection.info.server_version >= _MIN_VERSION:
            timeout = int(IDLE_SESSION_TIMEOUT * 1_000)
            connection.execute(SQL("SET idle_session_timeout = {}").format(timeout))
        else:
            logger.warning(
                "%s: PostgreSQL older than 14 can't tell that a server hangs, so that another follows",
                self._name,
            )
        # What waits for a table that others have locked would go on waiting there, lost or not.
        timeout = int(_STATEMENT_TIMEOUT * 1_000)
        connection.execute(SQL("SET statement_timeout = {}").format(timeout))
        connection.execute(SQL("LISTEN {}").format(Identifier(self._recorder.channel_name)))
        self._heard_at = monotonic()
        if self._has_listened:
            self._doubt()
        self._has_listened = True
        if self._has_been_told:
            logger.info("%s: PostgreSQL is back", self._name)
            self._has_been_told = False
        if self._problem is not None:
            self._pool.renew()
            self._problem = None
        self._is_listening = True

    def _keep(self, connection: Connection) -> None:
        """Listens and asks until the session is stopped, or lost."""
        announced: list[str] = []
        connection.add_notify_handler(lambda notify: announced.append(notify.payload))
        # What was recorded before it listened is not announced.
        has_news, head = True, 0
        ask_at, tell_at = monotonic(), inf
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken_end, selectors.EVENT_READ)
            while not self._is_stopping.is_set():
                now = monotonic()
                if ask_at <= now:
                    ask_at = now + INTERVAL
                    self._ask(connection)
                    self._look(connection)
                # What has come with an answer, too.
                _take_announcements(connection, announced)
                if announced:
                    has_news = True
                    ask_at = 0.0 if _RELEASED in announced else ask_at
                    announced.clear()
                if tell_at <= now:
                    tell_at = inf
                    self._announce(head)
                if has_news and tell_at == inf:
                    try:
                        head = self._read_head(connection)
                    except QueryCanceled:
                        # Somebody has the table locked. The session is alive, and asks again.
                        self._heard_at = monotonic()
                        self._is_log_locked = True
                        ask_at = 0.0
                        continue
                    self._is_log_locked = has_news = False
                    tell_at = monotonic() + _SETTLING
                timeout = max(0.0, min(ask_at, tell_at) - monotonic())
                ready = [key.fd for key, _ in selector.select(timeout)]
                if self._woken_end.fileno() in ready:
                    self._woken_end.recv(1_024)
                    ask_at = 0.0
                if connection.fileno() in ready:
                    connection.pgconn.consume_input()
                    _take_announcements(connection, announced)
                    if not announced:
                        # Something else was said, such as that the session is over.
                        ask_at = 0.0
        self._release(connection)

    def _look(self, connection: Connection) -> None:
        """Finds out what keeps the database from being used, though it answers."""
        what, why = self._pool.look()
        if not what and self._is_log_locked:
            what, why = (
                f"The log of {self._name} can't be read",
                "it is locked, or PostgreSQL is slow",
            )
        if not what:
            self._hindrance.note_end()
            return
        table = Identifier(self._recorder.datastore.schema, self._recorder.events_table_name)
        rows = connection.execute(_BLOCKERS, (table.as_string(connection),)).fetchall()
        if rows:
            pids = " and ".join(str(pid) for (pid,) in rows)
            who = (
                f"session {pids} of PostgreSQL has"
                if len(rows) == 1
                else f"sessions {pids} of PostgreSQL have"
            )
            why = f"{who} locked what others wait for: see pg_stat_activity"
        error_class = LockNotAvailable if rows else PoolTimeout
        self._hindrance.note(f"{what}: {why}", error_class.__name__)

    def _release(self, connection: Connection) -> None:
        released = [lock for lock in self._locks if lock.release(connection)]
        if released:
            # Whoever is on standby asks at once.
            channel = self._recorder.channel_name
            connection.execute("SELECT pg_notify(%s, %s)", (channel, _RELEASED))

    def _ask(self, connection: Connection) -> None:
        """Makes sure that the session is alive, and asks for the locks that others have."""
        asked_at = monotonic()
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        if row is None or row[0] != connection.info.backend_pid:
            msg = (
                "a connection pooler shares the sessions of PostgreSQL among its clients: connect "
                "without it, or let it keep sessions"
            )
            raise PoolerError(msg)
        self._heard_at = monotonic()
        for lock in tuple(self._locks):
            lock.ask(connection, asked_at)

    def _read_head(self, connection: Connection) -> int:
        row = connection.execute(self._recorder.max_notification_id_statement).fetchone()
        return int(row[0] or 0) if row is not None else 0

    def _note_loss(self, error: Exception, delay: float) -> None:
        if self._is_stopping.is_set():
            return
        self._hindrance.forget()
        text = str(error) if isinstance(error, PoolerError) else in_words(error)
        previous = self._problem
        self._problem = self._new_problem(text, type(error).__name__, delay)
        if previous is None or previous.text != text:
            self._has_been_told = True
            logger.warning("%s: %s. It is tried again each second", self._name, text)


def session_name(name: str) -> str:
    """Returns what a session is called in ``pg_stat_activity``: "payments-0, process 7: Payments"."""
    process = f", process {os.getpid()}"
    host = socket.gethostname()[: _MAX_NAME - len(process)]
    text = f"{host}{process}: {name}".encode("ascii", "replace").decode()
    return text[:_MAX_NAME]


def _take_announcements(connection: Connection, payloads: list[str]) -> None:
    """Takes the payloads of what has been received, without waiting."""
    while announcement := connection.pgconn.notifies():
        payloads.append(announcement.extra.decode("utf-8", "replace"))
