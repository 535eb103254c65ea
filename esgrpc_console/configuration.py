"""The person's configuration file: systems by name, keys and a theme. What uses them is left to others.

It is a TOML file, ``esgrpc-console/config.toml`` in the user's configuration directory, or the one
that ``ESGRPC_CONSOLE_CONFIG`` names::

    theme = "nord"

    [contexts.production]
    addresses = ["orders.example.org:50051", "payments.example.org:50051"]
    root_cert = "certificates/root.crt"
    cert = "certificates/operator.crt"
    key = "certificates/operator.key"
    read_only = true
    colour = "red"

    [contexts.production.addresses_of]
    Orders = "localhost:50051"

    [keys]
    "log.follow" = "f"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from esgrpc_console.configuration_table import ConfigurationError, ConfigurationTable

__all__ = ["Configuration", "ConfigurationError", "Context", "read_configuration"]

PATH_VARIABLE = "ESGRPC_CONSOLE_CONFIG"
_DIRECTORY = "esgrpc-console"
_FILE = "config.toml"
_CERTIFICATE_KEYS = ("root_cert", "cert", "key")
_ADDRESS = "localhost:50051"


@dataclass(frozen=True)
class Context:
    """A system that has a name."""

    name: str
    addresses: tuple[str, ...]
    """Of servers of the system: the first that answers is asked for the others."""
    addresses_of: Mapping[str, str] = field(default_factory=dict)
    """Addresses by the names of applications, instead of those that the servers tell."""
    root_cert: str = ""
    """Path of the root certificate. Empty: as the environment says. So are the next two."""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    """The name that the servers' certificates have. Empty: the host of each address."""
    is_read_only: bool = False
    colour: str = ""
    """As Textual names colours. Empty: none."""


@dataclass(frozen=True)
class Configuration:
    """What the file says."""

    contexts: Mapping[str, Context] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by the IDs of actions."""
    theme: str = ""
    """Empty: the console's own."""
    path: Path | None = None
    """Where it was read. None: there is no file."""

    def context(self, name: str) -> Context:
        """Returns a context.

        :raises ConfigurationError: naming those that there are.
        """
        context = self.contexts.get(name)
        if context is not None:
            return context
        where = self.path or default_path()
        if not self.contexts:
            msg = f"there is no context {name!r}: {where} has none"
            raise ConfigurationError(msg)
        msg = f"there is no context {name!r} in {where}: it has {', '.join(sorted(self.contexts))}"
        raise ConfigurationError(msg)


def default_path() -> Path:
    """Returns where the configuration file is, or would be."""
    given = os.environ.get(PATH_VARIABLE)
    if given:
        return Path(given).expanduser()
    from platformdirs import user_config_path

    return user_config_path(_DIRECTORY, appauthor=False) / _FILE


def read_configuration(path: Path | None = None) -> Configuration:
    """Reads the configuration file. Where there is none in the usual place, nothing is configured.

    :param path: by default what ``ESGRPC_CONSOLE_CONFIG`` names, or the usual place.
    :raises ConfigurationError: when a file that was named is not there, and when it can't be read
        or has anything that means nothing, naming the file, the key, the value and a good one.
    """
    is_named = path is not None or bool(os.environ.get(PATH_VARIABLE))
    path = path or default_path()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as e:
        if not is_named:
            return Configuration()
        msg = f"the configuration file {str(path)!r} does not exist"
        raise ConfigurationError(msg) from e
    except OSError as e:
        msg = f"the configuration file {str(path)!r} can't be read: {e.strerror}"
        raise ConfigurationError(msg) from e
    except UnicodeDecodeError as e:
        msg = f"the configuration file {str(path)!r} is not text in UTF-8"
        raise ConfigurationError(msg) from e
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        msg = f"{path}: this is not TOML: {' '.join(str(e).split())}"
        raise ConfigurationError(msg) from e
    return _configuration(ConfigurationTable(path, "", document))


def _configuration(table: ConfigurationTable) -> Configuration:
    table.check_keys("contexts", "keys", "theme")
    contexts = table.table("contexts")
    return Configuration(
        contexts={name: _context(name, contexts.table(name)) for name in contexts.keys},
        keys=table.table("keys").texts_by_key("f"),
        theme=table.text("theme", "nord"),
        path=table.path,
    )


def _context(name: str, table: ConfigurationTable) -> Context:
    table.check_keys(
        "addresses", "addresses_of", *_CERTIFICATE_KEYS, "server_name", "read_only", "colour"
    )
    given = [key for key in _CERTIFICATE_KEYS if key in table.keys]
    if given and len(given) < len(_CERTIFICATE_KEYS):
        missing = ", ".join(key for key in _CERTIFICATE_KEYS if key not in given)
        table.refuse(given[0], f"without {missing} it is of no use: give all three, or none")
    return Context(
        name=name,
        addresses=table.addresses("addresses", _ADDRESS),
        addresses_of=table.table("addresses_of").addresses_by_key(_ADDRESS),
        root_cert=table.file("root_cert", "root.crt"),
        cert=table.file("cert", "operator.crt"),
        key=table.file("key", "operator.key"),
        server_name=table.text("server_name", "orders"),
        is_read_only=table.flag("read_only"),
        colour=table.colour("colour"),
    )
