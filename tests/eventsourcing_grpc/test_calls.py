"""Calls of methods: what may be called, what is sent again, and which errors arrive how."""

from __future__ import annotations

from uuid import UUID, uuid4

import grpc
import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import IntegrityError, OperationalError
from eventsourcing.utils import EnvType
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from eventsourcing_grpc import application_client
from eventsourcing_grpc.application_client import GrpcApplicationClient, ServiceUnavailable
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.errors import (
    ArgumentsError,
    GrpcError,
    MethodNotExposedError,
    RemoteApplicationError,
    ResultNotEncodableError,
    ServerStoppingError,
    UnknownMethodError,
)
from eventsourcing_grpc.methods import command, query
from eventsourcing_grpc.protos.application_pb2 import CallMethodRequest
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from tests.applications import Notebook, NoteError, NoteTooLongError
from tests.serving import ClientOf, InBackground, Serve
from tests.waiting import DEADLINE

StatusCode = grpc.StatusCode


class Relay(Application[UUID]):
    """Calls another server, which is stopping."""

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        self._executions = 0

    @command
    def pass_on(self) -> None:
        self._executions += 1
        error = ServerStoppingError("The server of Other is stopping")
        error.code = StatusCode.UNAVAILABLE
        raise error

    @query
    def count(self) -> int:
        return self._executions


@pytest.fixture
def server(serve: Serve) -> GrpcApplicationServer:
    return serve(Notebook)


@pytest.fixture
def client(server: GrpcApplicationServer, client_of: ClientOf) -> GrpcApplicationClient[Notebook]:
    return client_of(Notebook, server)


@pytest.fixture
def app(client: GrpcApplicationClient[Notebook]) -> Notebook:
    return client.app


def test_methods_are_called_with_their_arguments(app: Notebook) -> None:
    assert app.add(1) == 2
    assert app.add(1, 2) == 3
    assert app.add(1, second=2, third=3) == 6
    assert app.add(first=5) == 6
    assert app.echo(1, [2], key={"a": None}) == [[1, [2]], {"key": {"a": None}}]


def test_static_and_class_methods_are_called(app: Notebook) -> None:
    assert app.greet("you") == "Hello you"
    assert app.get_name() == "Notebook"


def test_identifiers_of_any_type_arrive_as_they_were(app: Notebook) -> None:
    note_id = app.add_note("text")
    assert isinstance(note_id, UUID)
    assert app.get_text(note_id) == "text"
    assert app.extend_note(note_id, " and more") is None
    assert app.get_text(note_id=note_id) == "text and more"


def test_large_arguments_and_results_pass(app: Notebook) -> None:
    text = "ä" * 5_000_000
    assert app.echo(text) == [[text], {}]


def test_request_over_the_servers_limit_is_refused_in_words(app: Notebook) -> None:
    with pytest.raises(GrpcError, match="larger than max") as caught:
        app.echo("x" * (65 * 1024 * 1024))
    assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
    assert app.get_name() == "Notebook"


def test_argument_that_can_not_be_encoded_is_not_sent(app: Notebook) -> None:
    with pytest.raises(TypeError) as caught:
        app.echo(object())
    assert "Notebook.echo()" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_private", "is private"),
        ("__init__", "is private"),
        ("shelf", "is a property"),
        ("Settings", "is a class"),
        ("max_length", "is a class variable"),
        ("close", "belongs to the eventsourcing library"),
        ("save", "belongs to the eventsourcing library"),
        ("repository", "belongs to the eventsourcing library"),
        ("construct_recorder", "belongs to the eventsourcing library"),
    ],
)
def test_what_is_not_the_authors_method_is_refused(
    client: GrpcApplicationClient[Notebook], name: str, reason: str
) -> None:
    with pytest.raises(MethodNotExposedError, match=reason) as caught:
        client.call_application_method(name)
    assert caught.value.code is StatusCode.PERMISSION_DENIED
    assert client.app.get_name() == "Notebook"


@pytest.mark.parametrize("name", ["get_txt", "", "a.b", "x" * 100_000, "ünïcode", "a\nb"])
def test_unknown_method_is_refused(client: GrpcApplicationClient[Notebook], name: str) -> None:
    with pytest.raises(UnknownMethodError, match="Notebook has no method") as caught:
        client.call_application_method(name)
    assert caught.value.code is StatusCode.UNIMPLEMENTED
    assert "\n" not in str(caught.value)


