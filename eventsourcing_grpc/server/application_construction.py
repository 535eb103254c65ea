"""Constructs the application that a server serves, also while others construct theirs."""

from __future__ import annotations

import logging
import random
import threading
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import (
    IntegrityError,
    InternalError,
    PersistenceError,
    ProgrammingError,
)
from eventsourcing.system import Leader
from eventsourcing.utils import EnvType

from eventsourcing_grpc.database.event_store_check import DatabaseUnavailableError, why_unavailable
from eventsourcing_grpc.environment import application_environment

logger = logging.getLogger(__name__)

_ATTEMPTS = 8
_MAX_DELAY = 0.3


def construct_application(app_class: type[Application[Any]], env: EnvType) -> Application[Any]:
    """Returns an application that tells what it records.

    :raises DatabaseUnavailableError: when PostgreSQL can't be used, and says why.
    :raises Exception: what the application's constructor raises.
    """
    leader_class = _leader_class(app_class)
    attempt = 1
    while True:
        try:
            return _construct(leader_class, env)
        except (IntegrityError, InternalError, ProgrammingError) as e:
            # Servers that start together in a new PostgreSQL database get in each other's way:
            # "CREATE ... IF NOT EXISTS" and "CREATE OR REPLACE" are not safe at the same time.
            if attempt == _ATTEMPTS:
                raise
            logger.debug("%s can't be constructed at attempt %d: %s", app_class.name, attempt, e)
        except PersistenceError as e:
            # It has waited for a connection, and does not know what for.
            if why := why_unavailable(application_environment(app_class, env)):
                msg = f"{app_class.name} can't use its database: {why}"
                raise DatabaseUnavailableError(msg) from e
            raise
        attempt += 1
        threading.Event().wait(random.uniform(0.0, _MAX_DELAY))


def _construct(app_class: type[Application[Any]], env: EnvType) -> Application[Any]:
    """Returns an application. One that can't be constructed leaves neither connections nor threads."""
    application = app_class.__new__(app_class)
    try:
        application.__init__(env=env)  # type: ignore[misc]  # As its class does it.
    except BaseException:
        if hasattr(application, "factory"):
            # Else that is left to the garbage collector, which may do it in a thread of the pool.
            application.close()
        raise
    return application


def _leader_class(app_class: type[Application[Any]]) -> type[Application[Any]]:
    """Returns a class whose applications tell what they record, as ``System.leader_cls`` does."""
    if issubclass(app_class, Leader):
        return app_class
    return type(app_class.name, (Leader, app_class), {})
