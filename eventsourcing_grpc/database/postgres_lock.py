"""The advisory lock of one following, as one session with PostgreSQL has it, or waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import blake2b
from math import inf
from time import monotonic

from eventsourcing_grpc.database.postgres_connection import Connection
from eventsourcing_grpc.followers.follower_lock import DatabaseProblem, FollowerLock

LEASE = 3.0
"""Seconds for which an answer of PostgreSQL proves that the session has its locks."""

_HOLDER = (
    "SELECT activity.application_name FROM pg_locks AS lock "
    "LEFT JOIN pg_stat_activity AS activity USING (pid) "
    "WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 "
    "AND lock.classid = %s::bigint::oid AND lock.objid = %s::bigint::oid "
    "AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def lock_key(schema: str, tracking_table: str, leader_name: str) -> int:
    """Returns the number that stands for a following in a database, in every process."""
    text = f"eventsourcing_grpc\0following\0{schema}\0{tracking_table}\0{leader_name}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class PostgresFollowerLock(FollowerLock):
    """Is asked for by the thread of its session, once a second, until it is given.

    That it is held is believed for three seconds after PostgreSQL was asked last, and answered: a
    process that was frozen, or can't reach PostgreSQL, does not hold it.
    """

    def __init__(
        self,
        key: int,
        problem: Callable[[], DatabaseProblem | None],
        wake: Callable[[], None],
    ) -> None:
        """:param problem: returns what is wrong with the session.
        :param wake: lets the session ask at once.
        """
        self._key = key
        self._find_problem = problem
        self._wake = wake
        self._is_wanted = True
        self._is_given = False
        self._held_until = -inf
        self._is_taken = False
        self._holder = ""
        # A lock that is declined must not be given at the same moment.
        self._lock = threading.Lock()

    def is_held(self) -> bool:
        return monotonic() < self._held_until

    def is_taken(self) -> bool:
        return self._is_taken

    @property
    def holder(self) -> str:
        return self._holder

    def want(self) -> None:
        with self._lock:
            if self._is_wanted:
                return
            self._is_wanted = True
        self._wake()

    def decline(self) -> None:
        with self._lock:
            if not self._is_given:
                self._is_wanted = False

    def problem(self) -> DatabaseProblem | None:
        return self._find_problem()

    # For the thread of the session.

    def ask(self, connection: Connection, asked_at: float) -> None:
        """Asks for the lock, if it isn't held.

        :param asked_at: when PostgreSQL was asked last that has answered, of the monotonic clock.
        """
        before = self._is_given, self._is_taken
        if self._is_given:
            self._held_until = asked_at + LEASE
        elif not (self._is_wanted and self._try(connection)):
            self._find_holder(connection)
        if before != (self._is_given, self._is_taken):
            self._tell()

    def lose(self) -> None:
        """Notes that the session is over."""
        is_other = self._is_given or self._is_taken
        with self._lock:
            self._is_given = False
        self._held_until = -inf
        self._is_taken = False
        self._holder = ""
        if is_other:
            self._tell()

    def release(self, connection: Connection) -> bool:
        """Gives the lock back. Returns whether it was held."""
        if not self._is_given:
            return False
        self._held_until = -inf
        connection.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
        return True

    def _try(self, connection: Connection) -> bool:
        asked_at = monotonic()
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        if row is None or not row[0]:
            return False
        with self._lock:
            self._is_given = self._is_wanted
        if not self._is_given:
            connection.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
            return False
        self._held_until = asked_at + LEASE
        self._is_taken = False
        self._holder = ""
        return True

    def _find_holder(self, connection: Connection) -> None:
        number = self._key % 2**64
        row = connection.execute(_HOLDER, (number >> 32, number % 2**32)).fetchone()
        self._is_taken = row is not None
        self._holder = (row[0] or "").rpartition(": ")[0] if row is not None else ""

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()
