"""How a command ends: its exit status, and the error that says why. Nothing is imported for it."""

from __future__ import annotations

SUCCESS = 0
NO = 1
"""The answer is "no": unhealthy, not found, refused, raised, not within the time."""
FAILURE = 2
"""The command could not be understood, or there is no connection."""
INTERRUPTED = 130


class CommandFailed(Exception):
    """Ends a command with an exit status. The text is for the person: a line, or several."""

    def __init__(self, message: str, *, status: int = FAILURE) -> None:
        super().__init__(message)
        self.status = status
