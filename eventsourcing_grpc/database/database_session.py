"""What a server wants of its database besides what the core library's recorders do: to be told
what other processes record, and to be the only one that follows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.popo import POPOApplicationRecorder

from eventsourcing_grpc.followers.follower_lock import DatabaseProblem, FollowerLock, NoLock


class DatabaseSession:
    """A session that does nothing of it, for what is in this process's memory."""

    announces = False
    """Whether it tells what other processes record."""

    @property
    def is_listening(self) -> bool:
        """Whether what others record is being announced just now."""
        return False

    def start(
        self, announce: Callable[[int], None], head: int, doubt: Callable[[], None] = lambda: None
    ) -> None:
        """Begins to listen.

        :param announce: is told the log's greatest ID when something has been recorded, by
            another thread.
        :param head: up to where the log is known.
        :param doubt: is called when the database has been away, and may be another one.
        """

    def stop(self) -> None:
        """Ends the session, and gives up all locks. Nobody waits for the database any longer."""

    def lock(self, leader_name: str) -> FollowerLock:
        """Returns the lock for following a leader."""
        return NoLock()

    def problem(self) -> DatabaseProblem | None:
        """Returns why the database can't be used just now, if that is known."""
        return None

    def in_words(self, error: Exception) -> str:
        """Says what an error of a recorder means."""
        return f"{type(error).__name__}: {error}"


def session_of(recorder: ApplicationRecorder, name: str) -> DatabaseSession:
    """Returns a session with the database that a recorder uses. It is not started.

    :param name: the application's.
    :raises EnvironmentVariableError: when the database is configured in a way that loses events.
    """
    if isinstance(recorder, POPOApplicationRecorder):
        # What is in this process's memory is recorded by this process.
        return DatabaseSession()
    if "eventsourcing.postgres" in sys.modules:
        # It needs packages that are not there where PostgreSQL isn't used.
        from eventsourcing_grpc.database.postgres_session import postgres_session_of

        if (session := postgres_session_of(recorder, name)) is not None:
            return session
    from eventsourcing_grpc.database.recorder_session import RecorderSession

    return RecorderSession(recorder, name)
