"""Reads the database's password from a file, which is how Docker and Kubernetes hand out secrets.

Set ``POSTGRES_GET_PASSWORD_TOPIC=eventsourcing_grpc.password_file:postgres_password`` and
``POSTGRES_PASSWORD_FILE``. The core library then asks for the password whenever it connects: it can
be replaced while servers run, and no environment has it.
"""

from __future__ import annotations

import os
from pathlib import Path

from eventsourcing_grpc.environment import (
    POSTGRES_PASSWORD_FILE,
    EnvironmentVariableError,
    postgres_password_file,
)


def postgres_password() -> str:
    """Returns the password in the file that ``POSTGRES_PASSWORD_FILE`` names, without the line's end.

    :raises EnvironmentVariableError: when no file is named, or it can't be read or is empty.
    """
    path = postgres_password_file(os.environ)
    try:
        password = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as e:
        msg = f"{POSTGRES_PASSWORD_FILE}={path!r} can't be read: {e.strerror}"
        raise EnvironmentVariableError(msg) from e
    except UnicodeDecodeError:
        msg = f"{POSTGRES_PASSWORD_FILE}={path!r} is not text in UTF-8"
        # Not "from e", which has the password in it.
        raise EnvironmentVariableError(msg) from None
    if not password:
        msg = f"{POSTGRES_PASSWORD_FILE}={path!r} is empty: write the database's password into it"
        raise EnvironmentVariableError(msg)
    return password
