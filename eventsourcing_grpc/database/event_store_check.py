"""Where an application's events are recorded, and why that can't be used: in words, at the start.

While servers run, ``database_session`` tells what becomes of the database.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import InfrastructureFactory, OperationalError
from eventsourcing.popo import POPOFactory
from eventsourcing.utils import Environment

from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    from eventsourcing.postgres import PostgresFactory

_CONNECT_TIMEOUT = 5


class DatabaseUnavailableError(UserError, OperationalError):
    """Raised when an application can't be constructed because its database can't be used."""


def check_event_store(env: Environment) -> str:
    """Returns in words where events would be recorded. Connects to nothing, and makes no file.

    :param env: of the application.
    :raises EnvironmentVariableError: when a value is missing or can't be used.
    """
    with closing(_factory(env)) as factory:
        if isinstance(factory, POPOFactory):
            return "in memory, to be gone with the process"
        if (postgres := _as_postgres(factory)) is not None:
            if postgres.datastore.pool.get_password_func:
                postgres.datastore.pool.get_password_func()
            host, port = env.get("POSTGRES_HOST"), env.get("POSTGRES_PORT") or 5432
            return f"in PostgreSQL's database {env.get('POSTGRES_DBNAME')} on {host}:{port}"
        if env.get("PERSISTENCE_MODULE") == "eventsourcing.sqlite":
            return _check_sqlite(env.get("SQLITE_DBNAME") or "")
        return f"with {env.get('PERSISTENCE_MODULE')}"


def why_unavailable(env: Environment) -> str:
    """Connects to PostgreSQL, to find out why an application can't. Waits for 5 s at most.

    :returns: an empty string when that is another database, or nothing is wrong.
    """
    try:
        factory = _factory(env)
    except UserError as e:
        return str(e)
    with closing(factory):
        postgres = _as_postgres(factory)
        return "" if postgres is None else _why_no_connection(postgres)


def _why_no_connection(factory: PostgresFactory) -> str:
    import psycopg

    from eventsourcing_grpc.database.postgres_errors import in_words

    pool = factory.datastore.pool
    arguments: dict[str, Any] = dict(pool.kwargs) if isinstance(pool.kwargs, dict) else {}
    arguments["connect_timeout"] = _CONNECT_TIMEOUT
    try:
        if pool.get_password_func:
            arguments["password"] = pool.get_password_func()
        psycopg.connect(str(pool.conninfo), **arguments).close()
    except UserError as e:
        return str(e)
    except psycopg.Error as e:
        return in_words(e)
    return ""


def _factory(env: Environment) -> InfrastructureFactory[Any]:
    try:
        return InfrastructureFactory.construct(env)
    except Exception as e:  # whatever a persistence module raises, it is what is configured
        msg = f"Events can't be recorded as it is configured: {e}"
        raise EnvironmentVariableError(msg) from e


def _as_postgres(factory: InfrastructureFactory[Any]) -> PostgresFactory | None:
    """Returns a factory if it is PostgreSQL's, without loading what few servers need."""
    if "eventsourcing.postgres" not in sys.modules:
        return None
    from eventsourcing.postgres import PostgresFactory

    return factory if isinstance(factory, PostgresFactory) else None


def _check_sqlite(name: str) -> str:
    if ":memory:" in name or "mode=memory" in name:
        return "in SQLite's memory, to be gone with the process"
    if not name.startswith("file:"):
        folder = Path(name).absolute().parent
        if not folder.is_dir():
            msg = f"SQLITE_DBNAME={name!r} is in a folder that is not there: make {str(folder)!r}"
            raise EnvironmentVariableError(msg)
    return f"in SQLite's file {name}"
