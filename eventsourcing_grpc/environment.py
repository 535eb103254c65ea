"""Every environment variable that this package knows, read and validated in this one place.

Variables may be prefixed with an application's name, as everywhere in ``eventsourcing``.
What they mean for persistence, transcoding and encryption is left to the core library.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from eventsourcing.application import Application
from eventsourcing.utils import Environment, EnvType

from eventsourcing_grpc.addresses import check_address
from eventsourcing_grpc.user_errors import UserError

SERVER_ADDRESS = "GRPC_SERVER_ADDRESS"
LISTEN_ADDRESS = "GRPC_SERVER_LISTEN_ADDRESS"
MAX_PULL_INTERVAL = "MAX_PULL_INTERVAL"
APPLICATION_TOPIC = "APPLICATION_TOPIC"
SYSTEM_TOPIC = "SYSTEM_TOPIC"
PRIVATE_KEY_PATH = "GRPC_SSL_PRIVATE_KEY_PATH"
CERTIFICATE_PATH = "GRPC_SSL_CERTIFICATE_PATH"
ROOT_CERTIFICATE_PATH = "GRPC_SSL_ROOT_CERTIFICATE_PATH"
ALLOWED_CLIENTS = "GRPC_ALLOWED_CLIENTS"
OPERATORS = "GRPC_OPERATORS"
METRICS_ADDRESS = "GRPC_METRICS_ADDRESS"
TRACES_EXPORTER = "OTEL_TRACES_EXPORTER"
TELEMETRY_DISABLED = "OTEL_SDK_DISABLED"
OTLP_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
POSTGRES_PASSWORD_FILE = "POSTGRES_PASSWORD_FILE"

DEFAULT_MAX_PULL_INTERVAL = 1.0

# What names of certificates are made of: host names, addresses, URIs, and plain common names.
_CERTIFICATE_NAME = re.compile(r"[\w.:/@%+~-]+")


class EnvironmentVariableError(UserError, ValueError):
    """Raised when a variable is missing or has a value that can't be used.

    The message names the variable, the bad value and a good one.
    """


@dataclass(frozen=True)
class CertificatePaths:
    """Where the three files of mutual TLS are. Each is in PEM format."""

    private_key: str
    certificate: str
    root_certificate: str


def application_environment(
    app_class: type[Application[Any]], env: EnvType | None = None
) -> Environment:
    """Returns what an application of the given class would be configured from:
    its class's ``env``, overridden by ``os.environ``, overridden by ``env``.
    """
    return Environment(app_class.name, {**app_class.env, **os.environ, **(env or {})})


def variable_name(application_name: str, variable: str) -> str:
    """Returns the name of a variable of one application, such as ``ORDERS_GRPC_SERVER_ADDRESS``."""
    return f"{application_name.upper()}_{variable}"


def server_address(env: Mapping[str, str], application_name: str) -> str:
    """Returns the address of an application's server, such as ``localhost:50051``.

    :raises EnvironmentVariableError: when the address is missing or malformed.
    """
    name = variable_name(application_name, SERVER_ADDRESS)
    address = Environment(application_name, env).get(SERVER_ADDRESS)
    if not address:
        msg = f"The address of {application_name} is not known: set {name}, such as localhost:50051"
        raise EnvironmentVariableError(msg)
    problem = check_address(address)
    if problem:
        msg = f"{name}={address!r} is not an address: {problem}. A good one is localhost:50051"
        raise EnvironmentVariableError(msg)
    return address


def listen_address(env: Mapping[str, str], application_name: str) -> str:
    """Returns the address that an application's server listens on: the one where it is found,
    unless another one is set, such as ``0.0.0.0:50051`` where a load balancer has its name.

    :raises EnvironmentVariableError: when the address is missing or malformed.
    """
    address = Environment(application_name, env).get(LISTEN_ADDRESS)
    if not address:
        return server_address(env, application_name)
    problem = check_address(address)
    if problem:
        msg = f"{LISTEN_ADDRESS}={address!r} is not an address: {problem}. A good one is 0.0.0.0:50051"
        raise EnvironmentVariableError(msg)
    return address


def has_server_address(env: Mapping[str, str], application_name: str) -> bool:
    """Tells whether an address is configured for an application's server."""
    return bool(Environment(application_name, env).get(SERVER_ADDRESS))


