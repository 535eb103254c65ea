"""Ends this process when its terminal is gone. Usually a signal tells of that, but not everywhere.

Without a terminal Textual waits for ever to draw what it has drawn, and asks for keys without pause.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 5.0
_HUNG_UP_STATUS = 129
"""As for a process that SIGHUP ends."""


class TerminalWatch:
    """Watches the terminal on a descriptor, in a thread of its own, until its block ends.

    When the terminal is gone, the process is asked to end, and ended 5 s later if it has not.
    Servers' processes end with it.
    """

    def __init__(self, descriptor: int, ask_to_end: Callable[[], object]) -> None:
        """:param ask_to_end: is called in the thread."""
        self._descriptor = descriptor
        self._ask_to_end = ask_to_end
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="terminal watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        self._has_ended.set()
        self._thread.join()

    def _watch(self) -> None:
        poll = select.poll()
        # Nothing is asked for: that the terminal is gone is always told.
        poll.register(self._descriptor, 0)
        while not self._has_ended.wait(_LOOK_SECONDS):
            if poll.poll(0):
                self._ask_to_end()
                if not self._has_ended.wait(_GRACE_SECONDS):
                    os._exit(_HUNG_UP_STATUS)
                return
