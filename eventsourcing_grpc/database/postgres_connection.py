"""A connection with PostgreSQL that gives up waiting for an answer."""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

ANSWER_TIMEOUT = 3.0
"""Seconds to wait for an answer. TCP may wait for as long as something between the ends pretends to
have received what was sent."""
_INTERVAL = 0.5

Result = TypeVar("Result")

Connection = psycopg.Connection[tuple[Any, ...]]


class ImpatientConnection(Connection):
    """Raises ``OperationalError`` when PostgreSQL has not answered in time. It can't be used then."""

    def wait(
        self, gen: PQGen[Result], interval: float = _INTERVAL, timeout: float | None = None
    ) -> Result:
        return super().wait(_limited(gen), _INTERVAL)


def _limited(steps: PQGen[Result]) -> PQGen[Result]:
    """Ends a wait when the time is over. psycopg asks at intervals, when there is nothing to read."""
    end = monotonic() + ANSWER_TIMEOUT
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and monotonic() > end:
                msg = "timeout expired"
                raise psycopg.OperationalError(msg)
            wanted = steps.send(ready)
    except StopIteration as e:
        result: Result = e.value
        return result
