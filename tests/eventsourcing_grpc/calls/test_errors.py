"""The tree of errors, and how exceptions become statuses and exceptions again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import uuid4

import grpc
import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.domain import OriginatorVersionError
from eventsourcing.persistence import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    JSONTranscoder,
    MapperDeserialisationError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    UUIDAsHex,
)
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from eventsourcing_grpc import application_client, application_server
from eventsourcing_grpc.calls.error_receiving import error_from_rpc, was_never_sent
from eventsourcing_grpc.calls.error_sending import abort, status_code
from eventsourcing_grpc.errors import (
    ArgumentsError,
    ClientClosedError,
    DeadlineExceeded,
    GrpcError,
    MethodNotExposedError,
    RemoteApplicationError,
    RequestError,
    ResultNotEncodableError,
    ServerStoppingError,
    ServiceUnavailable,
    TooManyStreamsError,
    UnknownMethodError,
)
from tests.applications import NoteError, NoteTooLongError
from tests.waiting import DEADLINE

StatusCode = grpc.StatusCode
SERVER = "Orders on localhost:50051"


@contextmanager
def failing_call(
    fail: Callable[[grpc.ServicerContext], object], options: list[tuple[str, int]] | None = None
) -> Iterator[Callable[[], grpc.RpcError]]:
    """Yields what calls a server that fails in a given way, and returns what is raised."""

    def behavior(request: bytes, context: grpc.ServicerContext) -> bytes:
        fail(context)
        return b""

    server = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(behavior)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("x", {"y": handler}),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    with grpc.insecure_channel(f"localhost:{port}", options=options or []) as channel:

        def call() -> grpc.RpcError:
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary("/x/y", bytes, bytes)(b"", timeout=DEADLINE)
            return caught.value

        yield call
    server.stop(None).wait()


def transcoder() -> JSONTranscoder:
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    return transcoder


def sent(error: BaseException, **options: Any) -> grpc.RpcError:
    """Returns what a client with grpcio's own options gets for an exception."""

    def fail(context: grpc.ServicerContext) -> NoReturn:
        abort(context, error, transcoder=transcoder(), **options)

    with failing_call(fail) as call:
        return call()


def received(error: BaseException, **options: Any) -> GrpcError:
    return error_from_rpc(sent(error, **options), server=SERVER, transcoder=transcoder())


@pytest.mark.parametrize(
    "error_class",
    [
        ServiceUnavailable,
        DeadlineExceeded,
        ClientClosedError,
        RemoteApplicationError,
        RequestError,
        MethodNotExposedError,
        UnknownMethodError,
        ResultNotEncodableError,
        TooManyStreamsError,
    ],
)
def test_every_error_is_a_grpc_error(error_class: type[Exception]) -> None:
    assert issubclass(error_class, GrpcError)


def test_tree_is_by_cause() -> None:
    assert issubclass(ArgumentsError, RequestError)
    assert issubclass(ArgumentsError, TypeError)
    assert issubclass(ServerStoppingError, ServiceUnavailable)


