"""Callbacks of options and arguments that are numbers. What one may be is told when it is not."""

from __future__ import annotations

import math
from collections.abc import Callable

import click

Convert = Callable[[click.Context, click.Parameter, str | None], int | None]

_MAX_ID = 2**63 - 1
"""The greatest ID, and the greatest version, that a recorder can have."""


def whole_number(minimum: int = 0) -> Convert:
    """Returns what takes an ID, a version, or how many there are of something."""

    def convert(_: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
        if text is None:
            return None
        try:
            number = int(text)
        except ValueError as e:
            msg = f"{text!r} is not a whole number"
            raise click.BadParameter(msg, param=parameter) from e
        if not minimum <= number <= _MAX_ID:
            what = f"at least {minimum}" if number < minimum else "smaller"
            msg = f"{text} must be {what}"
            raise click.BadParameter(msg, param=parameter)
        return number

    return convert


def seconds(_: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Takes a time span."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError as e:
        msg = f"{text!r} is not a number of seconds, such as 60 or 0.5"
        raise click.BadParameter(msg, param=parameter) from e
    if not 0 <= number < math.inf:
        msg = f"{text} must be at least 0, and not without end"
        raise click.BadParameter(msg, param=parameter)
    return number
