"""How a server's process notices that the process which started it is gone."""

from __future__ import annotations

import os
import sys
import threading

_STOP_TIMEOUT = 5.0


def stop_with_parent(is_stopping: threading.Event) -> None:
    """Sets an event when standard input is closed, and ends the process if that isn't enough.

    The operating system closes it when the parent ends, however it ends. A thread waits for that.
    """

    def wait_for_end_of_input() -> None:
        # Read below Python's buffers: their lock must be free when the interpreter ends.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        is_stopping.set()
        # The main thread ends the process now, unless an application keeps it from doing so.
        threading.Event().wait(_STOP_TIMEOUT)
        os._exit(1)

    threading.Thread(target=wait_for_end_of_input, name="parent watcher", daemon=True).start()