def test_near_name_is_suggested(client: GrpcApplicationClient[Notebook]) -> None:
    with pytest.raises(UnknownMethodError, match="did you mean 'get_text'"):
        client.call_application_method("get_txt")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [([], {}), ([1, 2, 3], {}), ([], {"first": 1, "forth": 4}), ([1], {"first": 1})],
    ids=["too few", "too many", "another name", "twice"],
)
def test_arguments_that_do_not_fit_are_refused(
    client: GrpcApplicationClient[Notebook], args: list[int], kwargs: dict[str, int]
) -> None:
    with pytest.raises(ArgumentsError, match=r"Notebook\.add\(first: int") as caught:
        client.call_application_method("add", args, kwargs)
    assert isinstance(caught.value, TypeError)
    assert caught.value.code is StatusCode.INVALID_ARGUMENT


def test_result_that_can_not_be_encoded_is_told(app: Notebook) -> None:
    with pytest.raises(ResultNotEncodableError, match="was executed, but the object") as caught:
        app.return_object()
    assert caught.value.code is StatusCode.UNKNOWN


def test_library_errors_arrive_as_themselves(app: Notebook) -> None:
    with pytest.raises(AggregateNotFoundError) as caught:
        app.get_text(uuid4())
    assert isinstance(caught.value, GrpcError)
    assert caught.value.code is StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("kind", "error_class", "code"),
    [
        ("value", ValueError, StatusCode.INVALID_ARGUMENT),
        ("assertion", AssertionError, StatusCode.FAILED_PRECONDITION),
        ("integrity", IntegrityError, StatusCode.ABORTED),
        ("own", NoteError, StatusCode.FAILED_PRECONDITION),
        ("key", KeyError, StatusCode.UNKNOWN),
        ("type", TypeError, StatusCode.UNKNOWN),
        ("os", FileNotFoundError, StatusCode.UNKNOWN),
    ],
)
def test_exceptions_arrive_as_themselves_and_as_grpc_errors(
    app: Notebook, kind: str, error_class: type[Exception], code: StatusCode
) -> None:
    with pytest.raises(error_class) as caught:
        app.fail(kind)
    assert isinstance(caught.value, GrpcError)
    assert type(caught.value).__name__ == error_class.__name__
    assert "it failed" in str(caught.value)
    assert caught.value.code is code


def test_exceptions_of_the_operating_system_arrive_with_their_attributes(app: Notebook) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        app.fail("os")
    assert str(caught.value) == "[Errno 2] it failed: '/nowhere'"
    assert caught.value.errno == 2
    assert caught.value.filename == "/nowhere"


def test_own_exceptions_arrive_with_their_arguments_and_attributes(app: Notebook) -> None:
    note_id = app.add_note("x" * 999)
    with pytest.raises(NoteTooLongError, match="more than 1000 characters") as caught:
        app.extend_note(note_id, "xx")
    assert caught.value.note_id == note_id
    assert caught.value.limit == 1_000
    assert len(caught.value.args) == 1
    assert app.get_text(note_id) == "x" * 999


def test_exception_without_arguments_arrives_without(app: Notebook) -> None:
    with pytest.raises(AssertionError) as caught:
        app.fail("silent assertion")
    assert caught.value.args == ()


def test_notes_and_traceback_arrive_on_loopback(app: Notebook) -> None:
    with pytest.raises(NoteError) as caught:
        app.fail("noted")
    found, traceback = caught.value.__notes__
    assert found == "look under the table"
    assert "tests.applications.NoteError: it failed" in traceback


def test_exception_whose_class_is_not_loaded_is_a_remote_application_error(app: Notebook) -> None:
    with pytest.raises(RemoteApplicationError, match="HiddenError: it failed") as caught:
        app.fail("hidden")
    assert caught.value.topic == "tests.applications:HiddenError"
    assert "tests/applications.py" in caught.value.traceback
    assert caught.value.code is StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("stateful", "StatefulError: caused by object"),
        ("unspeakable", "UnspeakableError"),
        ("unicode", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff"),
        ("exit", "SystemExit: it failed"),
    ],
)
def test_exception_that_can_not_be_rebuilt_is_a_remote_application_error(
    app: Notebook, kind: str, message: str
) -> None:
    with pytest.raises(RemoteApplicationError, match=message):
        app.fail(kind)
    assert app.get_name() == "Notebook"


@pytest.mark.parametrize("text", ["x" * 1_000_000, "€" * 1_000_000, "\N{GRINNING FACE}" * 250_000])
def test_huge_messages_of_exceptions_arrive_shortened(app: Notebook, text: str) -> None:
    with pytest.raises(NoteError) as caught:
        app.fail("own", text)
    message = str(caught.value)
    assert message.endswith("…")
    assert text.startswith(message[:-1])
    assert 200 < len(message) <= 1_000


