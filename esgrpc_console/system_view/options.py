"""How the servers of a system are connected to: other addresses, certificates, how often they tell.

Options are validated where they enter, with errors that name the option and the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from esgrpc_console.system_view import words
from esgrpc_console.system_view.failures import RequestFailed
from eventsourcing_grpc.addresses import check_address
from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
)


class OptionError(RequestFailed, ValueError):
    """Raised for an address or an option that can't be used. The text names it and a good one."""


@dataclass(frozen=True)
class ConnectionOptions:
    """How a :class:`SystemView` connects to the servers of its system."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    """Addresses by names of applications, where they differ from what the servers say: behind
    forwarded ports, for example."""

    root_certificate: str = ""
    """Path of the certificate, in PEM format, that has signed those of the servers. Empty, as with
    the next two: what the variable ``GRPC_SSL_ROOT_CERTIFICATE_PATH`` says."""

    certificate: str = ""
    """Path of the certificate to show to the servers: ``GRPC_SSL_CERTIFICATE_PATH``."""

    private_key: str = ""
    """Path of that certificate's key: ``GRPC_SSL_PRIVATE_KEY_PATH``."""

    server_name: str = ""
    """The name to expect in the servers' certificates. Empty: the host of each address."""

    interval: float = 0.5
    """How often each server is to say how it is, in seconds. At least 0.1, at most 60."""

    def check(self) -> None:
        """
        :raises OptionError: when an address or the interval can't be used.
        """
        for name, address in self.addresses.items():
            checked_address(address, f"{name}={address}")
        if not 0.1 <= self.interval <= 60:
            msg = f"the interval {self.interval:g} is not from 0.1 to 60 seconds. A good one is 0.5"
            raise OptionError(msg)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Returns the environment in which certificates are looked for."""
        given = {variable: path for variable, path in self._paths().items() if path}
        return {**env, **given}

    def in_own_words(self, text: str) -> str:
        """Returns what is said of certificates with the names of options, where those were given."""
        names = {
            ROOT_CERTIFICATE_PATH: "root_certificate",
            CERTIFICATE_PATH: "certificate",
            PRIVATE_KEY_PATH: "private_key",
        }
        for variable, path in self._paths().items():
            if path:
                text = text.replace(f"{variable}=", f"{names[variable]}=")
        return text

    def _paths(self) -> dict[str, str]:
        return {
            ROOT_CERTIFICATE_PATH: self.root_certificate,
            CERTIFICATE_PATH: self.certificate,
            PRIVATE_KEY_PATH: self.private_key,
        }


def checked_address(address: str, given: str = "") -> str:
    """Returns an address of a server if it is one.

    :param given: how the address was given, for the error.
    :raises OptionError: when it is none, saying what is wrong with it.
    """
    problem = check_address(address)
    if problem:
        msg = (
            f"{words.line(given or address)!r} is not an address: {problem}. "
            "A good one is localhost:50051"
        )
        raise OptionError(msg)
    return address
