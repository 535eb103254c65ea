"""Whether a system may be changed by a command."""

from __future__ import annotations

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.outcome import CommandFailed


def refuse_changes(system: ChosenSystem, what: str) -> None:
    """Makes sure that a system may be changed.

    :param what: would change it.
    :raises CommandFailed: when it is only to be looked at.
    """
    if system.is_read_only:
        msg = f"{what}, and {system.name} is read-only: give --read-write to change it all the same"
        raise CommandFailed(msg)
