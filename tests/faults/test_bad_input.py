"""Bad input gets a clear error, and nothing is lost: the server goes on as if it had not come."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from eventsourcing_grpc.application_client import GrpcApplicationClient, connect
from eventsourcing_grpc.application_server import (
    AddressUnavailableError,
    GrpcApplicationServer,
    start_server,
)
from eventsourcing_grpc.credentials import CertificateError
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.errors import (
    ArgumentsError,
    MethodNotExposedError,
    RequestError,
    ResultNotEncodableError,
    UnknownMethodError,
)
from eventsourcing_grpc.protos import application_pb2 as pb
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from eventsourcing_grpc.topics import TopicArgumentError, resolve_application, resolve_system
from eventsourcing_grpc.user_errors import UserError
from make_certificates import make_certificate, make_root, write
from tests.applications import Notebook
from tests.certificates import NAMES, new_certificates
from tests.serving import ClientOf, Serve, address_env, free_address
from tests.waiting import DEADLINE

SERVICE = "/eventsourcing_grpc.v1.Application"
NOTEBOOK = "tests.applications:Notebook"


@pytest.fixture
def server(serve: Serve) -> GrpcApplicationServer:
    return serve(Notebook)


@pytest.fixture
def client(server: GrpcApplicationServer, client_of: ClientOf) -> GrpcApplicationClient[Notebook]:
    return client_of(Notebook, server)


def assert_goes_on(client: GrpcApplicationClient[Notebook]) -> None:
    """Makes sure that the server does what it is there for."""
    before = len(client.get_notifications(1, 1_000))
    note_id = client.app.add_note("good")
    assert client.app.get_text(note_id) == "good"
    assert len(client.get_notifications(1, 1_000)) == before + 1


def assert_is_one_line(error: BaseException) -> None:
    """Makes sure that an error is for people."""
    assert str(error)
    assert "\n" not in str(error)


def status_of_call(server: GrpcApplicationServer, method: str, body: bytes) -> grpc.Call:
    """Sends a request body as it is, and returns the call that failed."""
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"{SERVICE}/{method}", bytes, bytes)(body, timeout=DEADLINE)
    assert isinstance(caught.value, grpc.Call)
    return caught.value


# Topics.


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "no.such.module:Thing",
        "tests.applications:Nothing",
        "a b",
        "../x:y",
        ":Orders",
        "x" * 999,
    ],
)
def test_topic_that_does_not_resolve(topic: str) -> None:
    for resolve in (resolve_application, resolve_system):
        with pytest.raises(TopicArgumentError) as caught:
            resolve(topic)
        assert repr(topic) in str(caught.value)
        assert_is_one_line(caught.value)


@pytest.mark.parametrize(
    "topic", ["tests.applications:Note", "eventsourcing_grpc.example:system", "tests.applications"]
)
def test_topic_that_is_no_application(topic: str) -> None:
    with pytest.raises(TopicArgumentError, match="not an application class") as caught:
        resolve_application(topic)
    assert_is_one_line(caught.value)


@pytest.mark.parametrize("topic", [NOTEBOOK, "tests.applications:Note", "tests.applications"])
def test_topic_that_is_no_system(topic: str) -> None:
    with pytest.raises(TopicArgumentError, match=r"not a system|without a system") as caught:
        resolve_system(topic)
    assert_is_one_line(caught.value)


# Addresses, certificates and intervals, which are told before anything is started.


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "set NOTEBOOK_GRPC_SERVER_ADDRESS"),
        ("localhost", "NOTEBOOK_GRPC_SERVER_ADDRESS='localhost'"),
        ("localhost:x", "NOTEBOOK_GRPC_SERVER_ADDRESS='localhost:x'"),
        ("localhost:99999", "NOTEBOOK_GRPC_SERVER_ADDRESS='localhost:99999'"),
    ],
)
def test_address_missing_or_malformed(value: str, words: str) -> None:
    env = {"NOTEBOOK_GRPC_SERVER_ADDRESS": value}
    for use in (start_server, connect):
        with pytest.raises(EnvironmentVariableError, match=re.escape(words)) as caught:
            use(Notebook, env)
        assert_is_one_line(caught.value)


def test_address_taken(server: GrpcApplicationServer) -> None:
    with pytest.raises(AddressUnavailableError, match="Notebook can't be served on") as caught:
        start_server(Notebook, address_env(Notebook, server.address))
    assert server.address in str(caught.value)
    assert_is_one_line(caught.value)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_address_of_another_machine(host: str, tmp_path: Path) -> None:
    env = {**address_env(Notebook, f"{host}:50051"), **new_certificates(tmp_path)}
    with pytest.raises(AddressUnavailableError, match=f"Notebook .* {host}") as caught:
        start_server(Notebook, env)
    assert_is_one_line(caught.value)


def test_unix_socket_in_a_directory_that_is_not_there() -> None:
    with pytest.raises(AddressUnavailableError, match="/nowhere/socket") as caught:
        start_server(Notebook, address_env(Notebook, "unix:/nowhere/socket"))
    assert_is_one_line(caught.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "No such file"),
        ("unreadable", "can't be read"),
        ("expired", "expired"),
        ("other key", "is not the key of"),
    ],
)
def test_certificate_that_can_not_be_used(tmp_path: Path, fault: str, words: str) -> None:
    env = {**address_env(Notebook, free_address()), **new_certificates(tmp_path)}
    match fault:
        case "missing":
            (tmp_path / "owner.crt").unlink()
        case "unreadable":
            (tmp_path / "owner.crt").unlink()
            (tmp_path / "owner.crt").mkdir()
        case "expired":
            root = make_root()
            long_ago = root.certificate.not_valid_before_utc.replace(year=2020)
            then = long_ago.replace(year=2021)
            expired = make_certificate(root, NAMES, not_before=long_ago, not_after=then)
            write(tmp_path, "owner", expired)
            write(tmp_path, "root", root)
        case "other key":
            others = new_certificates(tmp_path / "others")
            env["GRPC_SSL_PRIVATE_KEY_PATH"] = others["GRPC_SSL_PRIVATE_KEY_PATH"]
    for use in (start_server, connect):
        with pytest.raises(CertificateError, match=words) as caught:
            use(Notebook, env)
        assert str(tmp_path) in str(caught.value)
        assert_is_one_line(caught.value)


@pytest.mark.parametrize("value", ["abc", "-1", "0"])
def test_interval_that_is_none(value: str) -> None:
    env = {**address_env(Notebook, free_address()), "MAX_PULL_INTERVAL": value}
    with pytest.raises(EnvironmentVariableError, match=f"MAX_PULL_INTERVAL='{value}'") as caught:
        start_server(Notebook, env)
    assert_is_one_line(caught.value)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"APPLICATION_TOPIC": "no.such:Thing"}, "no.such:Thing"),
        ({"NOTEBOOK_GRPC_SERVER_ADDRESS": "nonsense"}, "nonsense"),
        ({"NOTEBOOK_GRPC_SERVER_ADDRESS": "0.0.0.0:50051"}, "GRPC_SSL_PRIVATE_KEY_PATH"),
        ({"MAX_PULL_INTERVAL": "abc"}, "'abc'"),
        ({"TRANSCODER_TOPIC": "no.such:Transcoder"}, "no.such"),
    ],
)
def test_server_process_that_can_not_start_says_why_in_one_line(
    env: dict[str, str], words: str
) -> None:
    own = {"APPLICATION_TOPIC": NOTEBOOK, **address_env(Notebook, free_address())}
    ended = subprocess.run(
        [sys.executable, "-m", "eventsourcing_grpc", "server", "--log-level", "error"],
        env={"PATH": "", **own, **env},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert words in line


def test_every_error_that_a_person_can_mend_is_one() -> None:
    for error_class in (
        TopicArgumentError,
        AddressUnavailableError,
        CertificateError,
        EnvironmentVariableError,
    ):
        assert issubclass(error_class, UserError)


# Methods and arguments.


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("_private", MethodNotExposedError),
        ("shelf", MethodNotExposedError),
        ("close", MethodNotExposedError),
        ("save", MethodNotExposedError),
        ("construct_mapper", MethodNotExposedError),
        ("__class__", MethodNotExposedError),
        ("get_txt", UnknownMethodError),
    ],
)
def test_method_that_can_not_be_called(
    client: GrpcApplicationClient[Notebook], name: str, error_class: type[Exception]
) -> None:
    with pytest.raises(error_class, match=name) as caught:
        client.call_application_method(name)
    assert_is_one_line(caught.value)
    assert_goes_on(client)


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((), {"first": 1, "unknown": 2})]
)
def test_too_few_and_too_many_arguments(
    client: GrpcApplicationClient[Notebook], args: tuple[int, ...], kwargs: dict[str, int]
) -> None:
    with pytest.raises(ArgumentsError, match=r"Notebook\.add") as caught:
        client.call_application_method("add", args, kwargs)
    assert_is_one_line(caught.value)
    assert_goes_on(client)


def test_arguments_of_another_type(client: GrpcApplicationClient[Notebook]) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        client.call_application_method("add", [1, "2"], {})
    assert_goes_on(client)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (b"not JSON", b""),
        (b"\xff\xfe", b""),
        (b'{"first": 1}', b""),
        (b'"text"', b""),
        (b"5", b""),
        (b"null", b""),
        (b"", b"not JSON"),
        (b"", b"[1]"),
        (b'[{"_type_": "no such", "_data_": 1}]', b""),
        (b"[" * 100_000, b""),
    ],
)
def test_undecodable_arguments(
    server: GrpcApplicationServer,
    client: GrpcApplicationClient[Notebook],
    args: bytes,
    kwargs: bytes,
) -> None:
    request = pb.CallMethodRequest(method="add", args=args, kwargs=kwargs)
    call = status_of_call(server, "CallMethod", request.SerializeToString())
    assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (call.details() or "").startswith("ArgumentsError: The arguments of add() ")
    assert_goes_on(client)


def test_result_that_the_transcoder_can_not_encode(client: GrpcApplicationClient[Notebook]) -> None:
    with pytest.raises(ResultNotEncodableError, match="return_object") as caught:
        client.app.return_object()
    assert_is_one_line(caught.value)
    assert_goes_on(client)


# The notification log.


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_that_selects_nothing(client: GrpcApplicationClient[Notebook], limit: int) -> None:
    with pytest.raises(RequestError, match=f"limit={limit}") as caught:
        client.get_notifications(1, limit)
    assert_is_one_line(caught.value)
    assert_goes_on(client)


def test_limit_0_of_any_client(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook]
) -> None:
    call = status_of_call(server, "SelectNotifications", b"")
    assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "limit=0" in (call.details() or "")
    assert_goes_on(client)


def test_limit_without_end(client: GrpcApplicationClient[Notebook]) -> None:
    client.app.add_notes(1_500)
    assert len(client.get_notifications(1, 10**9)) == 1_500


@pytest.mark.parametrize("start", [2, 10**9, 2**63, 2**64 - 1])
def test_start_beyond_the_head(client: GrpcApplicationClient[Notebook], start: int) -> None:
    client.app.add_note("only one")
    assert client.get_notifications(start, 10) == []
    assert_goes_on(client)


@pytest.mark.parametrize("after", [2, 10**9, 2**63, 2**64 - 1])
def test_subscription_beyond_the_head(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook], after: int
) -> None:
    client.app.add_note("only one")
    with grpc.insecure_channel(server.address) as channel:
        stub = ApplicationStub(channel)
        batches = stub.Subscribe(pb.SubscribeRequest(after=after), timeout=DEADLINE)
        first = next(iter(batches))
        batches.cancel()
    assert first.head == 1
    assert not first.notifications
    assert_goes_on(client)


def test_notification_over_4_mib(client: GrpcApplicationClient[Notebook]) -> None:
    text = "x" * (5 * 1024 * 1024)
    note_id = client.app.add_note(text)
    assert client.app.get_text(note_id) == text
    (selected,) = client.get_notifications(1, 10)
    assert len(selected.state) > 5 * 1024 * 1024
    assert next(client.subscribe()) == selected
    assert_goes_on(client)


# What is no request at all.


@pytest.mark.parametrize("method", ["CallMethod", "SelectNotifications", "Subscribe"])
def test_garbage_request_body(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook], method: str
) -> None:
    call = status_of_call(server, method, b"\xff" * 100)
    assert call.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert "deserializing request" in (call.details() or "")
    assert_goes_on(client)


def test_method_of_the_service_that_is_not_there(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook]
) -> None:
    assert status_of_call(server, "NoSuch", b"").code() is grpc.StatusCode.UNIMPLEMENTED
    assert_goes_on(client)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1_000, b""])
def test_garbage_connection(
    server: GrpcApplicationServer, client: GrpcApplicationClient[Notebook], data: bytes
) -> None:
    port = int(server.address.rpartition(":")[2])
    with socket.create_connection(("localhost", port), timeout=DEADLINE) as connection:
        connection.sendall(data)
    assert_goes_on(client)