def test_names_are_where_they_were_in_the_older_package() -> None:
    assert application_client.GrpcError is GrpcError
    assert application_client.ServiceUnavailable is ServiceUnavailable
    assert application_client.DeadlineExceeded is DeadlineExceeded
    assert application_client.ClientClosedError is ClientClosedError
    for name in ("GrpcApplicationServer", "start_server", "start_server_subprocess"):
        assert hasattr(application_server, name)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RequestError("x"), StatusCode.INVALID_ARGUMENT),
        (ArgumentsError("x"), StatusCode.INVALID_ARGUMENT),
        (MethodNotExposedError("x"), StatusCode.PERMISSION_DENIED),
        (UnknownMethodError("x"), StatusCode.UNIMPLEMENTED),
        (ResultNotEncodableError("x"), StatusCode.UNKNOWN),
        (ServerStoppingError("x"), StatusCode.UNAVAILABLE),
        (TooManyStreamsError("x"), StatusCode.RESOURCE_EXHAUSTED),
        (AggregateNotFoundError("x"), StatusCode.NOT_FOUND),
        (IntegrityError("x"), StatusCode.ABORTED),
        (PersistenceError("x"), StatusCode.UNKNOWN),
        (OperationalError("x"), StatusCode.UNKNOWN),
        (InterfaceError("x"), StatusCode.UNKNOWN),
        (DatabaseError("x"), StatusCode.UNKNOWN),
        (ProgrammingError("x"), StatusCode.UNKNOWN),
        (OriginatorVersionError("x"), StatusCode.FAILED_PRECONDITION),
        (MapperDeserialisationError("x"), StatusCode.FAILED_PRECONDITION),
        (ValueError("x"), StatusCode.INVALID_ARGUMENT),
        (AssertionError("x"), StatusCode.FAILED_PRECONDITION),
        (NoteError("x"), StatusCode.FAILED_PRECONDITION),
        (TypeError("x"), StatusCode.UNKNOWN),
        (KeyError("x"), StatusCode.UNKNOWN),
        (MemoryError(), StatusCode.UNKNOWN),
        (SystemExit(1), StatusCode.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value.name,
)
def test_status_tells_the_kind_of_an_exception(error: BaseException, code: StatusCode) -> None:
    assert status_code(error) is code


def test_what_another_server_said_is_not_said_of_this_one() -> None:
    for error in (ServerStoppingError("x"), RequestError("x"), MethodNotExposedError("x")):
        error.code = StatusCode.UNAVAILABLE
        assert status_code(error) is StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        (StatusCode.UNAVAILABLE, ServiceUnavailable),
        (StatusCode.DEADLINE_EXCEEDED, DeadlineExceeded),
        (StatusCode.INTERNAL, GrpcError),
        (StatusCode.UNIMPLEMENTED, GrpcError),
        (StatusCode.DATA_LOSS, GrpcError),
    ],
)
def test_statuses_of_other_servers_are_grpc_errors(
    code: StatusCode, error_class: type[GrpcError]
) -> None:
    with failing_call(lambda context: context.abort(code, "some words")) as call:
        error = error_from_rpc(call(), server=SERVER, transcoder=transcoder())
    assert type(error) is error_class
    assert error.code is code
    assert SERVER in str(error)


@pytest.mark.parametrize("details", [b"garbage", Status(code=1, message="x").SerializeToString()])
def test_details_that_do_not_fit_the_status_are_passed_over(details: bytes) -> None:
    def fail(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
        context.abort(StatusCode.INTERNAL, "some words")

    with failing_call(fail) as call:
        error = error_from_rpc(call(), server=SERVER, transcoder=transcoder())
    assert type(error) is GrpcError
    assert "some words" in str(error)


def test_call_that_found_no_server_was_never_sent() -> None:
    with grpc.insecure_channel("localhost:1") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/x/y", bytes, bytes)(b"", timeout=DEADLINE)
    assert was_never_sent(caught.value)


def test_call_that_came_too_late_was_never_sent() -> None:
    assert was_never_sent(sent(ServerStoppingError("too late")))


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.CANCELLED, StatusCode.UNKNOWN])
def test_call_that_failed_in_any_other_way_may_have_been_sent(code: StatusCode) -> None:
    with failing_call(lambda context: context.abort(code, "Socket closed")) as call:
        assert not was_never_sent(call())


def test_class_is_not_imported_for_the_purpose() -> None:
    hidden = type("NotHereError", (Exception,), {"__module__": "this.module.is.nowhere"})
    error = received(hidden("x"))
    assert type(error) is RemoteApplicationError
    assert error.topic == "this.module.is.nowhere:NotHereError"
    assert str(error) == "NotHereError: x"


def test_only_exceptions_are_made_of_topics() -> None:
    fake = type("Popen", (Exception,), {"__module__": "subprocess"})
    error = received(fake("x"))
    assert type(error) is RemoteApplicationError


