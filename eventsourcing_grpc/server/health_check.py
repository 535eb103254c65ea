"""Asks a server whether it serves: ``python -m eventsourcing_grpc health``.

It is what containers and orchestrators run beside a server, because their own checks of gRPC have
no certificate to show. It asks the server that the same environment would start, at the address
that this listens on, and so never another one that has the same name.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, NoReturn

from eventsourcing_grpc.environment import (
    APPLICATION_TOPIC,
    ROOT_CERTIFICATE_PATH,
    SERVER_ADDRESS,
    CertificatePaths,
    application_environment,
    certificate_paths,
    listen_address,
    server_address,
    variable_name,
)
from eventsourcing_grpc.name_resolution import resolve_as_other_programs
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    import grpc

DEFAULT_TIMEOUT = 3.0
"""Seconds that a server has for its answer."""
_UNHEALTHY = 1
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that are listened on for all of a machine's, and where to call them."""

# What gRPC's details have in them, and what it means.
_REASONS = {
    "Connection refused": "nobody listens there",
    "No such file": "nobody listens there",
    "Hostname Verification": "its certificate is not for {found_as!r}",
    # As grpcio before 1.80 says it.
    "not in peer certificate": "its certificate is not for {found_as!r}",
    "CERTIFICATE_VERIFY_FAILED": f"{ROOT_CERTIFICATE_PATH} did not sign its certificate",
    "Socket closed": "it closes connections like this one: have both the same GRPC_SSL_ variables?",
    "lookup": "its host has no address",
}


class NotServingError(UserError):
    """Raised when a server doesn't serve. The message says why, as far as that can be told."""


@dataclass(frozen=True)
class Target:
    """Where a server is asked, and whom it has to be."""

    name: str
    """Of its application."""
    address: str
    """Where it listens."""
    found_as: str
    """The host by which others find it, which its certificate is for. Empty: it has none."""
    certificates: CertificatePaths | None
    """None: it serves plaintext."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Asks once. The status is 0 if the server serves, and 1 if not, or if it can't be asked."""
    parser = _Parser(
        prog="python -m eventsourcing_grpc health",
        description="Asks the server that this environment describes whether it serves.",
        epilog="It takes the address and the certificates from the variables that the server takes "
        "them from. The status is 0 if it serves, and 1 if not.",
    )
    parser.add_argument(
        "topic",
        metavar="TOPIC",
        nargs="?",
        help=f"topic of the application class (default: ${APPLICATION_TOPIC})",
    )
    parser.add_argument(
        "--app-dir", metavar="DIR", help="where modules are found (default: the working directory)"
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=DEFAULT_TIMEOUT,
        help=f"how long an answer is waited for (default: {DEFAULT_TIMEOUT:g})",
    )
    options = parser.parse_args(arguments)
    topic = options.topic or os.environ.get(APPLICATION_TOPIC)
    if not topic:
        parser.error(f"no application: name its topic, or set {APPLICATION_TOPIC}")
    # What is wrong is told in one line. gRPC would add pages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    resolve_as_other_programs()
    try:
        target = find_target(topic, options.app_dir)
        ask(target, options.timeout)
    except UserError as e:
        parser.error(str(e))
    sys.stdout.write(f"{target.name} is serving on {target.address}\n")
    sys.exit(0)


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        # 1, because others mean something else to Docker.
        self.exit(_UNHEALTHY, f"{' '.join(message.split())}\n")


def find_target(topic: str, app_dir: str | None = None) -> Target:
    """Returns where the server of an application is asked.

    The application is imported only if its class has a name that has no address of its own,
    because it is called something else: this is run often, and beside the real work.

    :raises UserError: when the environment doesn't say, or the topic doesn't resolve.
    """
    name = topic.rpartition(":")[2].rpartition(".")[2]
    env: Mapping[str, str] = os.environ
    if not env.get(variable_name(name, SERVER_ADDRESS)):
        from eventsourcing_grpc.topics import add_app_dir, resolve_application

        add_app_dir(app_dir)
        app_class = resolve_application(topic)
        name, env = app_class.name, application_environment(app_class)
    address, found_as = listen_address(env, name), server_address(env, name)
    return Target(name, _callable(address), _host(found_as), certificate_paths(env, name))


def ask(target: Target, timeout: float = DEFAULT_TIMEOUT) -> None:
    """Returns if a server serves.

    :param timeout: how many seconds it has for its answer.
    :raises NotServingError: if it doesn't.
    :raises CertificateError: when a certificate file can't be used.
    """
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with _open_channel(target) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.RpcError as e:
            msg = (
                f"{target.name} is not serving on {target.address}: {_explain(e, target, timeout)}"
            )
            raise NotServingError(msg) from e
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        msg = f"{target.name} is not serving on {target.address}: it is starting or stopping"
        raise NotServingError(msg)


def _open_channel(target: Target) -> grpc.Channel:
    import grpc

    # A proxy is not asked for what is on this machine.
    options: list[tuple[str, str | int]] = [("grpc.enable_http_proxy", 0)]
    if target.certificates is None:
        return grpc.insecure_channel(target.address, options=options)
    from eventsourcing_grpc.tls.certificates import Role, read_certificates

    read = read_certificates(target.certificates, Role.CLIENT)
    # The certificate is for the name that others know, wherever this is called.
    expected = target.found_as or next(iter(read.facts.names), "")
    if expected:
        options.append(("grpc.ssl_target_name_override", expected))
    credentials = grpc.ssl_channel_credentials(
        read.root_certificate, read.private_key, read.certificate
    )
    return grpc.secure_channel(target.address, credentials, options=options)


def _callable(address: str) -> str:
    """Returns where to call a server that listens on an address."""
    host, colon, port = address.rpartition(":")
    instead = _WILDCARDS.get(host.strip("[]"))
    if instead is None:
        return address
    return f"[{instead}]:{port}" if ":" in instead else f"{instead}{colon}{port}"


def _host(address: str) -> str:
    host = "" if address.startswith("unix:") else address.rpartition(":")[0].strip("[]")
    return "" if host in _WILDCARDS else host


def _explain(error: grpc.RpcError, target: Target, timeout: float) -> str:
    import grpc

    assert isinstance(error, grpc.Call)
    details = " ".join((error.details() or "").split())
    code = error.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"it did not answer within {timeout:g} s"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return "who listens there is not a server of eventsourcing_grpc"
    for part, reason in _REASONS.items():
        if part in details:
            return reason.format(found_as=target.found_as)
    return details or code.name


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not isfinite(seconds) or seconds <= 0:
        msg = f"{text!r} is not a number of seconds above 0. A good one is {DEFAULT_TIMEOUT:g}"
        raise argparse.ArgumentTypeError(msg)
    return seconds
