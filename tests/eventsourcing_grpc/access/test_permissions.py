"""Who may do what, by the names of certificates: the policy, and servers that keep to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from cryptography import x509
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from eventsourcing_grpc.access.peer_identity import PeerIdentity
from eventsourcing_grpc.access.permissions import (
    CALL_METHOD,
    Access,
    Permissions,
    access_to,
    permissions,
)
from eventsourcing_grpc.application_client import GrpcApplicationClient, connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.calls.error_receiving import raised_exception
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.errors import (
    ArgumentsError,
    GrpcError,
    PermissionDeniedError,
    ResultNotEncodableError,
)
from eventsourcing_grpc.example import Orders, system
from eventsourcing_grpc.methods import command
from eventsourcing_grpc.protos import application_pb2
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.runner import GrpcRunner
from make_certificates import KeyAndCertificate
from tests.applications import Notebook
from tests.certificates import Authority, channel_with
from tests.serving import ClientOf, Serve, address_env
from tests.system import applications
from tests.system.applications import Fussy, Letters
from tests.system.serving import application_of, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

AUDIT = "eventsourcing_grpc.audit"
Files = dict[str, str]
ALICE, OSCAR, STRANGER = ("alice",), ("oscar",), ("mallory",)
APPLICATION = "/eventsourcing_grpc.v1.Application"
OPERATIONS = "/eventsourcing_grpc.v1.Operations"
UNSET = Permissions()
CLIENTS = Permissions(allowed_clients=frozenset(ALICE))
OPERATORS = Permissions(operators=frozenset(OSCAR))
BOTH = Permissions(allowed_clients=frozenset(ALICE), operators=frozenset(OSCAR))

# Who of alice, oscar and mallory may call, look into, and operate a server.
POLICY: list[tuple[Permissions, str, str, str]] = [
    (UNSET, "alice oscar mallory", "alice oscar mallory", "alice oscar mallory"),
    (CLIENTS, "alice", "alice", "alice"),
    (OPERATORS, "alice oscar mallory", "oscar", "oscar"),
    (BOTH, "alice oscar", "alice oscar", "oscar"),
]


@pytest.mark.parametrize(("policy", "callers", "readers", "changers"), POLICY)
def test_lists_decide_who_may_do_what(
    policy: Permissions, callers: str, readers: str, changers: str
) -> None:
    wanted = {Access.CALL: callers, Access.READ: readers, Access.CHANGE: changers}
    for access, names in product(wanted, (ALICE, OSCAR, STRANGER)):
        assert policy.allow(access, names) == (names[0] in wanted[access].split())
        assert policy.allow(Access.HEALTH, names)
    assert policy.allow(Access.HEALTH, ())


@pytest.mark.parametrize("policy", [CLIENTS, OPERATORS, BOTH])
def test_who_has_no_name_is_a_stranger_to_lists(policy: Permissions) -> None:
    assert policy.are_limited
    assert not policy.allow(Access.CHANGE, ())
    assert not policy.allow(Access.READ, ())


@pytest.mark.parametrize("names", [("x", "alice"), ("alice", "x"), ("alice", "oscar")])
def test_any_name_of_a_certificate_will_do(names: tuple[str, ...]) -> None:
    assert BOTH.allow(Access.CALL, names)


@pytest.mark.parametrize("name", ["Alice", "alice.example", "alic", " alice", "*", ""])
def test_names_are_compared_as_a_whole(name: str) -> None:
    assert not CLIENTS.allow(Access.CALL, (name,))


def test_tracebacks_are_for_operators_and_this_machine() -> None:
    def sees(policy: Permissions, names: tuple[str, ...], *, is_loopback: bool = False) -> bool:
        address = "ipv4:127.0.0.1:1" if is_loopback else "ipv4:10.0.0.7:1"
        return policy.may_see_tracebacks(PeerIdentity(names, address))

    assert sees(BOTH, OSCAR)
    assert not sees(BOTH, ALICE)
    # Nobody has been named an operator.
    assert not sees(UNSET, OSCAR)
    assert sees(UNSET, (), is_loopback=True)
    assert sees(BOTH, ALICE, is_loopback=True)


def _methods(file: FileDescriptor) -> list[str]:
    services = file.services_by_name.values()
    return [
        f"/{service.full_name}/{method.name}" for service in services for method in service.methods
    ]


def test_every_method_has_its_access() -> None:
    reading = {"Describe", "Watch", "ReadEvents", "ReadAggregate"}
    for method in _methods(application_pb2.DESCRIPTOR):
        assert access_to(method) is Access.CALL
    for method in _methods(pb.DESCRIPTOR):
        name = method.rpartition("/")[2]
        assert access_to(method) is (Access.READ if name in reading else Access.CHANGE)
    assert access_to(CALL_METHOD, is_command=False) is Access.READ
    assert access_to(f"{APPLICATION}/CallMethod", is_command=False) is Access.CALL
    assert access_to("/grpc.health.v1.Health/Check") is Access.HEALTH
    assert access_to("/grpc.health.v1.Health/Watch") is Access.HEALTH
    assert (
        access_to("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo") is Access.READ
    )


@pytest.mark.parametrize(
    "method",
    [
        f"{OPERATIONS}/Watch2",
        f"{OPERATIONS}/",
        "/eventsourcing_grpc.v2.Operations/Watch",
        "/other.Service/Describe",
        "Describe",
        "",
    ],
)
def test_what_is_not_known_is_for_operators(method: str) -> None:
    assert access_to(method, is_command=False) is Access.CHANGE


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("alice", {"alice"}),
        ("alice,bob", {"alice", "bob"}),
        (" alice , bob\n", {"alice", "bob"}),
        ("alice bob,,carol", {"alice", "bob", "carol"}),
        ("10.0.0.7 ::1", {"10.0.0.7", "::1"}),
        (
            "spiffe://shop.example/ns/default/sa/orders",
            {"spiffe://shop.example/ns/default/sa/orders"},
        ),
        ("orders-1.shop_a.example", {"orders-1.shop_a.example"}),
        ("Jörg", {"Jörg"}),
    ],
)
@pytest.mark.parametrize("variable", ["GRPC_OPERATORS", "ORDERS_GRPC_OPERATORS"])
def test_lists_are_separated_by_commas_or_spaces(variable: str, text: str, names: set[str]) -> None:
    assert permissions({variable: text}, "Orders") == Permissions(operators=frozenset(names))


def test_lists_of_one_application_count_more() -> None:
    env = {"GRPC_ALLOWED_CLIENTS": "alice", "ORDERS_GRPC_ALLOWED_CLIENTS": "bob"}
    assert permissions(env, "Orders").allowed_clients == frozenset({"bob"})
    assert permissions(env, "Payments").allowed_clients == frozenset({"alice"})
    assert permissions({}, "Orders") == UNSET


@pytest.mark.parametrize(
    "text", ["", " ", ",", "*", "*.example", "a;b", "CN=alice", '"alice"', "['a']", "[::1]"]
)
@pytest.mark.parametrize("variable", ["GRPC_ALLOWED_CLIENTS", "ORDERS_GRPC_OPERATORS"])
def test_what_is_no_list_of_names_is_told(variable: str, text: str) -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        permissions({variable: text}, "Orders")
    message = str(caught.value)
    assert message.startswith(f"{variable}={text!r} ")
    assert message.endswith("A good one is 'orders, ops.example'")
    assert "\n" not in message
    with pytest.raises(EnvironmentVariableError):
        GrpcApplicationServer(Orders, {"ORDERS_GRPC_SERVER_ADDRESS": "localhost:0", variable: text})


@dataclass
class Party:
    """Somebody with a certificate, who may or may not be let in by a server of a Notebook."""

    client: GrpcApplicationClient[Notebook]
    operations: OperationsStub
    channel: grpc.Channel

    def call(self, method: str) -> object:
        request = pb.OperationsCallMethodRequest(method=method)
        return self.operations.CallMethod(request, timeout=DEADLINE)

    def check_health(self) -> HealthCheckResponse:
        response: HealthCheckResponse
        response = HealthStub(self.channel).Check(HealthCheckRequest(), timeout=DEADLINE)
        return response

    def watch_health(self) -> HealthCheckResponse:
        call = HealthStub(self.channel).Watch(HealthCheckRequest(), timeout=DEADLINE)
        response: HealthCheckResponse = next(iter(call))
        return response


Attempt = Callable[[Party], object]
CALL_ATTEMPTS: list[Attempt] = [
    lambda party: party.client.app.get_name(),
    lambda party: party.client.app.add_note("x"),
    lambda party: party.client.get_notifications(1, 1),
    lambda party: next(party.client.subscribe()),
]
READ_ATTEMPTS: list[Attempt] = [
    lambda party: party.operations.Describe(pb.DescribeRequest(), timeout=DEADLINE),
    lambda party: next(iter(party.operations.Watch(pb.WatchRequest(), timeout=DEADLINE))),
    lambda party: party.operations.ReadEvents(pb.ReadEventsRequest(limit=1), timeout=DEADLINE),
    lambda party: party.operations.ReadAggregate(
        pb.ReadAggregateRequest(originator_id=str(uuid4())), timeout=DEADLINE
    ),
    lambda party: party.call("get_name"),
    lambda party: party.call("close"),
    lambda party: ProtoReflectionDescriptorDatabase(party.channel).get_services(),
]
CHANGE_ATTEMPTS: list[Attempt] = [
    lambda party: party.call("add_note"),
    lambda party: party.operations.PauseFollowing(
        pb.PauseFollowingRequest(leader="Nobody", reason="why"), timeout=DEADLINE
    ),
    lambda party: party.operations.ResumeFollowing(
        pb.ResumeFollowingRequest(leader="Nobody", reason="why"), timeout=DEADLINE
    ),
    lambda party: party.operations.RetryNow(
        pb.RetryNowRequest(leader="Nobody", reason="why"), timeout=DEADLINE
    ),
    lambda party: party.operations.SkipEvent(
        pb.SkipEventRequest(leader="Nobody", reason="why"), timeout=DEADLINE
    ),
]


def is_denied(attempt: Attempt, party: Party) -> bool:
    """Tells whether permission was what an attempt failed for, if it failed."""
    try:
        attempt(party)
    except PermissionDeniedError as e:
        return e.code is grpc.StatusCode.PERMISSION_DENIED
    except grpc.RpcError as e:
        raised = raised_exception(e)
        return raised is not None and raised.topic.endswith(":PermissionDeniedError")
    except GrpcError:
        return False
    return False


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def party_of(authority: Authority) -> Iterator[Callable[..., Party]]:
    """Lets somebody of that name, or with those files, call a server."""
    with ExitStack() as stack:

        def make(server: GrpcApplicationServer, name: str, files: Files | None = None) -> Party:
            files = files or authority.files(name)
            env = {**address_env(Notebook, server.address), **files}
            channel = stack.enter_context(channel_with(server.address, files))
            client = stack.enter_context(connect(Notebook, env))
            return Party(client, OperationsStub(channel), channel)

        yield make


def lists(allowed: Permissions) -> dict[str, str]:
    """Returns the environment that has these permissions."""
    named = {"GRPC_ALLOWED_CLIENTS": allowed.allowed_clients, "GRPC_OPERATORS": allowed.operators}
    return {name: ",".join(names) for name, names in named.items() if names is not None}


@pytest.mark.parametrize(("policy", "callers", "readers", "changers"), POLICY)
def test_server_keeps_to_its_lists(
    serve: Serve,
    authority: Authority,
    party_of: Callable[..., Party],
    policy: Permissions,
    callers: str,
    readers: str,
    changers: str,
) -> None:
    server = serve(Notebook, **authority.server_files(), **lists(policy))
    notebook = application_of(server, Notebook)
    notebook.add_note("one")
    allowed = ((CALL_ATTEMPTS, callers), (READ_ATTEMPTS, readers), (CHANGE_ATTEMPTS, changers))
    for name in ("alice", "oscar", "mallory"):
        party = party_of(server, name)
        for attempts, names in allowed:
            denied = [is_denied(attempt, party) for attempt in attempts]
            assert denied == [name not in names.split()] * len(attempts), (name, names)
        # Whoever has a certificate of the root may ask for that.
        assert party.check_health().status == HealthCheckResponse.SERVING
        assert party.watch_health().status == HealthCheckResponse.SERVING
    written = len(notebook.notification_log.select(1, 10))
    assert written == 1 + len(callers.split()) + len(changers.split())


def _kinds(authority: Authority) -> dict[str, KeyAndCertificate]:
    return {
        "common name": authority.sign("alice"),
        "host name": authority.sign("somebody", [x509.DNSName("alice")]),
        "address": authority.sign("somebody", [x509.IPAddress(ip_address("2001:db8::7"))]),
        "URI": authority.sign("", [x509.UniformResourceIdentifier("spiffe://shop/alice")]),
        "second": authority.sign("x", [x509.DNSName("y"), x509.DNSName("alice")]),
    }


@pytest.mark.parametrize("kind", ["common name", "host name", "address", "URI", "second"])
def test_certificates_have_names_of_all_kinds(
    serve: Serve, authority: Authority, party_of: Callable[..., Party], kind: str
) -> None:
    names = "alice, 2001:db8::7 spiffe://shop/alice"
    server = serve(Notebook, **authority.server_files(), GRPC_ALLOWED_CLIENTS=names)
    files = authority.files_of(kind, _kinds(authority)[kind])
    assert party_of(server, kind, files).client.app.get_name() == "Notebook"


@pytest.mark.parametrize("name", ["Alice", "alice.example", "alic", "*"])
def test_certificate_of_a_similar_name_is_a_strangers(
    serve: Serve, authority: Authority, party_of: Callable[..., Party], name: str
) -> None:
    server = serve(Notebook, **authority.server_files(), GRPC_ALLOWED_CLIENTS="alice")
    files = authority.files_of("similar", authority.sign(name, [x509.DNSName(name)]))
    party = party_of(server, name, files)
    with pytest.raises(PermissionDeniedError, match=f"^{re.escape(name)} may not call Notebook"):
        party.client.app.get_name()


@pytest.mark.parametrize("kind", ["common name", "host name"])
def test_name_that_only_begins_like_another_is_a_strangers(
    serve: Serve, authority: Authority, party_of: Callable[..., Party], kind: str
) -> None:
    name = "alice\0.mallory.example"
    owner = {
        "common name": authority.sign(name),
        "host name": authority.sign("mallory", [x509.DNSName(name)]),
    }[kind]
    server = serve(Notebook, **authority.server_files(), GRPC_ALLOWED_CLIENTS="alice")
    party = party_of(server, kind, authority.files_of("similar", owner))
    with pytest.raises(PermissionDeniedError, match="may not call Notebook"):
        party.client.app.get_name()


def test_refused_caller_is_told_what_is_missing(
    serve: Serve, authority: Authority, party_of: Callable[..., Party]
) -> None:
    server = serve(Notebook, **authority.server_files(), **lists(BOTH))
    mallory = party_of(server, "mallory")
    with pytest.raises(PermissionDeniedError) as caught:
        mallory.client.app.add_note("x")
    why = "no name of that certificate is in GRPC_ALLOWED_CLIENTS or GRPC_OPERATORS"
    assert str(caught.value) == f"mallory may not call Notebook: {why}"
    with pytest.raises(grpc.RpcError) as told:
        party_of(server, "alice").call("add_note")
    assert isinstance(told.value, grpc.Call)
    assert told.value.details() == (
        "PermissionDeniedError: alice may not operate Notebook: "
        "no name of that certificate is in GRPC_OPERATORS"
    )


def test_each_stream_is_refused_before_it_takes_a_place(
    serve: Serve, authority: Authority, party_of: Callable[..., Party]
) -> None:
    server = serve(Notebook, **authority.server_files(), **lists(BOTH))
    mallory = party_of(server, "mallory")
    for _ in range(50):
        with pytest.raises(PermissionDeniedError):
            next(mallory.client.subscribe())
    oscar = party_of(server, "oscar")
    status = next(iter(oscar.operations.Watch(pb.WatchRequest(), timeout=DEADLINE)))
    # The one that asks.
    assert status.subscribers == 1


def test_follower_must_be_allowed_too(authority: Authority) -> None:
    env = addresses_of(Letters, Fussy)
    leader = {**env, **authority.server_files("letters"), "GRPC_ALLOWED_CLIENTS": "fussy"}
    with serving(Letters, leader) as letters:
        application_of(letters, Letters).write(1)
        for name, state in (("mallory", "UNREACHABLE"), ("fussy", "LIVE")):
            files = authority.server_files(name)
            with serving(Fussy, {**env, **files}, applications.fussy) as follower:
                following = follower.followings[0]
                wait_until(lambda: following.status().state.name == state)  # noqa: B023
                error = following.status().error
                assert (error is not None) == (name == "mallory")
                if error is not None:
                    assert "mallory, localhost, 127.0.0.1, ::1 may not call" in error.message


class Odd(Notebook):
    """Does what it is told, and can't say so."""

    @command
    def add_and_return_object(self) -> object:
        self.add_note("x")
        return object()