def max_pull_interval(env: Mapping[str, str], application_name: str) -> float:
    """Returns the longest time, in seconds, between two looks at a log
    that can't announce what other processes record in it.

    :raises EnvironmentVariableError: when the value is not a number above 0.
    """
    text = Environment(application_name, env).get(MAX_PULL_INTERVAL)
    if not text:
        return DEFAULT_MAX_PULL_INTERVAL
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not isfinite(seconds) or seconds <= 0:
        msg = f"{MAX_PULL_INTERVAL}={text!r} is not a number of seconds above 0. A good one is 1"
        raise EnvironmentVariableError(msg)
    return seconds


def metrics_address(env: Mapping[str, str], application_name: str) -> str:
    """Returns the address where an application's metrics are served. Empty: nowhere.

    :raises EnvironmentVariableError: when the address is malformed.
    """
    address = Environment(application_name, env).get(METRICS_ADDRESS) or ""
    problem = check_address(address) if address else ""
    if address.startswith("unix:"):
        problem = "it has no port"
    if problem:
        msg = f"{METRICS_ADDRESS}={address!r} is not an address: {problem}. A good one is localhost:9464"
        raise EnvironmentVariableError(msg)
    return address


def traces_exporters(env: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the names of what traces are exported with. Empty: nothing is traced.

    The variables are OpenTelemetry's own, for the whole process:
    see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.

    :param env: ``os.environ``.
    """
    if env.get(TELEMETRY_DISABLED, "").strip().lower() == "true":
        return ()
    names = (name.strip() for name in env.get(TRACES_EXPORTER, "").split(","))
    return tuple(name for name in names if name and name != "none")


def otlp_protocol(env: Mapping[str, str]) -> str:
    """Returns what traces are sent with where they are exported with OTLP, such as ``grpc``.

    :param env: ``os.environ``.
    """
    return next(filter(None, map(env.get, OTLP_PROTOCOLS)), "grpc")


def postgres_password_file(env: Mapping[str, str]) -> str:
    """Returns the path of the file that has the database's password.

    :param env: ``os.environ``: the core library asks without saying for which application.
    :raises EnvironmentVariableError: when no file is named.
    """
    path = env.get(POSTGRES_PASSWORD_FILE)
    if not path:
        msg = (
            f"The file with the database's password is not known: set {POSTGRES_PASSWORD_FILE}, "
            "such as /run/secrets/postgres-password"
        )
        raise EnvironmentVariableError(msg)
    return path


def certificate_paths(env: Mapping[str, str], application_name: str) -> CertificatePaths | None:
    """Returns the paths of the files for mutual TLS, or None when none is configured.

    :raises EnvironmentVariableError: when some are configured and some are missing.
    """
    scoped = Environment(application_name, env)
    variables = (PRIVATE_KEY_PATH, CERTIFICATE_PATH, ROOT_CERTIFICATE_PATH)
    values = [scoped.get(variable) or "" for variable in variables]
    if not any(values):
        return None
    missing = [name for name, value in zip(variables, values, strict=True) if not value]
    if missing:
        msg = f"Mutual TLS needs all of {', '.join(variables)}: set {' and '.join(missing)} too"
        raise EnvironmentVariableError(msg)
    return CertificatePaths(*values)


def allowed_clients(env: Mapping[str, str], application_name: str) -> frozenset[str] | None:
    """Returns the names of the certificates whose owners may call an application.

    None: whoever has a certificate of the root may.

    :raises EnvironmentVariableError: when the value is not a list of names.
    """
    return _certificate_names(env, application_name, ALLOWED_CLIENTS)


def operators(env: Mapping[str, str], application_name: str) -> frozenset[str] | None:
    """Returns the names of the certificates whose owners may operate an application.

    None: whoever may call it may.

    :raises EnvironmentVariableError: when the value is not a list of names.
    """
    return _certificate_names(env, application_name, OPERATORS)


def _certificate_names(
    env: Mapping[str, str], application_name: str, variable: str
) -> frozenset[str] | None:
    keys = Environment(application_name).create_keys(variable)
    name = next((key for key in keys if key in env), None)
    if name is None:
        return None
    text = env[name]
    names = text.replace(",", " ").split()
    good = "A good one is 'orders, ops.example'"
    if not names:
        # Taking it for a list that is not set would let everyone in by mistake.
        msg = f"{name}={text!r} names nobody: unset it, or list names of certificates. {good}"
        raise EnvironmentVariableError(msg)
    for listed in names:
        if not _CERTIFICATE_NAME.fullmatch(listed):
            msg = (
                f"{name}={text!r} is not a list of names of certificates: {listed!r} is none, "
                f"and there are no patterns. {good}"
            )
            raise EnvironmentVariableError(msg)
    return frozenset(names)
