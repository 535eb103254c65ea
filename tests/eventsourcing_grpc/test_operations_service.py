"""The service that operators use, on a real server."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import grpc
import pytest
from eventsourcing.application import Application
from eventsourcing.cryptography import AESCipher

from eventsourcing_grpc import example
from eventsourcing_grpc.access.audit import AuditLog
from eventsourcing_grpc.access.permissions import Permissions
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.calls.error_receiving import raised_exception
from eventsourcing_grpc.calls.stream_pool import StreamPool
from eventsourcing_grpc.methods import ExposedMethods
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.operations_service import OperationsService
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.server.served_system import ServedSystem
from tests.eventsourcing_grpc import shop
from tests.eventsourcing_grpc.shop import TIMEOUT, Shop, call, violations
from tests.serving import InBackground
from tests.waiting import DEADLINE, addresses_of

pytest_plugins = ["tests.eventsourcing_grpc.shop_server"]


def test_application_is_described(server: GrpcApplicationServer, stub: OperationsStub) -> None:
    description = stub.Describe(pb.DescribeRequest(), timeout=TIMEOUT)
    assert description.name == "Shop"
    assert description.topic == f"{shop.__name__}:Shop"
    assert description.persistence == "memory"
    assert description.versions.eventsourcing.startswith("9.5")
    assert description.versions.grpcio == grpc.__version__
    assert list(description.applications) == [
        pb.SystemApplication(name="Shop", address=server.address)
    ]
    age = datetime.now(UTC) - description.started_at.ToDatetime(UTC)
    assert 0 <= age.total_seconds() < 60
    sell, wait, _ = description.methods
    assert (sell.name, sell.kind) == ("sell", pb.METHOD_KIND_COMMAND)
    assert (wait.name, wait.kind) == ("wait", pb.METHOD_KIND_QUERY)
    assert (sell.docstring, sell.signature) == ("Sells some.", "(pears: int) -> UUID")
    assert json.loads(sell.parameters_schema)["properties"]["pears"]["type"] == "integer"


def test_topics_of_events_are_described_when_they_have_been_seen(stub: OperationsStub) -> None:
    assert list(stub.Describe(pb.DescribeRequest(), timeout=TIMEOUT).event_topics) == []
    call(stub, "sell", pears=1)
    topics = stub.Describe(pb.DescribeRequest(), timeout=TIMEOUT).event_topics
    assert list(topics) == ["eventsourcing.domain:Aggregate.Created"]


def test_system_is_described_from_one_address() -> None:
    applications = (example.Orders, example.Reservations, example.Payments)
    env = addresses_of(*applications)
    server = GrpcApplicationServer(example.Orders, env, system=example.system)
    server.start()
    with grpc.insecure_channel(server.address) as channel:
        description = OperationsStub(channel).Describe(pb.DescribeRequest(), timeout=TIMEOUT)
    server.stop(wait=True)
    assert sorted(description.leads) == ["Payments", "Reservations"]
    assert sorted(description.follows) == ["Payments", "Reservations"]
    addresses = {a.name: a.address for a in description.applications}
    assert addresses == {a.name: env[f"{a.name.upper()}_GRPC_SERVER_ADDRESS"] for a in applications}
    follows = {a.name: list(a.follows) for a in description.applications}
    assert follows["Reservations"] == follows["Payments"] == ["Orders"]


def test_description_has_no_secrets(tmp_path: Path) -> None:
    key = AESCipher.create_key(16)
    env = {
        **addresses_of(Shop),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "secret.db"),
        "CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher",
        "CIPHER_KEY": key,
    }
    server = GrpcApplicationServer(Shop, env)
    server.start()
    with grpc.insecure_channel(server.address) as channel:
        description = OperationsStub(channel).Describe(pb.DescribeRequest(), timeout=TIMEOUT)
    server.stop(wait=True)
    assert description.persistence == "sqlite"
    text = str(description)
    assert "secret.db" not in text
    assert key not in text


def test_events_are_read(stub: OperationsStub) -> None:
    sold = json.loads(call(stub, "sell", pears=1).result)
    page = stub.ReadEvents(pb.ReadEventsRequest(limit=10), timeout=TIMEOUT)
    assert [e.originator_id for e in page.events] == [sold]
    assert (page.read_through, page.is_end, page.head) == (1, True, 1)


def test_page_of_no_events_is_refused(stub: OperationsStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.ReadEvents(pb.ReadEventsRequest(), timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(caught.value) == {"limit": "must be at least 1"}


def test_aggregate_is_read(stub: OperationsStub) -> None:
    sold = json.loads(call(stub, "sell", pears=1).result)
    aggregate = stub.ReadAggregate(pb.ReadAggregateRequest(originator_id=sold), timeout=TIMEOUT)
    assert (aggregate.topic, aggregate.version) == ("eventsourcing.domain:Aggregate", 1)
    assert json.loads(aggregate.state)["id"] == sold


def test_unknown_aggregate_is_not_found(stub: OperationsStub) -> None:
    unknown = str(uuid4())
    with pytest.raises(grpc.RpcError) as caught:
        stub.ReadAggregate(pb.ReadAggregateRequest(originator_id=unknown), timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert unknown in (caught.value.details() or "")


def test_method_is_called_with_json(server: GrpcApplicationServer, stub: OperationsStub) -> None:
    response = call(stub, "sell", pears="3")
    sold = UUID(json.loads(response.result))
    assert sold in server.application.repository
    assert 0 < response.duration.ToTimedelta().total_seconds() < TIMEOUT


def test_method_is_called_without_arguments(stub: OperationsStub) -> None:
    result = json.loads(call(stub, "get_secret").result)
    assert result["type"] == "eventsourcing.persistence:JSONTranscoder"


@pytest.mark.parametrize(
    ("method", "arguments", "code", "told"),
    [
        ("sell", '{"pears": "x"}', grpc.StatusCode.INVALID_ARGUMENT, "pears: Input should be"),
        ("sell", "{}", grpc.StatusCode.INVALID_ARGUMENT, "pears: Field required"),
        ("sell", '{"pears": 1, "plums": 1}', grpc.StatusCode.INVALID_ARGUMENT, "plums: There is"),
        ("sell", "pears=1", grpc.StatusCode.INVALID_ARGUMENT, "Shop.sell: the arguments are not"),
        ("save", "", grpc.StatusCode.PERMISSION_DENIED, "belongs to the eventsourcing library"),
        ("_notify", "", grpc.StatusCode.PERMISSION_DENIED, "is private"),
        ("repository", "", grpc.StatusCode.PERMISSION_DENIED, "belongs to the eventsourcing"),
        ("sel", "", grpc.StatusCode.UNIMPLEMENTED, "did you mean 'sell'?"),
    ],
)
def test_wrong_call_is_refused(
    server: GrpcApplicationServer,
    stub: OperationsStub,
    method: str,
    arguments: str,
    code: grpc.StatusCode,
    told: str,
) -> None:
    request = pb.OperationsCallMethodRequest(method=method, arguments=arguments)
    with pytest.raises(grpc.RpcError) as caught:
        stub.CallMethod(request, timeout=TIMEOUT)
    assert caught.value.code() is code
    assert told in (caught.value.details() or "")
    assert "\n" not in (caught.value.details() or "")
    assert server.application.recorder.max_notification_id() is None


def test_each_wrong_argument_is_told_by_field(stub: OperationsStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(stub, "sell", pears="x", plums=1)
    told = violations(caught.value)
    assert set(told) == {"pears", "plums"}
    assert told["pears"].startswith("Input should be a valid integer")


def test_exception_of_the_application_is_told_with_its_traceback(stub: OperationsStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(stub, "sell", pears=11)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    raised = raised_exception(caught.value)
    assert raised is not None
    assert raised.topic == f"{shop.__name__}:OutOfStockError"
    assert raised.message == "11"
    assert "in sell" in raised.traceback


def test_call_that_comes_while_the_server_stops_never_reaches_the_application() -> None:
    application = Shop()
    streams = StreamPool("Shop")
    is_stopping = threading.Event()
    service = OperationsService(
        application=application,
        methods=ExposedMethods(Shop),
        feed=NotificationFeed(application.recorder, 1.0),
        followings=[],
        calls=CallStatistics(),
        identity=ServedSystem("Shop", "shop:Shop", "", ()),
        streams=streams,
        pool=ThreadPoolExecutor(1),
        permissions=Permissions(),
        certificates=None,
        audit=AuditLog("Shop"),
        is_stopping=is_stopping,
    )
    server = grpc.server(ThreadPoolExecutor(1))
    service.add_to_server(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    is_stopping.set()
    with (
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call(OperationsStub(channel), "sell", pears=1)
    server.stop(None).wait()
    streams.shutdown()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    raised = raised_exception(caught.value)
    assert raised is not None
    assert raised.topic == "eventsourcing_grpc.errors:ServerStoppingError"
    assert application.recorder.max_notification_id() is None


class Busy(Application[UUID]):
    """Has a method that returns when a test lets it."""

    may_end = threading.Event()
    is_called = threading.Semaphore(0)

    def wait(self) -> None:
        self.is_called.release()
        self.may_end.wait(DEADLINE)


def test_operators_are_answered_while_all_calls_wait() -> None:
    Busy.may_end.clear()
    server = GrpcApplicationServer(Busy, addresses_of(Busy), max_workers=2)
    server.start()
    client = connect(
        Busy, server.env | {"BUSY_GRPC_SERVER_ADDRESS": server.address}, max_attempts=10
    )
    try:
        waiting = [InBackground(client.app.wait) for _ in range(3)]
        for _ in range(2):
            assert Busy.is_called.acquire(timeout=DEADLINE)
        with grpc.insecure_channel(server.address) as channel:
            stub = OperationsStub(channel)
            assert stub.Describe(pb.DescribeRequest(), timeout=DEADLINE).name == "Busy"
            stub.ReadEvents(pb.ReadEventsRequest(limit=1), timeout=DEADLINE)
    finally:
        Busy.may_end.set()
        for each in waiting:
            each.result()
        client.close()
        server.stop(wait=True)
