"""What may be wrong with how telemetry is asked for."""

from __future__ import annotations

from eventsourcing_grpc.user_errors import UserError

INSTALL = "pip install 'eventsourcing-grpc[telemetry]'"
"""What installs all that telemetry needs."""


class TelemetryNotInstalledError(UserError, ImportError):
    """Raised when metrics are asked for, and what makes them is not installed."""


class MetricsAddressError(UserError, OSError):
    """Raised when metrics can't be served on the address that is asked for. The message names it."""
