"""Keeps the core library's pool of connections usable: through restarts of PostgreSQL, and networks
that lose what is sent. Tells when nobody gets a connection any more.
"""

from __future__ import annotations

from typing import Any, Self

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

SOCKET_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 6_000,
}
"""What libpq is told where the configuration says nothing else: a connection whose other end does not
answer for 6 s is given up. Otherwise that takes a quarter of an hour."""
_SERVER_SETTINGS = (
    b"SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 2; "
    b"SET tcp_user_timeout = 6000"
)
"""What PostgreSQL is told for the same reason. A host that is lost while it records may leave a table
locked: by itself, PostgreSQL would wait for the rest for two hours, and everybody else for that."""
_RECONNECT_TIMEOUT = 1.0
"""Seconds. By itself, the pool would wait for the next attempt for as long as the last took."""
_PATIENCE = 0.5
"""Seconds in which a connection comes free, usually."""
_FAILURES = 2
"""How often none has come free, and none has been given back in between, when something is wrong."""
_CLOSE_TIMEOUT = 0.5
_FEW = "it may have reached its max_connections"
_MORE = "something keeps them, or POSTGRES_POOL_SIZE and POSTGRES_MAX_OVERFLOW are too low"


class WatchedConnection(psycopg.Connection[Any]):
    """A connection of which PostgreSQL notices within 6 s, too, that its other end is gone."""

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        connection = super().connect(conninfo, **{**kwargs, "autocommit": True})
        try:
            connection.execute(_SERVER_SETTINGS)
            connection.autocommit = bool(kwargs.get("autocommit"))
        except BaseException:
            connection.close()
            raise
        return connection


class PoolWatch:
    """Looks after the pool of one datastore. Belongs to one thread."""

    def __init__(self, datastore: PostgresDatastore, name: str) -> None:
        """:param name: the application's."""
        self._pool = datastore.pool
        self._name = name
        self._usage = 0
        self._failures = 0
        self._pool.reconnect_timeout = _RECONNECT_TIMEOUT
        kwargs = self._pool.kwargs
        if isinstance(kwargs, dict) and not str(kwargs.get("host", "")).startswith(("/", "@")):
            self._pool.kwargs = {**SOCKET_OPTIONS, **kwargs}
            self._pool.connection_class = WatchedConnection
            # Those that are open have been opened without.
            self._pool.drain()

    def look(self) -> tuple[str, str]:
        """Finds out whether connections come free, which takes 0.5 s at most. Call it once a second.

        :returns: that nobody gets one, and why that may be. Empty: they do, as far as is known.
        """
        told = self._pool.get_stats()
        usage = told.get("usage_ms", 0)
        if told["pool_available"] or self._can_connect() or usage != self._usage:
            self._failures = 0
        else:
            self._failures += 1
        self._usage = usage
        if self._failures < _FAILURES:
            return "", ""
        return self._describe(told["pool_size"], told["pool_max"])

    def _can_connect(self) -> bool:
        # Who asks lets the pool grow, too.
        try:
            with self._pool.connection(_PATIENCE):
                return True
        except (PoolTimeout, TooManyRequests):
            return False
        except PoolClosed:
            return True

    def _describe(self, size: int, most: int) -> tuple[str, str]:
        if size < most:
            return f"{self._name} gets no connections from PostgreSQL", _FEW
        if size == 1:
            return f"The only connection of {self._name} to PostgreSQL is in use", _MORE
        return f"All {size} connections of {self._name} to PostgreSQL are in use", _MORE

    def renew(self) -> None:
        """Replaces all connections: PostgreSQL may have been restarted."""
        self._pool.drain()
        self._pool.check()

    def close(self) -> None:
        """Lets nobody wait for a connection any longer. Those in use are closed after use."""
        self._pool.close(_CLOSE_TIMEOUT)
