"""What keeps a database from being used though it answers: since when, and told in the log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from eventsourcing_grpc.followers.follower_lock import DatabaseProblem

logger = logging.getLogger(__name__)


class Hindrance:
    """Is noted by one thread, again and again. Any thread may ask for it."""

    def __init__(self, name: str) -> None:
        """:param name: the application's."""
        self._name = name
        self._problem: DatabaseProblem | None = None

    def problem(self) -> DatabaseProblem | None:
        """Returns what is wrong. None: nothing, as far as is known."""
        return self._problem

    def note(self, text: str, error_class: str) -> None:
        """Notes what is found to be wrong, in words, with neither an address nor a secret.

        :param error_class: what those who wait may get raised.
        """
        now, previous = datetime.now(UTC), self._problem
        self._problem = DatabaseProblem(
            text=text,
            error_class=error_class,
            attempts=previous.attempts + 1 if previous else 1,
            since=previous.since if previous else now,
            last_at=now,
            next_try_at=None,
        )
        if previous is None or previous.text != text:
            logger.warning("%s: %s", self._name, text)

    def note_end(self) -> None:
        """Notes that nothing is wrong."""
        if self._problem is not None:
            self._problem = None
            logger.info("%s: PostgreSQL can be used again", self._name)

    def forget(self) -> None:
        """Is called when something else is wrong, which is told instead."""
        self._problem = None
