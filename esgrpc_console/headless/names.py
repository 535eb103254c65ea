"""Names as people type them, and the ones that are meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from esgrpc_console.outcome import CommandFailed

_MAX_TOLD = 30


def find_name(given: str, names: Collection[str], what: str, where: str) -> str:
    """Returns the one of some names that was given, in whatever case.

    :param what: the names are of, as ``application``.
    :param where: the names are, as ``this system``.
    :raises CommandFailed: when there is no such name, telling those there are, the closest first.
    """
    if given in names:
        return given
    alike = [name for name in names if name.lower() == given.lower()]
    if len(alike) == 1:
        return alike[0]
    article = "an" if what[0] in "aeiou" else "a"
    if not names:
        msg = f"{where} has no {what} {given!r}: it has none at all"
        raise CommandFailed(msg)
    told = sorted(names)[:_MAX_TOLD]
    more = f" and {len(names) - len(told):,} more" if len(names) > len(told) else ""
    by_lower = {name.lower(): name for name in names}
    close = alike or [by_lower[one] for one in get_close_matches(given.lower(), by_lower, 1)]
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    msg = f"{given!r} is not {article} {what} of {where}: {hint}it has {', '.join(told)}{more}"
    raise CommandFailed(msg)
