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
    for frame in formatted.stack:
        frame.filename = next(
            (
                frame.filename.removeprefix(directory)
                for directory in directories
                if frame.filename.startswith(directory)
            ),
            frame.filename,
        )
    for other in (formatted.__cause__, formatted.__context__, *(formatted.exceptions or ())):
        if other is not None:
            _shorten(other, directories)


def _absolute(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")
