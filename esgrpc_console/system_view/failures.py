"""Errors of this package, by cause, and the one place that maps a failed gRPC call to them."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from esgrpc_console.system_view import words
from eventsourcing_grpc.protos.application_pb2 import RaisedException

_DETAILS_KEY = "grpc-status-details-bin"
_OWN_ERRORS = "eventsourcing_grpc.errors:"
# Their messages say all: what they are called is of no use to people.
_SELF_EXPLAINING = ("eventsourcing_grpc.", "eventsourcing.application:AggregateNotFoundError")
_REFUSING_CODES = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class RequestFailed(Exception):
    """Raised when a server did not do what it was asked. The text is one line, for people."""


class ServerUnavailable(RequestFailed):
    """Raised when a server could not be reached, or did not answer in time: it may be later."""


class LogReplaced(RequestFailed):
    """Raised when a log is another than before: its store was lost or replaced."""


class SystemUnreachable(RequestFailed):
    """Raised when no server could be reached on any address of a system.

    ``reasons`` says why, by address.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        told = "; on ".join(
            words.line(f"{address}: {why}") for address, why in self.reasons.items()
        )
        super().__init__(f"There is no system to be reached on {told}")


class CallFailed(RequestFailed):
    """Raised when a method's call failed.

    ``error_class`` is the name of the exception's class, or empty when the application raised
    none; ``refusal`` is the name of the error with which the server kept the call from it, or empty;
    ``violations`` says what is wrong, by parameter; ``traceback`` is the server's, where it may be
    seen; ``is_outcome_unknown`` tells that the method may have been carried out.
    """

    def __init__(
        self,
        message: str,
        *,
        error_class: str = "",
        refusal: str = "",
        violations: Mapping[str, str] | None = None,
        traceback: str = "",
        is_outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_class = error_class
        self.refusal = refusal
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
            raised, _ = _details(error)
            if raised.topic.startswith(_SELF_EXPLAINING):
                details = " ".join(raised.message.split())
            return details or code.name.lower().replace("_", " ")


def request_failed(error: grpc.aio.AioRpcError) -> RequestFailed:
    """Returns what a failed request is to be raised as."""
    return (ServerUnavailable if is_unavailable(error) else RequestFailed)(explain(error))


def is_unavailable(error: grpc.aio.AioRpcError) -> bool:
    """Tells whether a call failed because of the connection, not of what was asked."""
    return error.code() in {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    }


def call_failed(error: grpc.aio.AioRpcError) -> CallFailed:
    """Returns what a failed call of a method is to be raised as."""
    raised, bad_request = _details(error)
    if not raised.topic:
        is_unimplemented = error.code() is grpc.StatusCode.UNIMPLEMENTED
        return CallFailed(
            (error.details() or "") if is_unimplemented else explain(error),
            is_outcome_unknown=_is_outcome_unknown(error),
        )
    name = raised.topic.rpartition(":")[2].rpartition(".")[2]
    is_refusal = raised.topic.startswith(_OWN_ERRORS) and error.code() in _REFUSING_CODES
    return CallFailed(
        raised.message,
        error_class="" if is_refusal else name,
        refusal=name if is_refusal else "",
        violations={
            violation.field: violation.description for violation in bad_request.field_violations
        },
        traceback=raised.traceback,
    )


def _details(error: grpc.aio.AioRpcError) -> tuple[RaisedException, BadRequest]:
    """Returns what the server has told of an exception. Both are empty where it has told nothing."""
    raised, bad_request = RaisedException(), BadRequest()
    for detail in _status(error).details:
        detail.Unpack(raised)
        detail.Unpack(bad_request)
    return raised, bad_request


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
    tls = _explain_tls(details)
    if tls:
        return tls
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
        # What gRPC says when it has waited for 3 s.
        "endpoint closing": "it takes connections, and does not answer",
        "handshake": "the TLS handshake failed: check the certificates",
        "goaway": "the server is stopping",
    }
    lowered = details.lower()
    for part, reason in known.items():
        if part in lowered:
            return reason
    return details.rpartition(": ")[2] or "unavailable"


def _explain_tls(details: str) -> str:
    """Returns what is wrong with certificates, as far as BoringSSL and gRPC tell it."""
    lowered = details.lower()
    if "wrong_version_number" in lowered:
        return "certificates are configured, but the server there does not speak TLS"
    if "certificate_verify_failed" in lowered:
        reason = details[lowered.index("certificate_verify_failed") :].split(":")[1:2]
        said = reason[0].strip() if reason else "it is not signed by it"
        return f"its certificate is not trusted by the root certificate: {said}"
    if "hostname verification" in lowered or "not in peer certificate" in lowered:
        return (
            "its certificate is for another name: connect by the name in it, or give that name "
            "as the server name"
        )
    return ""
