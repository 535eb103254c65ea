"""Exceptions -> gRPC statuses: the one place where a server says what went wrong.

An exception is sent as a ``google.rpc.Status`` with an ``ErrorInfo`` and a ``RaisedException``:
see https://google.aip.dev/193.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

import grpc
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.domain import EventSourcingError
from eventsourcing.persistence import IntegrityError, PersistenceError, Transcoder

from eventsourcing_grpc.calls.error_texts import beginning_of, end_of, message_of
from eventsourcing_grpc.calls.tracebacks import format_traceback
from eventsourcing_grpc.errors import (
    GrpcError,
    MethodNotExposedError,
    PermissionDeniedError,
    RequestError,
    ResultNotEncodableError,
    ServerStoppingError,
    TooManyStreamsError,
    UnknownMethodError,
)
from eventsourcing_grpc.protos.application_pb2 import RaisedException

if TYPE_CHECKING:
    from google.rpc.error_details_pb2 import BadRequest

ERROR_DOMAIN = "eventsourcing_grpc"

# In bytes. Statuses travel as metadata, in base64 or percent-encoded. Other clients take 8 KiB.
_MAX_DETAILS = 400
_MAX_MESSAGE = 1_000
_MAX_ENCODED = 600
_MAX_TRACEBACK = 1_500
_MAX_VIOLATIONS = 800

_OWN_CODES: Mapping[type[GrpcError], grpc.StatusCode] = {
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    MethodNotExposedError: grpc.StatusCode.PERMISSION_DENIED,
    PermissionDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    UnknownMethodError: grpc.StatusCode.UNIMPLEMENTED,
    ResultNotEncodableError: grpc.StatusCode.UNKNOWN,
    ServerStoppingError: grpc.StatusCode.UNAVAILABLE,
    TooManyStreamsError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def status_code(error: BaseException) -> grpc.StatusCode:
    """Returns the status that tells of an exception.

    Domain errors (assertions, the core library's errors, classes of the application's own)
    are FAILED_PRECONDITION; what looks like a defect or a broken database is UNKNOWN.
    """
    # What another server has told the application is not said of the call of this one.
    is_own = isinstance(error, GrpcError) and error.code is None
    for own, code in _OWN_CODES.items():
        if is_own and isinstance(error, own):
            return code
    if isinstance(error, AggregateNotFoundError):
        return grpc.StatusCode.NOT_FOUND
    if isinstance(error, IntegrityError):
        return grpc.StatusCode.ABORTED
    if isinstance(error, PersistenceError):
        return grpc.StatusCode.UNKNOWN
    if isinstance(error, ValueError) and not isinstance(error, EventSourcingError):
        return grpc.StatusCode.INVALID_ARGUMENT
    is_builtin = type(error).__module__ == "builtins"
    if is_builtin and not isinstance(error, AssertionError):
        return grpc.StatusCode.UNKNOWN
    return grpc.StatusCode.FAILED_PRECONDITION


def abort(
    context: grpc.ServicerContext,
    error: BaseException,
    *,
    transcoder: Transcoder | None = None,
    with_traceback: bool = False,
) -> NoReturn:
    """Ends a call with the status that tells of an exception.

    :param transcoder: encodes the exception's arguments and attributes, where it can.
    :param with_traceback: whether the caller may see the traceback, and what a database says.
    """
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
    from google.rpc.status_pb2 import Status
    from grpc_status import rpc_status

    topic = f"{type(error).__module__}:{type(error).__qualname__}"
    name = type(error).__name__
    message = message_of(error)
    is_secret = isinstance(error, PersistenceError) and not isinstance(error, IntegrityError)
    if is_secret and not with_traceback:
        message = "the server's log tells more"
        raised = RaisedException(topic=topic, message=message)
    else:
        raised = RaisedException(
            topic=topic,
            message=beginning_of(message, _MAX_MESSAGE),
            args=_encode_arguments(error, message, transcoder),
            attributes=_encode_attributes(error, transcoder),
        )
        if with_traceback:
            raised.traceback = end_of(format_traceback(error), _MAX_TRACEBACK)
    details = [
        ErrorInfo(
            reason=re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper(),
            domain=ERROR_DOMAIN,
            metadata={"topic": topic},
        ),
        raised,
    ]
    if isinstance(error, RequestError) and error.violations:
        details.append(BadRequest(field_violations=_field_violations(error.violations)))
    status = Status(
        code=status_code(error).value[0],
        message=beginning_of(f"{name}: {message}" if message else name, _MAX_DETAILS),
    )
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError  # pragma: no cover (abort_with_status always raises)


def _field_violations(violations: Mapping[str, str]) -> list[BadRequest.FieldViolation]:
    from google.rpc.error_details_pb2 import BadRequest

    shown: list[BadRequest.FieldViolation] = []
    size = 0
    for field, text in violations.items():
        violation = BadRequest.FieldViolation(
            field=field, description=beginning_of(text, _MAX_DETAILS)
        )
        size += violation.ByteSize()
        if size > _MAX_VIOLATIONS and shown:
            break
        shown.append(violation)
    return shown


def _encode_arguments(error: BaseException, message: str, transcoder: Transcoder | None) -> bytes:
    args = error.args
    if args == ((message,) if message else ()):
        # What a caller assumes anyway.
        return b""
    if isinstance(error, OSError) and error.filename is not None:
        args = (*args, error.filename)
    encoded = _encode(list(args), transcoder)
    return encoded if len(encoded) <= _MAX_ENCODED else b""


def _encode_attributes(error: BaseException, transcoder: Transcoder | None) -> bytes:
    """Returns those attributes that can be encoded. What is too much is left out."""
    sent: dict[str, object] = {}
    size = 0
    for name, value in vars(error).items():
        encoded = _encode(value, transcoder)
        size += len(name) + len(encoded)
        if encoded and size <= _MAX_ENCODED:
            sent[name] = value
    return _encode(sent, transcoder) if sent else b""


def _encode(obj: object, transcoder: Transcoder | None) -> bytes:
    if transcoder is None:
        return b""
    try:
        return transcoder.encode(obj)
    except Exception:
        # A transcoder may raise anything: the message is sent all the same.
        return b""