@pytest.mark.parametrize("text", ["two\nlines", "\x00\x1b[31m", "🙂 ünïcode", "\ud800 surrogate"])
def test_any_text_of_an_exception_arrives(server: GrpcApplicationServer, text: str) -> None:
    # As JSON with escapes, since clients can't encode a lone surrogate.
    request = CallMethodRequest(method="fail", args=b'["own", ' + _json(text) + b"]")
    with grpc.insecure_channel(server.address) as channel:
        stub = ApplicationStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.CallMethod(request, timeout=DEADLINE)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is StatusCode.FAILED_PRECONDITION
    details = caught.value.details()
    assert details is not None
    assert details.startswith("NoteError: ")


def _json(text: str) -> bytes:
    return b'"' + b"".join(b"\\u%04x" % unit for unit in _utf16(text)) + b'"'


def _utf16(text: str) -> list[int]:
    encoded = text.encode("utf-16-be", errors="surrogatepass")
    return [int.from_bytes(encoded[i : i + 2], "big") for i in range(0, len(encoded), 2)]


@pytest.mark.parametrize(
    ("method", "args", "code", "reason", "topic"),
    [
        (
            "fail",
            b'["own"]',
            StatusCode.FAILED_PRECONDITION,
            "NOTE_ERROR",
            "tests.applications:NoteError",
        ),
        ("fail", b'["value"]', StatusCode.INVALID_ARGUMENT, "VALUE_ERROR", "builtins:ValueError"),
        (
            "_private",
            b"",
            StatusCode.PERMISSION_DENIED,
            "METHOD_NOT_EXPOSED_ERROR",
            "eventsourcing_grpc.errors:MethodNotExposedError",
        ),
        (
            "add",
            b"[]",
            StatusCode.INVALID_ARGUMENT,
            "ARGUMENTS_ERROR",
            "eventsourcing_grpc.errors:ArgumentsError",
        ),
    ],
)
def test_any_grpc_client_finds_an_error_info(
    server: GrpcApplicationServer,
    method: str,
    args: bytes,
    code: StatusCode,
    reason: str,
    topic: str,
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        stub = ApplicationStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.CallMethod(CallMethodRequest(method=method, args=args), timeout=DEADLINE)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is code
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == reason
    assert info.domain == "eventsourcing_grpc"
    assert info.metadata["topic"] == topic


def test_what_a_database_says_arrives_on_loopback(app: Notebook) -> None:
    # Callers elsewhere are only told that there is something in the server's log.
    with pytest.raises(OperationalError, match="it failed") as caught:
        app.fail("database")
    assert isinstance(caught.value, GrpcError)
    assert caught.value.code is StatusCode.UNKNOWN


def test_command_that_failed_is_executed_once(app: Notebook) -> None:
    with pytest.raises(NoteError):
        app.fail("own")
    assert app.count_executions("fail") == 1


def test_query_is_sent_again_when_the_server_goes_away(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook]
) -> None:
    querying = InBackground(client.app.wait_in_query)
    assert client.app.await_waiting()
    server.stop(wait=True)
    server.start()
    client.app.release()
    assert querying.result() == 2


@pytest.mark.parametrize("name", ["wait_in_command", "wait_without_mark"])
def test_command_whose_outcome_is_unknown_is_not_sent_again(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook], name: str
) -> None:
    commanding = InBackground(getattr(client.app, name))
    assert client.app.await_waiting()
    server.stop(wait=True)
    server.start()
    with pytest.raises(ServiceUnavailable, match="Notebook on localhost") as caught:
        commanding.result()
    assert "not known" in caught.value.__notes__[0]
    client.app.release()
    assert client.app.count_executions(name) == 1


def test_command_is_sent_when_the_server_is_back(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook]
) -> None:
    client.ping()
    server.stop(wait=True)
    # There is no connection, so nothing can have arrived.
    commanding = InBackground(lambda: client.app.add_note("late"))
    server.start()
    assert client.app.get_text(commanding.result()) == "late"
    assert len(client.get_notifications(1, 10)) == 1


def test_call_of_a_server_that_is_gone_is_given_up(
    server: GrpcApplicationServer,
    client: GrpcApplicationClient[Notebook],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(application_client, "UNAVAILABLE_TIMEOUT", 0.5)
    client.ping()
    server.stop(wait=True)
    with pytest.raises(ServiceUnavailable, match="Notebook on localhost") as caught:
        client.app.add_note("x")
    # It is certain that nothing has been executed.
    assert not hasattr(caught.value, "__notes__")


def test_error_of_another_server_does_not_make_a_command_be_sent_again(
    serve: Serve, client_of: ClientOf
) -> None:
    # What was never sent to the other server was sent to this one.
    app = client_of(Relay, serve(Relay)).app
    with pytest.raises(ServiceUnavailable, match="Other is stopping") as caught:
        app.pass_on()
    assert isinstance(caught.value, GrpcError)
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
    assert app.count() == 1