def test_class_that_can_not_be_a_grpc_error_is_a_remote_application_error() -> None:
    error = received(SystemExit("x"))
    assert type(error) is RemoteApplicationError


def test_combined_class_is_the_same_each_time() -> None:
    first, second = received(NoteError("x")), received(NoteError("y"))
    assert type(first) is type(second)
    assert type(first).__qualname__ == "NoteError"
    assert type(first).__module__ == "tests.applications"


def test_violations_arrive_for_every_client() -> None:
    error = RequestError("wrong", {"start": "is not a number", "limit": "is too much"})
    rpc_error = sent(error)
    rebuilt = error_from_rpc(rpc_error, server=SERVER, transcoder=transcoder())
    assert isinstance(rebuilt, RequestError)
    assert rebuilt.violations == error.violations
    assert isinstance(rpc_error, grpc.Call)
    status = rpc_status.from_call(rpc_error)
    assert status is not None
    bad_request = BadRequest()
    assert status.details[-1].Unpack(bad_request)
    found = {v.field: v.description for v in bad_request.field_violations}
    assert found == error.violations


def test_traceback_is_sent_only_to_those_who_may_see_it() -> None:
    hidden = type("HiddenError", (Exception,), {})
    for with_traceback in (False, True):
        error = received(hidden("x"), with_traceback=with_traceback)
        assert isinstance(error, RemoteApplicationError)
        assert bool(error.traceback) is with_traceback
        assert hasattr(error, "__notes__") is with_traceback


@pytest.mark.parametrize("error_class", [OperationalError, InterfaceError, PersistenceError])
def test_what_a_database_says_is_not_sent_to_strangers(error_class: type[Exception]) -> None:
    rpc_error = sent(error_class("password=secret"))
    assert "secret" not in repr(rpc_error)
    error = error_from_rpc(rpc_error, server=SERVER, transcoder=transcoder())
    assert isinstance(error, error_class)
    assert "secret" not in repr((error, vars(error)))
    assert "server's log" in str(error)


def test_arguments_and_attributes_that_can_not_be_encoded_are_left_out() -> None:
    error = NoteError("words", object())
    vars(error).update(answer=42, obstacle=object(), length=3)
    rebuilt = received(error)
    assert isinstance(rebuilt, NoteError)
    assert rebuilt.args == (str(error),)
    assert vars(rebuilt)["answer"] == 42
    assert vars(rebuilt)["length"] == 3
    assert "obstacle" not in vars(rebuilt)


@pytest.mark.parametrize("text", ["x", "ä", "€", "\N{GRINNING FACE}", "\n"])
def test_largest_errors_arrive_at_clients_with_default_limits(text: str) -> None:
    # Metadata of more than 8 KiB would be refused, and the status with it.
    def raise_all() -> NoReturn:
        error = NoteError(text * 100_000, text * 500)
        vars(error).update({f"attribute {i}": text * 100 for i in range(100)})
        raise error

    with pytest.raises(NoteError) as caught:
        raise_all()
    for _ in range(5):
        error = received(caught.value, with_traceback=True)
        assert isinstance(error, NoteError)
        assert error.code is StatusCode.FAILED_PRECONDITION


def test_many_violations_arrive_at_clients_with_default_limits() -> None:
    error = RequestError("wrong", {f"field {i}": "is wrong " * 100 for i in range(1_000)})
    rebuilt = received(error)
    assert isinstance(rebuilt, RequestError)
    assert rebuilt.code is StatusCode.INVALID_ARGUMENT
    assert rebuilt.violations == {}


def test_exception_with_a_constructor_of_its_own_is_rebuilt() -> None:
    note_id = uuid4()
    rebuilt = received(NoteTooLongError(note_id, 7))
    assert isinstance(rebuilt, NoteTooLongError)
    assert (rebuilt.note_id, rebuilt.limit) == (note_id, 7)
    assert str(rebuilt) == str(NoteTooLongError(note_id, 7))
