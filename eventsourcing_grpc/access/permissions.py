"""Who may do what with a server, by the names of certificates: decided here, and nowhere else.

Who has made a call is told by ``peer_identity``. That nobody gets past is left to
``permission_interceptor``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from eventsourcing_grpc.access.peer_identity import PeerIdentity
from eventsourcing_grpc.environment import ALLOWED_CLIENTS, OPERATORS, allowed_clients, operators
from eventsourcing_grpc.protos import application_pb2, operations_pb2

_APPLICATION = application_pb2.DESCRIPTOR.services_by_name["Application"].full_name
_OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name
_HEALTH = "grpc.health.v1.Health"
_REFLECTION = "grpc.reflection."
_READING_METHODS = frozenset({"Describe", "Watch", "ReadEvents", "ReadAggregate"})
CALL_METHOD = f"/{_OPERATIONS}/CallMethod"
"""The one method whose access depends on what is called with it: see :func:`access_to`."""


class Access(Enum):
    """What a call asks for."""

    HEALTH = "ask for the health of"
    """Free for all: orchestrators must be able to ask."""
    CALL = "call"
    """To use the application as a program, or to follow it."""
    READ = "look into"
    """To look at it as an operator."""
    CHANGE = "operate"
    """To change something as an operator."""


def access_to(method: str, *, is_command: bool = True) -> Access:
    """Returns what a call of a gRPC method asks for. What is not known asks for the most.

    :param method: with its service: ``/eventsourcing_grpc.v1.Operations/Watch``.
    :param is_command: whether a command of the application is called with ``CALL_METHOD``.
    """
    service, _, name = method.removeprefix("/").rpartition("/")
    if service == _HEALTH:
        return Access.HEALTH
    if service == _APPLICATION:
        return Access.CALL
    if service.startswith(_REFLECTION):
        return Access.READ
    is_reading = service == _OPERATIONS and name in _READING_METHODS
    is_query = method == CALL_METHOD and not is_command
    return Access.READ if is_reading or is_query else Access.CHANGE


@dataclass(frozen=True)
class Permissions:
    """What the owners of certificates may do. All of them have one of the root."""

    allowed_clients: frozenset[str] | None = None
    """Names of those who may call the application, and look into it. None: everyone."""
    operators: frozenset[str] | None = None
    """Names of those who may do everything. None: whoever may call the application."""

    @property
    def are_limited(self) -> bool:
        """Whether there is anything that not everyone may do."""
        return self.allowed_clients is not None or self.operators is not None

    def allow(self, access: Access, names: Collection[str]) -> bool:
        """Tells whether somebody may do something.

        :param names: of their certificate.
        """
        if access is Access.HEALTH or self.is_operator(names):
            return True
        if access is Access.CHANGE and self.operators is not None:
            return False
        if self.allowed_clients is not None:
            return not self.allowed_clients.isdisjoint(names)
        return access is Access.CALL or self.operators is None

    def is_operator(self, names: Collection[str]) -> bool:
        """Tells whether somebody is listed as an operator.

        :param names: of their certificate.
        """
        return self.operators is not None and not self.operators.isdisjoint(names)

    def may_see_tracebacks(self, identity: PeerIdentity) -> bool:
        """Tells whether somebody may see where in the code, and in a database, something failed."""
        return identity.is_loopback or self.is_operator(identity.names)

    def why_refused(self, access: Access) -> str:
        """Returns where somebody would have to be listed in order to be allowed."""
        lists = {ALLOWED_CLIENTS: self.allowed_clients, OPERATORS: self.operators}
        if access is Access.CHANGE and self.operators is not None:
            del lists[ALLOWED_CLIENTS]
        set_lists = [name for name, names in lists.items() if names is not None]
        return f"no name of that certificate is in {' or '.join(set_lists)}"

    def __str__(self) -> str:
        """Returns who may do what, in words."""
        anyone = "anyone with a certificate of the root"
        listed = _in_words((self.allowed_clients or frozenset()) | (self.operators or frozenset()))
        callers = anyone if self.allowed_clients is None else listed
        if self.operators is None:
            return f"{callers} may call and operate it"
        readers = "only they" if self.allowed_clients is None else "those who may call it"
        return (
            f"{callers} may call it; {_in_words(self.operators)} may operate it; "
            f"{readers} may look into it"
        )


def permissions(env: Mapping[str, str], application_name: str) -> Permissions:
    """Returns what an application's environment says of permissions.

    :raises EnvironmentVariableError: when a value is not a list of names.
    """
    return Permissions(allowed_clients(env, application_name), operators(env, application_name))


def _in_words(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
