"""Failed calls -> exceptions: the one place where a client finds out what went wrong.

An exception that an application raised arrives as the same class, when this process has that
class loaded, and is at the same time a :class:`GrpcError`. No ``grpc.RpcError`` leaves this package.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import grpc
from eventsourcing.persistence import Transcoder

from eventsourcing_grpc.errors import (
    DeadlineExceeded,
    GrpcError,
    RemoteApplicationError,
    ServerStoppingError,
    ServiceUnavailable,
)
from eventsourcing_grpc.protos.application_pb2 import RaisedException

logger = logging.getLogger(__name__)

UNAVAILABLE_CODES = (
    grpc.StatusCode.UNAVAILABLE,
    # What grpcio answers when its server is stopped just as a call comes in.
    grpc.StatusCode.CANCELLED,
)
_combined_classes: dict[type[Exception], type[GrpcError] | None] = {}


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
