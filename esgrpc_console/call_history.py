"""The calls that were made from the console, newest last, kept in a file of JSON Lines.

Several consoles may write to one file. What can't be read in it is left out; what can't be written
is told by ``CallHistory.problem``, and calls go on without.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from esgrpc_console.system_view.json_values import JsonObject, JsonValue

MAX_BYTES = 2_000_000
"""Of the file. When it would be larger, its older half is left out."""
MAX_ENTRY_BYTES = 64_000
"""Of one call. Arguments of more are not kept."""
MAX_TEXT = 200
"""Characters of what a call brought that are kept."""
_MAX_KEPT = 5_000
_LOCK_SECONDS = 1.0
_LOCK_PAUSE = 0.02


class Outcome(StrEnum):
    """How a call ended. The value is what the file has."""

    RETURNED = "returned"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It was given up, or the connection was lost: it may have been carried out."""

    @property
    def symbol(self) -> str:
        """One character that stands for it."""
        return {"returned": "✓", "failed": "✗", "unknown": "?"}[self.value]


@dataclass(frozen=True)
class PastCall:
    """One call of a method, or several of the same."""

    at: datetime
    system: str
    """The system's topic, or the title that it was opened with."""
    application: str
    method: str
    arguments: JsonObject | None = field(default_factory=dict)
    """None: they were too large to be kept, or secret."""
    outcome: Outcome = Outcome.RETURNED
    seconds: float = 0.0
    """How long it took in the application, or until it failed."""
    text: str = ""
    """The beginning of what it brought, on one line."""
    context: str = ""
    """The context of the configuration file. Empty: there was none."""
    times: int = 1
    """How often it was called, one after the other."""


class CallHistory:
    """Remembers calls, in a file where there is one. Its methods may be called in any thread."""

    def __init__(self, path: Path | None, *, max_bytes: int = MAX_BYTES) -> None:
        """
        :param path: of the file, which is made with its directory. None: there is none.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._calls: deque[PastCall] = deque(maxlen=_MAX_KEPT)
        self.problem = ""
        """Why the file can't be read or written just now. Empty: it can."""

    @property
    def calls(self) -> Sequence[PastCall]:
        """What is known of, newest last."""
        return tuple(self._calls)

    def load(self) -> None:
        """Reads the file again: other consoles may have written to it."""
        if self._path is None:
            return
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as e:
            self.problem = f"the history in {self._path} can't be read: {e.strerror}"
            return
        known = (_call_from(line) for line in data.splitlines())
        self._calls = deque((call for call in known if call is not None), maxlen=_MAX_KEPT)

    def remember(self, call: PastCall) -> None:
        """Adds a call, so that it is known at once. The file is left to ``write``."""
        self._calls.append(call)

    def write(self, call: PastCall) -> None:
        """Adds a call to the file. Takes a second at most while other consoles write."""
        if self._path is None:
            return
        line = _line_from(call)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _lock(self._path):
                self._append(self._path, line)
        except OSError as e:
            self.problem = f"the history in {self._path} can't be written: {e.strerror or e}"
        else:
            self.problem = ""

    def _append(self, path: Path, line: bytes) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(descriptor, "ab", buffering=0) as file:
            size = os.fstat(descriptor).st_size
            if size + len(line) <= self._max_bytes:
                # A console that was ended while it wrote may have left half a line.
                is_whole = not size or os.pread(descriptor, 1, size - 1) == b"\n"
                file.write(line if is_whole else b"\n" + line)
                return
        self._rewrite(path, line)

    def _rewrite(self, path: Path, line: bytes) -> None:
        newest: deque[bytes] = deque()
        room = self._max_bytes // 2 - len(line)
        for kept in reversed(path.read_bytes().splitlines(keepends=True)):
            room -= len(kept)
            if room < 0:
                break
            newest.appendleft(kept)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.writelines([*newest, line])
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keeps other consoles from writing. The lock has a file of its own: the other is replaced.

    :raises OSError: when another console keeps the lock for longer than a second.
    """
    descriptor = os.open(
        path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_LOCK_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _line_from(call: PastCall) -> bytes:
    members: JsonObject = {
        "at": call.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "system": call.system,
        "context": call.context,
        "application": call.application,
        "method": call.method,
        "arguments": call.arguments,
        "outcome": call.outcome.value,
        "seconds": round(call.seconds, 6),
        "text": call.text[:MAX_TEXT],
        "times": call.times,
    }
    line = json.dumps(members)
    if len(line) > MAX_ENTRY_BYTES:
        line = json.dumps({**members, "arguments": None})
    return f"{line}\n".encode()


def _call_from(line: bytes) -> PastCall | None:
    members: JsonValue = None
    with suppress(ValueError, RecursionError):
        # Whatever has been written there: one line that can't be read hides no others.
        members = json.loads(line)
    if not isinstance(members, dict):
        return None
    arguments = members.get("arguments")
    seconds, times = members.get("seconds"), members.get("times")
    try:
        return PastCall(
            at=datetime.fromisoformat(str(members["at"])).astimezone(UTC),
            system=str(members["system"]),
            context=str(members.get("context", "")),
            application=str(members["application"]),
            method=str(members["method"]),
            arguments=arguments if isinstance(arguments, dict) else None,
            outcome=Outcome(str(members["outcome"])),
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
            text=str(members.get("text", "")),
            times=times if isinstance(times, int) else 1,
        )
    except (KeyError, ValueError, OverflowError):
        # Written by another version, or by hand.
        return None
