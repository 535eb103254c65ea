"""Errors of this package, by cause, and the one place that maps a failed gRPC call to them."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from eventsourcing_grpc.protos.application_pb2 import RaisedException

_DETAILS_KEY = "grpc-status-details-bin"


class RequestFailed(Exception):
    """Raised when a server did not do what it was asked. The text is one line, for people."""


class SystemUnreachable(RequestFailed):
    """Raised when no server could be reached on the address of a system."""


class CallFailed(RequestFailed):
    """Raised when a method's call failed.

    ``error_class`` is the name of the exception's class, or empty when the application raised
    none; ``violations`` says what is wrong, by parameter; ``traceback`` is the server's, where it
    may be seen; ``is_outcome_unknown`` tells that the method may have been carried out.
    """

    def __init__(
        self,
        message: str,
        *,
        error_class: str = "",
        violations: Mapping[str, str] | None = None,
        traceback: str = "",
        is_outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_class = error_class
        self.violations = dict(violations or {})
        self.traceback = traceback
        self.is_outcome_unknown = is_outcome_unknown


def explain(error: grpc.aio.AioRpcError) -> str:
    """Returns in a few words why a call failed, for people."""
    details = " ".join((error.details() or "").split())
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return _explain_unavailable(details)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return "no answer in time"
        case grpc.StatusCode.UNIMPLEMENTED:
            return "this is no application server of eventsourcing_grpc, or one too old"
        case grpc.StatusCode.CANCELLED:
            return "the connection was given up"
        case code:
            return details or code.name.lower().replace("_", " ")


def call_failed(error: grpc.aio.AioRpcError) -> CallFailed:
    """Returns what a failed call of a method is to be raised as."""
    raised = RaisedException()
    bad_request = BadRequest()
    for detail in _status(error).details:
        detail.Unpack(raised)
        detail.Unpack(bad_request)
    if not raised.topic:
        is_unimplemented = error.code() is grpc.StatusCode.UNIMPLEMENTED
        return CallFailed(
            (error.details() or "") if is_unimplemented else explain(error),
            is_outcome_unknown=_is_outcome_unknown(error),
        )
    return CallFailed(
        raised.message,
        error_class=raised.topic.rpartition(":")[2].rpartition(".")[2],
        violations={
            violation.field: violation.description for violation in bad_request.field_violations
        },
        traceback=raised.traceback,
    )


def _status(error: grpc.aio.AioRpcError) -> Status:
    metadata: object = error.trailing_metadata()
    value = metadata.get(_DETAILS_KEY) if isinstance(metadata, grpc.aio.Metadata) else None
    if not isinstance(value, bytes):
        return Status()
    try:
        return Status.FromString(value)
    except DecodeError:
        # Not a server of eventsourcing_grpc: its code and its text say enough.
        return Status()


def _is_outcome_unknown(error: grpc.aio.AioRpcError) -> bool:
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return not (error.details() or "").startswith("failed to connect to all addresses")
    return error.code() in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


def _explain_unavailable(details: str) -> str:
    known = {
        "connection refused": "connection refused",
        "no route to host": "no route to the host",
        "network is unreachable": "the network is unreachable",
        "no such file or directory": "the socket does not exist",
        "name or service not known": "the host name is not known",
        "domain name not found": "the host name is not known",
        "dns": "the host name is not known",
        "socket closed": "the connection was closed",
        "connection reset": "the connection was closed",
        "ping timeout": "no answer to a ping",
        "keepalive": "no answer to a ping",
        "timed out": "no answer in time",
        "handshake": "the TLS handshake failed: check the certificates",
        "goaway": "the server is stopping",
    }
    lowered = details.lower()
    for part, words in known.items():
        if part in lowered:
            return words
    return details.rpartition(": ")[2] or "unavailable"
