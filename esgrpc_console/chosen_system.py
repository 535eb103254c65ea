"""The system that a command line names, and what is said there of how to connect to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChosenSystem:
    """A system to connect to. How is left to ``headless.connecting``."""

    addresses: tuple[str, ...]
    """Of servers of the system: the first that answers is asked for the others."""
    context: str = ""
    """The name of the context in the configuration file. Empty: addresses were given."""
    addresses_of: Mapping[str, str] = field(default_factory=dict)
    """Addresses by the names of applications, instead of those that the servers tell."""
    root_cert: str = ""
    """Path of the root certificate. Empty: as the environment says. So are the next two."""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    is_read_only: bool = False
    """Whether commands that change something are refused."""
    colour: str = ""
    """The context's colour. Empty: none."""
    options: tuple[str, ...] = ()
    """The connection's options as they were given: what it takes to connect again."""

    @property
    def name(self) -> str:
        """What it was called: ``@production`` or an address."""
        return f"@{self.context}" if self.context else ",".join(self.addresses)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of a command line that connects to it."""
        return (self.name, *self.options)
