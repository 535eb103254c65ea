"""Why servers ended, or did not start, in one line each."""

from __future__ import annotations

from eventsourcing_grpc.server_process import ServerProcess


def last_words(process: ServerProcess) -> str:
    """Returns how a server's process ended, with what it wrote last if that may tell why."""
    last = next((line.strip() for line in reversed(process.lines) if line.strip()), "")
    # What it says in the ordinary course of things does not tell why it died.
    if not last or " INFO " in last:
        return process.ending
    return f"{process.ending}, it wrote {last!r}"


def in_one_line(error: Exception) -> str:
    """Returns the first line of an error's text, and the last one where there are more."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    first, *others = lines
    return f"{first.rstrip('.')}: {others[-1]}" if others else first
