"""Lines of a log that are written together."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import TextIO

INTERVAL = 0.1
"""Seconds after which a line is written."""
_MAX_RECORDS = 10_000


class GatheredLines(logging.StreamHandler[TextIO]):
    """Writes what is logged within 0.1 s at once, from a thread of its own.

    Python lets other threads run whenever something is written. With eight callers a server spent
    a fifth of its time on being let in again, for a line a call.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._records: deque[logging.LogRecord] = deque()
        self._has_records = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._run, name="log lines", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a record. If there are too many, this writes them, and takes as long as that takes."""
        self._records.append(record)
        if len(self._records) >= _MAX_RECORDS:
            self.flush()
        elif not self._has_records.is_set():
            self._has_records.set()

    def flush(self) -> None:
        """Writes what has come until now."""
        with self._writing:
            # Before they are taken, so that none that comes meanwhile is forgotten.
            self._has_records.clear()
            records = [self._records.popleft() for _ in range(len(self._records))]
            lines = "".join(map(self._line, records))
            # If standard error is gone, there is nowhere to say so.
            with suppress(OSError, ValueError):
                self.stream.write(lines)
                self.stream.flush()

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record) + self.terminator
        except Exception:
            self.handleError(record)
            return ""

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._has_records.wait()
            pause.wait(INTERVAL)
            self.flush()