class TestAudit:
    """What the log says of calls."""

    @pytest.fixture
    def lines(self, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
        """Returns the lines of the audit log, with their levels."""
        caplog.set_level(logging.DEBUG, logger=AUDIT)

        def take() -> list[str]:
            return [
                f"{record.name.removeprefix('eventsourcing_grpc.')} {record.levelname} "
                f"{record.getMessage()}"
                for record in caplog.records
                if record.name.startswith(AUDIT)
            ]

        return take

    def test_refused_call_leaves_a_line(
        self,
        serve: Serve,
        authority: Authority,
        party_of: Callable[..., Party],
        lines: Callable[[], list[str]],
    ) -> None:
        server = serve(Notebook, **authority.server_files(), **lists(BOTH))
        mallory, alice = party_of(server, "mallory"), party_of(server, "alice")
        for attempt in (*CALL_ATTEMPTS[:1], *READ_ATTEMPTS[:1]):
            assert is_denied(attempt, mallory)
        assert is_denied(CHANGE_ATTEMPTS[0], alice)
        why = "refused: no name of that certificate is in"
        assert lines() == [
            'audit WARNING who="mallory" what=Application.CallMethod target="Notebook.get_name" '
            f'reason="" outcome="{why} GRPC_ALLOWED_CLIENTS or GRPC_OPERATORS"',
            'audit WARNING who="mallory" what=Operations.Describe target="Notebook" reason="" '
            f'outcome="{why} GRPC_ALLOWED_CLIENTS or GRPC_OPERATORS"',
            'audit WARNING who="alice" what=Operations.CallMethod target="Notebook.add_note" '
            f'reason="" outcome="{why} GRPC_OPERATORS"',
        ]

    def test_request_that_can_not_be_read_is_refused_as_any_other(
        self,
        serve: Serve,
        authority: Authority,
        party_of: Callable[..., Party],
        lines: Callable[[], list[str]],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        server = serve(Notebook, **authority.server_files(), **lists(BOTH))
        for method in (CALL_METHOD, "/eventsourcing_grpc.v1.Application/CallMethod"):
            for name, code in (
                ("mallory", grpc.StatusCode.PERMISSION_DENIED),
                ("oscar", grpc.StatusCode.INVALID_ARGUMENT),
            ):
                call = party_of(server, name).channel.unary_unary(method, bytes, bytes)
                with pytest.raises(grpc.RpcError) as caught:
                    call(b"\xff\xff", timeout=DEADLINE)
                assert isinstance(caught.value, grpc.Call)
                assert caught.value.code() is code
        assert [line.partition(" reason=")[0] for line in lines()] == [
            'audit WARNING who="mallory" what=Operations.CallMethod target="Notebook"',
            'audit WARNING who="mallory" what=Application.CallMethod target="Notebook"',
        ]
        assert "Traceback" not in caplog.text

    def test_commands_leave_a_line_without_what_they_say(
        self,
        serve: Serve,
        party_of: Callable[..., Party],
        authority: Authority,
        lines: Callable[[], list[str]],
    ) -> None:
        server = serve(Notebook, **authority.server_files())
        alice = party_of(server, "alice")
        note_id = alice.client.app.add_note("confidential")
        alice.client.app.get_text(note_id)
        with pytest.raises(GrpcError):
            alice.client.app.extend_note(note_id, "confidential" * 100)
        with pytest.raises(GrpcError):
            alice.client.app.extend_note(note_id, confidential="confidential")  # type: ignore[call-arg]
        alice.call("add_note")
        alice.call("get_name")
        done, calls = 'outcome="done"', "audit.calls INFO"
        who = 'who="alice" what=Application.CallMethod target="Notebook'
        assert lines() == [
            f'{calls} {who}.add_note" reason="" {done}',
            f'{calls} {who}.extend_note" reason="" outcome="failed: NoteTooLongError"',
            f'audit WARNING {who}.extend_note" reason="" outcome="refused: ArgumentsError"',
            'audit INFO who="alice" what=Operations.CallMethod target="Notebook.add_note" '
            f'reason="" {done}',
        ]

    def test_call_of_what_is_not_exposed_leaves_a_line(
        self, serve: Serve, client_of: ClientOf, lines: Callable[[], list[str]]
    ) -> None:
        client = client_of(Notebook, serve(Notebook))
        for method in ("close", "_private", "nothing_of_that_name"):
            with pytest.raises(GrpcError):
                client.call_application_method(method)
        assert lines() == [
            f'audit WARNING who="loopback" what=Application.CallMethod target="{target}" reason="" '
            f'outcome="refused: {error}"'
            for target, error in (
                ("Notebook.close", "MethodNotExposedError"),
                ("Notebook._private", "MethodNotExposedError"),
                # What is no name may be anything.
                ("Notebook", "UnknownMethodError"),
            )
        ]

    def test_command_that_was_carried_out_is_not_told_as_refused(
        self, serve: Serve, client_of: ClientOf, lines: Callable[[], list[str]]
    ) -> None:
        client = client_of(Odd, serve(Odd))
        with pytest.raises(ResultNotEncodableError):
            client.app.add_and_return_object()
        assert [line.partition(" outcome=")[2] for line in lines()] == [
            '"failed: ResultNotEncodableError"'
        ]

    def test_query_that_is_refused_leaves_a_line_and_one_that_is_answered_none(
        self, serve: Serve, client_of: ClientOf, lines: Callable[[], list[str]]
    ) -> None:
        client = client_of(Notebook, serve(Notebook))
        client.app.get_name()
        with pytest.raises(ArgumentsError):
            client.app.get_name("confidential")  # type: ignore[call-arg]
        assert lines() == [
            'audit WARNING who="loopback" what=Application.CallMethod target="Notebook.get_name" '
            'reason="" outcome="refused: ArgumentsError"'
        ]

    def test_refused_request_about_a_follower_is_told_with_its_target_and_reason(
        self,
        serve: Serve,
        authority: Authority,
        party_of: Callable[..., Party],
        lines: Callable[[], list[str]],
    ) -> None:
        alice = party_of(serve(Notebook, **authority.server_files(), **lists(BOTH)), "alice")
        pause = pb.PauseFollowingRequest(leader="A", reason="why")
        skip = pb.SkipEventRequest(leader="A", notification_id=7)
        assert is_denied(lambda party: party.operations.PauseFollowing(pause), alice)
        assert is_denied(lambda party: party.operations.SkipEvent(skip), alice)
        why = 'outcome="refused: no name of that certificate is in GRPC_OPERATORS"'
        assert lines() == [
            f'audit WARNING who="alice" what=Operations.PauseFollowing target="Notebook <- A" reason="why" {why}',
            f'audit WARNING who="alice" what=Operations.SkipEvent target="Notebook <- A #7" reason="" {why}',
        ]

    def test_stream_of_requests_that_can_not_be_read_is_refused(
        self,
        serve: Serve,
        authority: Authority,
        party_of: Callable[..., Party],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        server = serve(Notebook, **authority.server_files(), **lists(BOTH))
        call = party_of(server, "alice").channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", bytes, bytes
        )
        with pytest.raises(grpc.RpcError) as caught:
            list(call(iter([b"\xff\xff"]), timeout=DEADLINE))
        assert isinstance(caught.value, grpc.Call)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "Traceback" not in caplog.text

    def test_commands_of_programs_without_names_are_told_where_that_is_wanted(
        self, serve: Serve, client_of: ClientOf, lines: Callable[[], list[str]]
    ) -> None:
        client_of(Notebook, serve(Notebook)).app.add_note("x")
        assert lines() == [
            'audit.calls DEBUG who="loopback" what=Application.CallMethod '
            'target="Notebook.add_note" reason="" outcome="done"'
        ]


def test_lists_without_tls_limit_nobody_and_that_is_told(
    serve: Serve, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(Notebook, serve(Notebook, **lists(BOTH)))
    assert client.app.get_name() == "Notebook"
    client.app.add_note("x")
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warnings == [
        "GRPC_ALLOWED_CLIENTS and GRPC_OPERATORS limit nobody, for Notebook is served without "
        "TLS, and nobody shows a certificate: whoever is on this machine may call and operate it"
    ]


def test_permissions_are_told_at_start(
    serve: Serve, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    serve(Notebook, **authority.server_files(), **lists(OPERATORS))
    told = (
        "Notebook: anyone with a certificate of the root may call it; oscar may operate it; "
        "only they may look into it"
    )
    assert told in [record.getMessage() for record in caplog.records]


def test_system_runs_with_lists(authority: Authority) -> None:
    files = authority.server_files("orders")
    env = {**files, "GRPC_ALLOWED_CLIENTS": "orders", "GRPC_OPERATORS": "oscar"}
    with GrpcRunner(system, env) as runner:
        orders = runner.get(Orders)
        order_id = orders.create_new_order()
        wait_until(lambda: orders.is_order_paid(order_id))
