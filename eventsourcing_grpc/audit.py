"""One line of the log for each request that changes how a system runs: who, what, why, what came of it.

The lines are those of the logger ``eventsourcing_grpc.audit``, so that they can be kept apart.
They never hold what events or aggregates say.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing_grpc.errors import GrpcError
from eventsourcing_grpc.peer_identity import PeerIdentity

logger = logging.getLogger(__name__)

_MAX_LENGTH = 1_000


class AuditEntry:
    """What a request is about. It is filled in while the request is carried out."""

    def __init__(self, who: PeerIdentity, what: str, target: str, reason: str) -> None:
        """:param what: the method, such as ``SkipEvent``.
        :param target: what it is done to, such as ``Payments <- Orders #8013``.
        :param reason: what was given as the reason.
        """
        self.who = who
        self.what = what
        self.target = target
        self.reason = reason
        self.outcome = "done"

    def __str__(self) -> str:
        """Returns the entry as one line, whatever is in it."""
        return (
            f"who={_quote(str(self.who))} what={self.what} target={_quote(self.target)} "
            f"reason={_quote(self.reason)} outcome={_quote(self.outcome)}"
        )


@contextmanager
def audited(entry: AuditEntry) -> Iterator[AuditEntry]:
    """Logs an entry at the end of a 'with' block: as a warning if the block raises."""
    try:
        yield entry
    except GrpcError as e:
        entry.outcome = f"refused: {e}"
        logger.warning("%s", entry)
        raise
    except BaseException as e:
        # What a database says may hold secrets.
        entry.outcome = f"failed: {type(e).__name__}"
        logger.warning("%s", entry)
        raise
    else:
        logger.info("%s", entry)


def _quote(text: str) -> str:
    """Returns a text in quotation marks, on one line, with nothing in it that could move a cursor."""
    shown = text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
    return '"' + "".join(map(_escape, shown)) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return ascii(character)[1:-1]
