"""How a server's process ends, with whom, and what it tells the process that started it."""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import TextIO

_STOP_TIMEOUT = 5.0
_PARENT_INTERVAL = 1.0
_EXIT_TIMEOUT = 0.5
_START_TIMEOUT = 3.0


def stop_with_parent(is_stopping: threading.Event) -> None:
    """Sets an event when standard input is closed, and ends the process if that isn't enough.

    The operating system closes it when the parent ends, however it ends. A thread waits for that.
    """
    parent = os.getppid()

    def wait_for_end_of_input() -> None:
        # Read below Python's buffers: their lock must be free when the interpreter ends.
        stdin = sys.stdin.fileno()
        # Processes that the parent has forked hold the other end open, and are not the parent.
        while os.getppid() == parent:
            is_ready = select.select([stdin], [], [], _PARENT_INTERVAL)[0]
            if is_ready and not os.read(stdin, 1024):
                break
        is_stopping.set()
        # The main thread ends the process now, unless an application keeps it from doing so.
        threading.Event().wait(_STOP_TIMEOUT)
        os._exit(1)

    threading.Thread(target=wait_for_end_of_input, name="parent watcher", daemon=True).start()


def take_standard_output() -> TextIO:
    """Returns standard output, for what the parent is told.

    What is printed from now on, by the application or by what it uses, goes to standard error.
    """
    own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    return own


def stop_while_starting(
    is_stopping: threading.Event, has_started: threading.Event, report: Callable[[], None]
) -> None:
    """Ends the process when it is asked to stop while it starts, and doesn't come to listen to that.

    An application may be waiting for its database. It has three seconds to come to an end by itself.

    :param report: tells of it, before the process ends.
    """

    def stop() -> None:
        is_stopping.wait()
        if not has_started.wait(_START_TIMEOUT):
            report()
            os._exit(0)

    threading.Thread(target=stop, name="start watcher", daemon=True).start()


def exit_soon(status: int) -> None:
    """Ends the process in a moment, also if a thread that runs an application's method does not end.

    Until then the interpreter may come to its own end.
    """

    def exit_late() -> None:
        threading.Event().wait(_EXIT_TIMEOUT)
        os._exit(status)

    threading.Thread(target=exit_late, name="exit", daemon=True).start()
