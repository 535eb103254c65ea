"""Whether metrics are asked for, and can be served as they are: decided without loading what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from eventsourcing_grpc.addresses import is_loopback
from eventsourcing_grpc.environment import (
    CERTIFICATE_PATH,
    METRICS_ADDRESS,
    PRIVATE_KEY_PATH,
    ROOT_CERTIFICATE_PATH,
    EnvironmentVariableError,
    metrics_address,
)
from eventsourcing_grpc.telemetry.errors import INSTALL, TelemetryNotInstalledError


def check_metrics(env: Mapping[str, str], application_name: str, *, has_certificates: bool) -> str:
    """Returns the address where an application's metrics are to be served. Empty: nowhere.

    :param has_certificates: whether the server is served with TLS.
    :raises EnvironmentVariableError: when the address is malformed, or other machines can reach it
        and there is no TLS.
    :raises TelemetryNotInstalledError: when what makes metrics is not installed.
    """
    address = metrics_address(env, application_name)
    if not address:
        return ""
    if not is_loopback(address) and not has_certificates:
        msg = (
            f"{METRICS_ADDRESS}={address!r} can be reached by other machines, and nothing is sent "
            f"to them without TLS: set {PRIVATE_KEY_PATH}, {CERTIFICATE_PATH} and "
            f"{ROOT_CERTIFICATE_PATH}, or an address such as localhost:9464"
        )
        raise EnvironmentVariableError(msg)
    if find_spec("prometheus_client") is None:
        msg = f"{METRICS_ADDRESS}={address!r} needs what is not installed: {INSTALL}"
        raise TelemetryNotInstalledError(msg)
    return address
