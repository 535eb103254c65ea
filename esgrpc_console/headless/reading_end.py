"""Notices that nobody reads standard output any more, before there is more to write to it."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def noticing_end_of_reading(stdout: TextIO, tell: Callable[[], object]) -> Iterator[None]:
    """Tells when whoever reads standard output has read enough, as ``head`` has, while it is a pipe.

    Belongs to the running event loop.
    """
    pipe = _pipe(stdout)
    if pipe is None or sys.platform != "linux":
        yield
        return
    loop = asyncio.get_running_loop()
    with select.epoll() as closing:
        # Asked for nothing, it tells of errors only, and again and again while there is one.
        closing.register(pipe, select.EPOLLET)
        loop.add_reader(closing.fileno(), tell)
        try:
            yield
        finally:
            loop.remove_reader(closing.fileno())


def _pipe(stream: TextIO) -> int | None:
    try:
        number = stream.fileno()
        return number if stat.S_ISFIFO(os.fstat(number).st_mode) else None
    except OSError:
        return None
