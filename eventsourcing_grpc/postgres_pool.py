"""Keeps the core library's pool of connections usable: through restarts of PostgreSQL, and networks
that lose what is sent. Tells when nobody gets a connection any more.
"""

from __future__ import annotations

from time import monotonic

from eventsourcing.postgres import PostgresDatastore

SOCKET_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 6_000,
}
"""What libpq is told where the configuration says nothing else: a connection whose other end does not
answer for 6 s is given up. Otherwise that takes a quarter of an hour."""
_RECONNECT_TIMEOUT = 1.0
"""Seconds. By itself, the pool would wait for the next attempt for as long as the last took."""
_STARVATION = 2.0
"""Seconds for which nobody has got a connection, though somebody waits for one."""
_CLOSE_TIMEOUT = 0.5


class PoolWatch:
    """Looks after the pool of one datastore. Belongs to one thread, other than :meth:`words`."""

    def __init__(self, datastore: PostgresDatastore, name: str) -> None:
        """:param name: the application's."""
        self._pool = datastore.pool
        self._name = name
        self._served = 0
        self._starving_since: float | None = None
        self._words = ""
        self._pool.reconnect_timeout = _RECONNECT_TIMEOUT
        kwargs = self._pool.kwargs
        if isinstance(kwargs, dict) and not str(kwargs.get("host", "")).startswith(("/", "@")):
            self._pool.kwargs = {**SOCKET_OPTIONS, **kwargs}
            # Those that are open have been opened without.
            self._pool.drain()

    def words(self) -> str:
        """Says why nobody gets a connection. Empty: they do, as far as is known."""
        return self._words

    def look(self) -> None:
        """Finds out whether connections come free. Call it once a second."""
        told = self._pool.get_stats()
        waiting = told.get("requests_waiting", 0)
        served = told.get("requests_num", 0) - told.get("requests_errors", 0) - waiting
        now = monotonic()
        if not waiting or served != self._served:
            self._served = served
            self._starving_since = None
        elif self._starving_since is None:
            self._starving_since = now
        if self._starving_since is None:
            self._words = ""
            return
        # Lets it grow, which it does only when somebody comes.
        self._pool.check()
        if now - self._starving_since < _STARVATION:
            return
        size, most = told["pool_size"], told["pool_max"]
        if size < most:
            self._words = f"{self._name} gets no connections from PostgreSQL: {_FEW}"
        else:
            which = f"All {size} connections" if size > 1 else "The only connection"
            are = "are" if size > 1 else "is"
            self._words = f"{which} of {self._name} to PostgreSQL {are} in use: {_MORE}"

    def renew(self) -> None:
        """Replaces all connections: PostgreSQL may have been restarted."""
        self._pool.drain()
        self._pool.check()

    def close(self) -> None:
        """Lets nobody wait for a connection any longer. Those in use are closed after use."""
        self._pool.close(_CLOSE_TIMEOUT)


_FEW = "it may have reached its max_connections"
_MORE = "something keeps them, or POSTGRES_POOL_SIZE and POSTGRES_MAX_OVERFLOW are too low"
