"""One line of the log for each call that is refused or changes something: who, what, why, what came of it.

The lines are those of the logger ``eventsourcing_grpc.audit``, so that they can be kept apart. They
never hold what events, aggregates, arguments or results say. What programs call is left to ``call_audit``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from eventsourcing_grpc.access.peer_identity import PeerIdentity
from eventsourcing_grpc.errors import GrpcError

logger = logging.getLogger("eventsourcing_grpc.audit")

MAX_REFUSALS = 5
"""How many lines in a row tell of one caller's refused calls of one method. Then it is one a second."""
_MAX_LENGTH = 1_000
_QUOTED = frozenset('"\\')
_MAX_CALLERS = 1_000
_INTERVAL = 1.0


class AuditEntry:
    """What a call is about. It is filled in while the call is carried out."""

    def __init__(self, who: PeerIdentity, what: str, target: str, reason: str = "") -> None:
        """:param what: the service and method, such as ``Operations.SkipEvent``.
        :param target: what it is done to, such as ``Payments <- Orders #8013``.
        :param reason: what was given as the reason.
        """
        self.who = who
        self.what = what
        self.target = target
        self.reason = reason
        self.outcome = "done"
        self.count = 1
        """How many calls the entry stands for. It is that of the last of them."""

    def __str__(self) -> str:
        """Returns the entry as one line, whatever is in it."""
        line = (
            f"who={_quote(str(self.who))} what={self.what} target={_quote(self.target)} "
            f"reason={_quote(self.reason)} outcome={_quote(self.outcome)}"
        )
        return line if self.count == 1 else f"{line} count={self.count}"


def following_target(follower: str, leader: str, notification_id: int | None = None) -> str:
    """Returns what a request about a follower is done to: ``Payments <- Orders #8013``."""
    target = f"{follower} <- {leader}"
    return target if notification_id is None else f"{target} #{notification_id}"


class AuditLog:
    """Writes the lines of one server.

    Somebody whose calls are refused again and again can't fill a disk: beyond the first
    few, one line a second has their count.
    """

    def __init__(self, name: str) -> None:
        """:param name: the application's."""
        self._name = name
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._timer: threading.Timer | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    @contextmanager
    def audited(self, entry: AuditEntry) -> Iterator[AuditEntry]:
        """Logs an entry at the end of a 'with' block: as a warning if the block raises."""
        try:
            yield entry
        except GrpcError as e:
            self.refuse(entry, str(e))
            raise
        except BaseException as e:
            # What a database says may hold secrets.
            entry.outcome = f"failed: {type(e).__name__}"
            logger.warning("%s", entry)
            raise
        else:
            logger.info("%s", entry)

    def refuse(self, entry: AuditEntry, why: str) -> None:
        """Logs a call that is refused, as a warning, now or together with others within a second."""
        entry.outcome = f"refused: {why}"
        with self._lock:
            key = (str(entry.who), entry.what)
            if key not in self._buckets and len(self._buckets) >= _MAX_CALLERS:
                key = ("", "")
            bucket = self._buckets.setdefault(key, _Bucket())
            is_told = bucket.take() or self._is_closed
            if not is_told:
                bucket.hold(entry)
            if self._timer is None and not self._is_closed:
                self._start_timer()
        if is_told:
            logger.warning("%s", entry)

    def close(self) -> None:
        """Logs what is left to be told. After that, everything is told at once."""
        with self._lock:
            self._is_closed = True
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join()
        self._tell_held()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(_INTERVAL, self._tell_from_time_to_time)
        self._timer.name = f"audit {self._name}"
        self._timer.daemon = True
        self._timer.start()

    def _tell_from_time_to_time(self) -> None:
        self._tell_held()
        with self._lock:
            self._timer = None
            if self._buckets and not self._is_closed:
                self._start_timer()

    def _tell_held(self) -> None:
        with self._lock:
            held = [entry for bucket in self._buckets.values() if (entry := bucket.release())]
            self._buckets = {
                key: bucket for key, bucket in self._buckets.items() if not bucket.is_full
            }
        for entry in held:
            logger.warning("%s", entry)


class _Bucket:
    """Has a token for each line that may be written at once. A token comes back each second."""

    def __init__(self) -> None:
        self._tokens = float(MAX_REFUSALS)
        self._time = monotonic()
        self._held: AuditEntry | None = None

    def take(self) -> bool:
        self._refill()
        if self._held is not None or self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def hold(self, entry: AuditEntry) -> None:
        entry.count = 1 if self._held is None else self._held.count + 1
        self._held = entry

    def release(self) -> AuditEntry | None:
        held, self._held = self._held, None
        if held is not None:
            self._tokens = max(0.0, self._tokens - 1)
        return held

    @property
    def is_full(self) -> bool:
        self._refill()
        return self._held is None and self._tokens >= MAX_REFUSALS

    def _refill(self) -> None:
        now = monotonic()
        self._tokens = min(MAX_REFUSALS, self._tokens + now - self._time)
        self._time = now


def _quote(text: str) -> str:
    """Returns a text in quotation marks, on one line, with nothing in it that could move a cursor."""
    shown = text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
    if shown.isprintable() and not _QUOTED.intersection(shown):
        return f'"{shown}"'
    return '"' + "".join(map(_escape, shown)) + '"'


def _escape(character: str) -> str:
    if character in _QUOTED:
        return f"\\{character}"
    if character.isprintable():
        return character
    return ascii(character)[1:-1]
