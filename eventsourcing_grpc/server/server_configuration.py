"""What a server is told before it starts: all its variables, read and found to be usable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventsourcing.application import Application
from eventsourcing.system import System
from eventsourcing.utils import Environment, get_topic

from eventsourcing_grpc.access.permissions import Permissions, permissions
from eventsourcing_grpc.environment import (
    SYSTEM_TOPIC,
    has_server_address,
    listen_address,
    max_pull_interval,
    server_address,
)
from eventsourcing_grpc.server.configuration_check import configured_system
from eventsourcing_grpc.server.served_system import ServedApplication, ServedSystem

DEFAULT_MAX_WORKERS = 16
"""How many calls are served at once. More wait for one of these to end."""


@dataclass(frozen=True)
class ServerConfiguration:
    """How one application is served, whom it follows, and who may do what."""

    app_class: type[Application[Any]]
    env: Environment
    name: str
    """The application's."""
    max_workers: int
    system: System | None
    """Says which leaders are followed. None: nobody is."""
    address: str
    """Where the server is found. Its port may be 0: one that is free."""
    listen_address: str
    max_pull_interval: float
    """Seconds between two looks for what other processes have recorded."""
    permissions: Permissions
    leaders: Mapping[str, str]
    """Where the leaders are, by their names."""
    known_addresses: Mapping[str, str]
    """Where the system's applications are, by their names, if that is configured."""

    @classmethod
    def read(
        cls,
        app_class: type[Application[Any]],
        env: Environment,
        system: System | None,
        max_workers: int | None,
    ) -> ServerConfiguration:
        """Reads what is in the environment, and nothing else: no file and no address is tried.

        :param system: None: the one that ``SYSTEM_TOPIC`` names, if any.
        :param max_workers: None: 16.
        :raises EnvironmentVariableError: when an address is missing, or a value can't be used.
        """
        name = app_class.name
        system = system or configured_system(env, name)
        names = system.nodes if system else [name]
        leaders = system.follows.get(name, ()) if system else ()
        return cls(
            app_class=app_class,
            env=env,
            name=name,
            max_workers=max_workers or DEFAULT_MAX_WORKERS,
            system=system,
            address=server_address(env, name),
            listen_address=listen_address(env, name),
            max_pull_interval=max_pull_interval(env, name),
            permissions=permissions(env, name),
            leaders={leader: server_address(env, leader) for leader in leaders},
            known_addresses={
                each: server_address(env, each) for each in names if has_server_address(env, each)
            },
        )

    def served_system(self, address: str) -> ServedSystem:
        """Returns what is known of the system, with the addresses that are configured.

        :param address: where the server is found, now that it listens.
        """
        nodes = self.system.nodes if self.system else {self.name: get_topic(self.app_class)}
        follows = self.system.follows if self.system else {}
        addresses = {**self.known_addresses, self.name: address}
        return ServedSystem(
            name=self.name,
            topic=get_topic(self.app_class),
            system_topic=self.env.get(SYSTEM_TOPIC, ""),
            applications=tuple(
                ServedApplication(name, addresses.get(name, ""), tuple(follows.get(name, ())))
                for name in nodes
            ),
        )
