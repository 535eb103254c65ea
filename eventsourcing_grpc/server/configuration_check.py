"""What a server is configured to be, and what is wrong with that, in plain words, before it is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Any

from eventsourcing.application import Application
from eventsourcing.system import System
from eventsourcing.utils import EnvType, get_topic

from eventsourcing_grpc.access.permissions import Permissions, permissions
from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.credentials import check_plaintext
from eventsourcing_grpc.database.event_store_check import check_event_store, why_unavailable
from eventsourcing_grpc.environment import (
    ALLOWED_CLIENTS,
    OPERATORS,
    SYSTEM_TOPIC,
    CertificatePaths,
    EnvironmentVariableError,
    application_environment,
    certificate_paths,
    listen_address,
    max_pull_interval,
    server_address,
)
from eventsourcing_grpc.server.listening import AddressUnavailableError, check_is_free
from eventsourcing_grpc.telemetry.metrics_check import check_metrics
from eventsourcing_grpc.tls.certificate_decoding import CertificateFacts, Role
from eventsourcing_grpc.tls.certificates import (
    expiry_problems,
    host_problem,
    read_certificates,
    read_facts,
    shown_time,
)
from eventsourcing_grpc.topics import resolve_system
from eventsourcing_grpc.user_errors import UserError


@dataclass
class ConfigurationCheck:
    """What was found."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    """What the server would be: what, and what it is."""
    problems: list[str] = field(default_factory=list)
    """What keeps it from being started, or its clients from calling it. A line each."""
    warnings: list[str] = field(default_factory=list)
    """What will be a problem, or may be a mistake. A line each."""


def check_configuration(
    app_class: type[Application[Any]], env: EnvType | None = None
) -> ConfigurationCheck:
    """Checks what a server would be started with. Nothing is opened, and nobody is called but
    PostgreSQL, which is waited for for 5 s at most.

    :param env: overrides ``os.environ``.
    """
    return _Checking(app_class, env).check


def configured_system(env: Mapping[str, str], name: str) -> System | None:
    """Returns the system that ``SYSTEM_TOPIC`` names, or None when it names none.

    :param name: of an application of it.
    :raises EnvironmentVariableError: when it has no such application.
    :raises UserError: when the topic doesn't resolve.
    """
    topic = env.get(SYSTEM_TOPIC)
    if not topic:
        return None
    system = resolve_system(topic)
    if name not in system.nodes:
        msg = f"{SYSTEM_TOPIC}={topic!r} is a system without {name}"
        raise EnvironmentVariableError(msg)
    return system


def host_of(address: str) -> str:
    """Returns what a certificate has to be for, or an empty string where that isn't known.

    Servers that listen on all addresses of their machine are called by names that they don't know.
    """
    if address.startswith("unix:"):
        # What gRPC takes for its host.
        return "localhost"
    host, _ = split_address(address)
    try:
        return "" if ip_address(host).is_unspecified else host
    except ValueError:
        return host


def unlimited_warning(name: str, allowed: Permissions) -> str:
    """Returns that lists limit nobody, or an empty string where there are none.

    :param name: of an application that is served without TLS.
    """
    if not allowed.are_limited:
        return ""
    lists = {ALLOWED_CLIENTS: allowed.allowed_clients, OPERATORS: allowed.operators}
    names = " and ".join(variable for variable, listed in lists.items() if listed is not None)
    return (
        f"{names} limit nobody, for {name} is served without TLS, and nobody shows a certificate: "
        "whoever is on this machine may call and operate it"
    )


class _Checking:
    """Goes on when something is wrong, to find what else is."""

    def __init__(self, app_class: type[Application[Any]], env: EnvType | None) -> None:
        self.check = ConfigurationCheck()
        self._env = application_environment(app_class, env)
        self._name: str = app_class.name
        self._tell("application", f"{self._name} ({get_topic(app_class)})")
        address = self._try(lambda: server_address(self._env, self._name)) or ""
        listening = self._try(lambda: listen_address(self._env, self._name)) if address else ""
        if listening:
            self._tell("address", address)
            if listening != address:
                self._tell("listens on", listening)
            self._check_address(listening)
        self._try(lambda: max_pull_interval(self._env, self._name))
        self._try(self._check_system)
        if store := self._try(lambda: check_event_store(self._env)):
            self._tell("recorded", store)
            if why := why_unavailable(self._env):
                self.check.warnings.append(f"{self._name} can't use its database just now: {why}")
        allowed = self._try(lambda: permissions(self._env, self._name))
        try:
            paths = certificate_paths(self._env, self._name)
        except EnvironmentVariableError as e:
            self.check.problems.append(str(e))
        else:
            if paths is not None:
                self._check_certificates(paths, address)
            elif listening:
                self._check_plaintext(listening, allowed)
            if allowed is not None:
                told = (
                    str(allowed) if paths else "whoever is on this machine may call and operate it"
                )
                self._tell("permissions", told)
            self._check_metrics(has_certificates=paths is not None)

    def _tell(self, what: str, text: str) -> None:
        self.check.facts.append((what, text))

    def _try(self, look: Callable[[], Any]) -> Any:
        try:
            return look()
        except UserError as e:
            self.check.problems.append(str(e))
            return None

    def _check_address(self, address: str) -> None:
        try:
            check_is_free(address, self._name)
        except AddressUnavailableError as e:
            # It may be the server itself, which is running already.
            (self.check.warnings if e.is_taken else self.check.problems).append(str(e))

    def _check_system(self) -> None:
        system = configured_system(self._env, self._name)
        if system is None:
            return
        self._tell("system", self._env.get(SYSTEM_TOPIC, ""))
        for leader in system.follows.get(self._name, ()):
            address = self._try(partial(server_address, self._env, leader))
            if address:
                self._tell("follows", f"{leader} on {address}")

    def _check_metrics(self, *, has_certificates: bool) -> None:
        metrics = self._try(
            lambda: check_metrics(self._env, self._name, has_certificates=has_certificates)
        )
        if metrics:
            self._tell("metrics", metrics)

    def _check_plaintext(self, address: str, allowed: Permissions | None) -> None:
        self._try(lambda: check_plaintext(address, self._name))
        self._tell("TLS", "none: plaintext, for this machine only")
        if allowed and (warning := unlimited_warning(self._name, allowed)):
            self.check.warnings.append(warning)

    def _check_certificates(self, paths: CertificatePaths, address: str) -> None:
        self._tell("TLS", "mutual, 1.2 or newer")
        self._tell("certificate", paths.certificate)
        is_following = any(what == "follows" for what, _ in self.check.facts)
        roles = (Role.SERVER, Role.CLIENT) if is_following else (Role.SERVER,)
        facts: CertificateFacts | None = None
        problems: dict[str, None] = {}
        for role in roles:
            try:
                facts = facts or read_facts(paths, role)
                read_certificates(paths, role)
            except UserError as e:
                # It is mostly the same for both.
                problems[str(e)] = None
        self.check.problems.extend(problems)
        if facts is None:
            return
        self._tell_certificate(paths, facts)
        if problems:
            return
        self.check.warnings.extend(expiry_problems(paths, facts))
        if not address:
            return
        host = host_of(address)
        if not host:
            self._tell("host", "any: whether the certificate is for what clients call is not known")
        elif problem := host_problem(paths, facts, host):
            self.check.problems.append(problem)

    def _tell_certificate(self, paths: CertificatePaths, facts: CertificateFacts) -> None:
        self._tell("names", ", ".join(facts.names) or "none")
        days = (facts.not_after - datetime.now(UTC)).days
        left = f", {days:,} days left" if days >= 0 else ""
        self._tell(
            "valid", f"{shown_time(facts.not_before)} to {shown_time(facts.not_after)}{left}"
        )
        roots = [f"{root.name}, valid to {shown_time(root.not_after)}" for root in facts.roots]
        self._tell("root", "; ".join([paths.root_certificate, *roots]))
