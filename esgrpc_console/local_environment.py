"""Where the servers that this process starts keep their events, and what they may write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from eventsourcing_grpc.environment import variable_name
from eventsourcing_grpc.user_errors import UserError

_VERBOSITY = "GRPC_VERBOSITY"


class DataDirError(UserError):
    """Raised when a directory can't hold databases. The message names it and says why."""


def local_environment(names: Sequence[str], data_dir: Path | None) -> dict[str, str]:
    """Returns environment variables for the servers of some applications.

    :param data_dir: where each application has its SQLite database. None: as the environment says,
        by default in memory.
    :raises DataDirError: when the directory can't be made or written in.
    """
    # This program itself is quiet. What is amiss with its servers is to be in their output.
    chosen = os.environ.get(_VERBOSITY, "NONE")
    env = {_VERBOSITY: "ERROR" if chosen == "NONE" else chosen}
    if data_dir is not None:
        _prepare(data_dir)
        for name in names:
            env[variable_name(name, "PERSISTENCE_MODULE")] = "eventsourcing.sqlite"
            path = data_dir.absolute() / f"{name.lower()}.db"
            env[variable_name(name, "SQLITE_DBNAME")] = str(path)
    return env


def _prepare(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        msg = f"--data-dir {str(data_dir)!r} can't be made: {e.strerror}"
        raise DataDirError(msg) from e
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        msg = f"--data-dir {str(data_dir)!r} can't be written in"
        raise DataDirError(msg)
