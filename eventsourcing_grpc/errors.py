"""The tree of errors that calls of a server raise.

How they travel is left to ``error_sending`` and ``error_receiving``.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc


class GrpcError(Exception):
    """Base class of all errors that calls of a server raise.

    ``code`` is the status of the call, or None when the error was not told by a server.
    """

    code: grpc.StatusCode | None = None


class ServiceUnavailable(GrpcError):
    """Raised when a server can't be reached, or went away in the middle of a call."""


class DeadlineExceeded(GrpcError):
    """Raised when a server did not answer in time. What was asked for may have happened."""


class ClientClosedError(GrpcError):
    """Raised when using a client that is closed."""


class RemoteApplicationError(GrpcError):
    """Raised when an application raised an exception whose class this process has not loaded.

    ``topic`` is the class's topic, and ``traceback`` the server's, where the caller may see it.
    """

    topic: str = ""
    traceback: str = ""


class RequestError(GrpcError):
    """Raised when a request is not right. ``violations`` says what is wrong, by field."""

    violations: Mapping[str, str] = {}

    def __init__(self, message: str, violations: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.violations = dict(violations or {})


class ArgumentsError(RequestError, TypeError):
    """Raised when a method is called with too few, too many, wrong-typed or undecodable arguments."""


class PermissionDeniedError(GrpcError):
    """Raised when calling what the names of one's certificate don't allow. Nothing was done."""


class MethodNotExposedError(GrpcError):
    """Raised when calling what is there but not for clients."""


class UnknownMethodError(GrpcError):
    """Raised when calling what is not there."""


class ResultNotEncodableError(GrpcError):
    """Raised when a method has returned something that can't be sent. The method has been executed."""


class ServerStoppingError(ServiceUnavailable):
    """Raised when a call comes too late. The application has not seen it."""


class TooManyStreamsError(GrpcError):
    """Raised when a server has as many streams open as it is willing to have."""


class FollowingStateError(GrpcError):
    """Raised when a following is not in a state that a request of an operator makes sense in.

    Nothing has been changed.
    """
