"""The tree of errors, and the one place that maps exceptions to gRPC statuses and back.

An exception raised by an application is sent as a ``google.rpc.Status`` with an ``ErrorInfo``
and a ``RaisedException``. It arrives as the same class, when the caller's process has that
class loaded, and is at the same time a :class:`GrpcError`.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.domain import EventSourcingError
from eventsourcing.persistence import IntegrityError, PersistenceError, Transcoder

from eventsourcing_grpc.protos.application_pb2 import RaisedException

if TYPE_CHECKING:
    from google.rpc.error_details_pb2 import BadRequest

logger = logging.getLogger(__name__)

ERROR_DOMAIN = "eventsourcing_grpc"

# In bytes. Statuses travel as metadata, in base64 or percent-encoded. Other clients take 8 KiB.
_MAX_DETAILS = 400
_MAX_MESSAGE = 1_000
_MAX_ENCODED = 600
_MAX_TRACEBACK = 1_500
_MAX_VIOLATIONS = 800

UNAVAILABLE_CODES = (
    grpc.StatusCode.UNAVAILABLE,
    # What grpcio answers when its server is stopped just as a call comes in.
    grpc.StatusCode.CANCELLED,
)
_combined_classes: dict[type[Exception], type[GrpcError] | None] = {}


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


_OWN_CODES: Mapping[type[GrpcError], grpc.StatusCode] = {
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    MethodNotExposedError: grpc.StatusCode.PERMISSION_DENIED,
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
    message = _message(error)
    is_secret = isinstance(error, PersistenceError) and not isinstance(error, IntegrityError)
    if is_secret and not with_traceback:
        message = "the server's log tells more"
        raised = RaisedException(topic=topic, message=message)
    else:
        raised = RaisedException(
            topic=topic,
            message=_shorten(message, _MAX_MESSAGE),
            args=_encode_arguments(error, message, transcoder),
            attributes=_encode_attributes(error, transcoder),
        )
        if with_traceback:
            raised.traceback = _last("".join(traceback.format_exception(error)), _MAX_TRACEBACK)
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
        message=_shorten(f"{name}: {message}" if message else name, _MAX_DETAILS),
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
        violation = BadRequest.FieldViolation(field=field, description=_shorten(text, _MAX_DETAILS))
        size += violation.ByteSize()
        if size > _MAX_VIOLATIONS and shown:
            break
        shown.append(violation)
    return shown


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # The exception's class is the application's own, and may be at fault too.
        logger.exception("%s can't be shown as text", type(error).__name__)
        return ""


def _shorten(text: str, limit: int) -> str:
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def _last(text: str, limit: int) -> str:
    return text.encode(errors="replace")[-limit:].decode(errors="ignore")


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


def error_from_rpc(error: grpc.RpcError, *, server: str, transcoder: Transcoder) -> GrpcError:
    """Returns what a failed call is to be raised as.

    :param server: who was called, for messages: "Orders on localhost:50051".
    """
    code, details = rpc_code(error), rpc_details(error)
    raised = raised_exception(error)
    result: GrpcError
    if raised is not None:
        result = _rebuild(raised, transcoder)
    elif code in UNAVAILABLE_CODES:
        result = ServiceUnavailable(f"{server} is unavailable: {details}")
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        result = DeadlineExceeded(f"{server} did not answer in time")
    else:
        result = GrpcError(f"{server} answered {code.name}: {details}")
    result.code = code
    return result


def rpc_code(error: grpc.RpcError) -> grpc.StatusCode:
    """Returns the status of a failed call."""
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


def rpc_details(error: grpc.RpcError) -> str:
    """Returns what the status of a failed call says."""
    return (error.details() or "") if isinstance(error, grpc.Call) else str(error)


def raised_exception(error: grpc.RpcError) -> RaisedException | None:
    """Returns what a server told of the exception that ended a call, or None."""
    from google.protobuf.message import DecodeError
    from grpc_status import rpc_status

    if not isinstance(error, grpc.Call):
        return None
    try:
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            raised = RaisedException()
            if detail.Unpack(raised):
                return raised
    except (ValueError, DecodeError):
        # The details contradict the status, or are none: not a server of this package.
        return None
    return None


def was_never_sent(error: grpc.RpcError) -> bool:
    """Tells whether it is certain that a failed call never reached the application.

    That is so when there was no connection to send it on, and when the server has said so.
    """
    if rpc_code(error) is not grpc.StatusCode.UNAVAILABLE:
        return False
    if rpc_details(error).startswith("failed to connect to all addresses"):
        return True
    raised = raised_exception(error)
    return raised is not None and raised.topic.endswith(f":{ServerStoppingError.__name__}")


def _rebuild(raised: RaisedException, transcoder: Transcoder) -> GrpcError:
    cls = _loaded_class(raised.topic)
    error = _construct(cls, raised, transcoder) if cls is not None else None
    if error is None:
        name = raised.topic.rpartition(":")[2]
        error = RemoteApplicationError(f"{name}: {raised.message}" if raised.message else name)
        error.topic = raised.topic
        error.traceback = raised.traceback
    if raised.traceback:
        error.add_note(f"Raised by the server:\n{raised.traceback.rstrip()}")
    return error


def _construct(
    cls: type[GrpcError], raised: RaisedException, transcoder: Transcoder
) -> GrpcError | None:
    """Returns an exception of a class, or None when what was sent doesn't fit the class here."""
    try:
        assumed = (raised.message,) if raised.message else ()
        args = tuple(_decode(raised.args, transcoder, assumed))
        error: GrpcError = cls.__new__(cls, *args)
        # The class's own __init__ is passed over: it need not take what 'args' holds.
        builtin = next(base for base in cls.__mro__ if base.__module__ == "builtins")
        builtin.__init__(error, *args)  # type: ignore[misc]
        vars(error).update(_decode(raised.attributes, transcoder, {}))
        # Its text may need attributes that could not be sent.
        str(error)
    except Exception:
        logger.debug("%s can't be rebuilt", raised.topic, exc_info=True)
        return None
    return error


def _decode(encoded: bytes, transcoder: Transcoder, default: Any) -> Any:
    try:
        return transcoder.decode(encoded) if encoded else default
    except Exception:
        # The server's transcoder knows something that the caller's doesn't.
        return default


def _with_grpc_error(cls: type[Exception]) -> type[GrpcError] | None:
    """Returns a class that is both, or None when the class can't be combined with another."""
    if issubclass(cls, GrpcError):
        return cls
    if cls not in _combined_classes:
        namespace: dict[str, Any] = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        try:
            _combined_classes[cls] = type(cls.__name__, (cls, GrpcError), namespace)
        except TypeError:
            _combined_classes[cls] = None
    return _combined_classes[cls]


def _loaded_class(topic: str) -> type[GrpcError] | None:
    """Returns the class of a topic, combined with GrpcError, if its module has been imported."""
    module_name, _, qualname = topic.partition(":")
    obj: object = sys.modules.get(module_name)
    for part in qualname.split("."):
        obj = getattr(obj, part, None)
    if isinstance(obj, type) and issubclass(obj, Exception):
        return _with_grpc_error(obj)
    return None
