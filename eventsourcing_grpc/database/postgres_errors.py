"""Says in words what PostgreSQL reports: for people who have neither its log nor its manual at hand.

Nothing that it says itself is repeated: it may name hosts, databases and users.
"""

from __future__ import annotations

from psycopg import Error, OperationalError
from psycopg_pool import PoolTimeout, TooManyRequests

_STARTING = "PostgreSQL is starting or stopping"
_FULL = "PostgreSQL has no connections left (its max_connections)"
_DENIED = "PostgreSQL does not accept the user or the password"
_UNREACHABLE = "PostgreSQL can't be reached"
_ENDED = "PostgreSQL has ended the connection"

_BY_STATE = {
    "08000": _UNREACHABLE,
    "08001": _UNREACHABLE,
    "08003": _ENDED,
    "08006": _ENDED,
    "25006": "PostgreSQL allows reading only",
    "28000": _DENIED,
    "28P01": _DENIED,
    "3D000": "PostgreSQL has no such database",
    "3F000": "the database has no such schema",
    "42501": "PostgreSQL does not permit it to this user",
    "42P01": "a table of the application is missing",
    "53100": "the disk of PostgreSQL is full",
    "53300": _FULL,
    "55P03": "a table is locked by others",
    "57014": "PostgreSQL has cancelled the statement",
    "57P01": _ENDED,
    "57P02": "PostgreSQL has crashed, and starts again",
    "57P03": _STARTING,
    "57P05": "PostgreSQL has ended the connection, for it had heard nothing of this server",
}
# A failure to connect has no state, only a text. The first that fits tells.
_BY_TEXT = (
    ("the database system is", _STARTING),
    ("too many clients", _FULL),
    ("remaining connection slots", _FULL),
    ("too many connections", _FULL),
    ("authentication failed", _DENIED),
    ("no password supplied", _DENIED),
    ("no pg_hba.conf entry", "PostgreSQL does not let this host in (its pg_hba.conf)"),
    ("refused", f"{_UNREACHABLE} (connection refused)"),
    ("timeout expired", f"{_UNREACHABLE} (no answer in time)"),
    ("timed out", f"{_UNREACHABLE} (no answer in time)"),
    ("no route", f"{_UNREACHABLE} (no route to it)"),
    ("unreachable", f"{_UNREACHABLE} (no route to it)"),
    ("no such file", f"{_UNREACHABLE} (its socket is not there)"),
    ("resolve host", f"{_UNREACHABLE} (its host name can't be resolved)"),
    ("translate host name", f"{_UNREACHABLE} (its host name can't be resolved)"),
    ("name resolution", f"{_UNREACHABLE} (its host name can't be resolved)"),
    ("certificate", f"{_UNREACHABLE} (the certificate is not accepted)"),
    ("ssl", f"{_UNREACHABLE} (TLS fails)"),
    ("role", _DENIED),
    ("does not exist", "PostgreSQL has no such database"),
    ("closed", _ENDED),
    ("lost", _ENDED),
)


def in_words(error: BaseException) -> str:
    """Says what an error means, which psycopg, or a recorder because of it, has raised."""
    cause = error if isinstance(error, Error) else error.__cause__
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return "no connection to PostgreSQL has come free in time"
    if not isinstance(cause, Error):
        return f"{type(error).__name__}: {error}"
    state = cause.sqlstate or ""
    if state in _BY_STATE:
        return _BY_STATE[state]
    if state or not isinstance(cause, OperationalError):
        return f"PostgreSQL reports {type(cause).__name__}"
    text = str(cause).lower()
    return next((words for part, words in _BY_TEXT if part in text), _UNREACHABLE)
