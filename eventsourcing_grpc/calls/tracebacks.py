"""Tracebacks for people: with the names of files as they are imported, not where a machine has them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from traceback import TracebackException


def format_traceback(error: BaseException) -> str:
    """Returns an exception's traceback, with its causes.

    A file below a directory of ``sys.path`` is named from there on: ``shop/payments.py``.
    """
    return "".join(_shortened(error).format())


def format_frames(error: BaseException) -> str:
    """Returns where in the code an exception was raised, and nothing of what it says."""
    return "".join(_shortened(error).stack.format())


def _shortened(error: BaseException) -> TracebackException:
    formatted = TracebackException.from_exception(error, lookup_lines=True)
    directories = sorted((_absolute(path) for path in sys.path), key=len, reverse=True)
    _shorten(formatted, directories)
    return formatted


def _shorten(formatted: TracebackException, directories: Sequence[str]) -> None:
    # Not by calling itself: an error may have any number of causes, one behind the other.
    waiting: list[TracebackException | None] = [formatted]
    while waiting:
        shown = waiting.pop()
        if shown is None:
            continue
        for frame in shown.stack:
            frame.filename = next(
                (
                    frame.filename.removeprefix(directory)
                    for directory in directories
                    if frame.filename.startswith(directory)
                ),
                frame.filename,
            )
        waiting.extend((shown.__cause__, shown.__context__, *(shown.exceptions or ())))


def _absolute(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")
