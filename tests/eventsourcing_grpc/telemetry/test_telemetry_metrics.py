"""Metrics: what they say, and to whom."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import OperationalError
from eventsourcing.system import ProcessApplication, System
from prometheus_client.parser import text_string_to_metric_families

from eventsourcing_grpc.application_client import GrpcError, connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.calls.call_statistics import CallStatistics
from eventsourcing_grpc.environment import EnvironmentVariableError, metrics_address
from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.server.configuration_check import check_configuration
from eventsourcing_grpc.telemetry.errors import MetricsAddressError
from make_certificates import KeyAndCertificate, make_certificate, make_root
from tests.applications import Notebook
from tests.certificates import write_certificates
from tests.eventsourcing_grpc.shop import Shop, call
from tests.serving import Serve, sqlite_env
from tests.waiting import DEADLINE, addresses_of, free_port, wait_until

ROOT = Path(__file__).parents[3]
# An address of this machine alone, written so that it counts as one that others can reach.
PUBLIC_HOST = "127.1"


class Quarrelsome(ProcessApplication[UUID]):
    """Refuses all orders."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        msg = "no orders, please"
        raise RuntimeError(msg)


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(address: str, context: ssl.SSLContext | None = None) -> str:
    """Returns what a server's metrics are."""
    scheme = "http" if context is None else "https"
    url = f"{scheme}://{address}/metrics"
    with urllib.request.urlopen(url, timeout=DEADLINE, context=context) as response:
        return str(response.read().decode())


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    """Returns the value of one sample, whose name begins after ``eventsourcing_grpc_``."""
    return samples(text).get((f"eventsourcing_grpc_{name}", tuple(sorted(labels.items()))))


def free_metrics_address() -> str:
    return f"localhost:{free_port()}"


def test_no_port_is_opened_unless_it_is_asked_for(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "listen", lambda *_: opened.append(1))
    serve(Orders)
    assert opened == []


def test_calls_are_counted_by_method_and_status(serve: Serve) -> None:
    address = free_metrics_address()
    server = serve(Notebook, GRPC_METRICS_ADDRESS=address)
    with connect(Notebook, {"NOTEBOOK_GRPC_SERVER_ADDRESS": server.address}) as client:
        for _ in range(3):
            client.app.add(1)
        with pytest.raises(GrpcError):
            client.app.fail("own")
        for name in ("made_up", "also_made_up", "_private"):
            with pytest.raises(GrpcError):
                client.call_application_method(name)
    text = scrape(address)
    own = {"application": "Notebook"}
    assert value(text, "calls_total", **own, method="add", code="OK") == 3
    assert value(text, "calls_total", **own, method="fail", code="FAILED_PRECONDITION") == 1
    assert value(text, "calls_total", **own, method="_OTHER", code="UNIMPLEMENTED") == 2
    assert value(text, "calls_total", **own, method="_OTHER", code="PERMISSION_DENIED") == 1
    assert value(text, "call_duration_seconds_count", **own, method="add") == 3
    assert value(text, "call_duration_seconds_bucket", **own, method="add", le="+Inf") == 3
    assert 0 < (value(text, "call_duration_seconds_sum", **own, method="add") or 0) < 3
    assert "made_up" not in text


def test_calls_of_operators_count_too(serve: Serve) -> None:
    address = free_metrics_address()
    server = serve(Shop, GRPC_METRICS_ADDRESS=address)
    with grpc.insecure_channel(server.address) as channel:
        call(OperationsStub(channel), "sell", pears=1)
    assert value(scrape(address), "calls_total", application="Shop", method="sell", code="OK") == 1


def test_followers_tell_how_far_they_are() -> None:
    env = addresses_of(Orders, Quarrelsome)
    env["ORDERS_GRPC_METRICS_ADDRESS"] = orders_metrics = free_metrics_address()
    env["QUARRELSOME_GRPC_METRICS_ADDRESS"] = metrics = free_metrics_address()
    system = System([[Orders, Quarrelsome]])
    with ExitStack() as stack:
        for cls in (Orders, Quarrelsome):
            server = GrpcApplicationServer(cls, env, system=system)
            server.start()
            stack.callback(server.stop, wait=True)
        own = {"application": "Quarrelsome", "leader": "Orders"}
        wait_until(lambda: value(scrape(metrics), "following_state", **own, state="live") == 1)
        with connect(Orders, env) as client:
            client.app.create_new_order()
            client.app.create_new_order()
        wait_until(lambda: value(scrape(metrics), "following_state", **own, state="failing") == 1)
        wait_until(lambda: value(scrape(metrics), "following_lag_events", **own) == 2)
        text = scrape(metrics)
        assert value(text, "following_state", **own, state="live") == 0
        assert value(text, "following_state", **own, state="standby") == 0
        assert value(text, "following_position", **own) == 0
        assert value(text, "following_leader_head", **own) == 2
        assert (value(text, "following_lag_seconds", **own) or 0) > 0
        assert (value(text, "following_failed_attempts", **own) or 0) >= 1
        assert value(text, "following_processed_events_total", **own) == 0
        leader = {"application": "Orders"}
        text = scrape(orders_metrics)
        assert value(text, "log_head", **leader) == 2
        assert value(text, "subscribers", **leader) == 1
        assert value(text, "streams", **leader) == 1
        assert value(text, "log_readable", **leader) == 1
        assert "no orders, please" not in text


def test_log_that_cannot_be_read_is_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    address = free_metrics_address()
    server = serve(Orders, GRPC_METRICS_ADDRESS=address, MAX_PULL_INTERVAL="0.05")

    def fail(*_: object, **__: object) -> None:
        msg = "password=secret"
        raise OperationalError(msg)

    monkeypatch.setattr(server.application.recorder, "select_notifications", fail)
    wait_until(lambda: value(scrape(address), "log_readable", application="Orders") == 0)
    assert "secret" not in scrape(address)


def test_process_and_versions_are_told(serve: Serve) -> None:
    address = free_metrics_address()
    serve(Orders, GRPC_METRICS_ADDRESS=address)
    names = {name for name, _ in samples(scrape(address))}
    assert {
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "python_gc_collections_total",
        "eventsourcing_grpc_info",
        "eventsourcing_grpc_start_time_seconds",
    } <= names


def test_several_servers_of_one_process_have_their_own_figures(serve: Serve) -> None:
    addresses = [free_metrics_address(), free_metrics_address()]
    for cls, address in zip((Orders, Shop), addresses, strict=True):
        serve(cls, GRPC_METRICS_ADDRESS=address)
    for name, address in zip(("Orders", "Shop"), addresses, strict=True):
        applications = {
            dict(labels)["application"]
            for metric, labels in samples(scrape(address))
            if metric.startswith("eventsourcing_grpc_")
        }
        assert applications == {name}


def test_metrics_end_with_their_server_and_come_back_with_it(serve: Serve) -> None:
    address = free_metrics_address()
    server = serve(Orders, GRPC_METRICS_ADDRESS=address)
    scrape(address)
    server.stop(wait=True)
    with pytest.raises(OSError, match="refused"):
        scrape(address)
    assert not [thread.name for thread in threading.enumerate() if thread.name == "metrics Orders"]
    server.start()
    assert value(scrape(address), "log_head", application="Orders") == 0


def test_other_paths_are_not_found(serve: Serve) -> None:
    address = free_metrics_address()
    serve(Orders, GRPC_METRICS_ADDRESS=address)
    for path in ("debug", "metrics/../etc/passwd"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://{address}/{path}", timeout=DEADLINE)
        with caught.value as error:
            assert error.code == 404
            assert error.headers["Server"] == "eventsourcing_grpc"


def test_figure_that_cannot_be_had_is_an_error_of_the_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    address = free_metrics_address()
    serve(Orders, GRPC_METRICS_ADDRESS=address)

    def fail(self: CallStatistics) -> None:
        raise RuntimeError

    monkeypatch.setattr(CallStatistics, "snapshot", fail)
    with pytest.raises(urllib.error.HTTPError) as caught:
        scrape(address)
    with caught.value as error:
        assert error.code == 500
    assert "Metrics can't be collected" in caplog.text


def test_clients_that_say_nothing_keep_nobody_waiting(serve: Serve) -> None:
    address = free_metrics_address()
    serve(Orders, GRPC_METRICS_ADDRESS=address)
    host, _, port = address.rpartition(":")
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(socket.create_connection((host, int(port))))
        assert value(scrape(address), "log_head", application="Orders") == 0


def test_clients_that_are_too_many_are_turned_away(serve: Serve) -> None:
    address = free_metrics_address()
    serve(Orders, GRPC_METRICS_ADDRESS=address)
    host, _, port = address.rpartition(":")
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(17)
        ]
        silent[-1].settimeout(DEADLINE)
        assert silent[-1].recv(1) == b""


def test_address_that_is_taken_is_told_in_one_line(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MetricsAddressError) as caught:
            serve(Orders, GRPC_METRICS_ADDRESS=address)
    assert str(caught.value) == (
        f"The metrics of Orders can't be served on {address}: Address already in use. "
        "Set another one as ORDERS_GRPC_METRICS_ADDRESS"
    )


def test_server_whose_metrics_address_is_taken_keeps_nothing_open(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        metrics = {"GRPC_METRICS_ADDRESS": f"127.0.0.1:{taken.getsockname()[1]}"}
        env = {**addresses_of(Orders), **sqlite_env(tmp_path / "orders.db"), **metrics}
        server = GrpcApplicationServer(Orders, env)
        with pytest.raises(MetricsAddressError):
            server.start()
    assert server.application.closing.is_set()


def test_extra_that_is_not_installed_is_told_in_one_line() -> None:
    code = (
        "import sys; sys.modules['prometheus_client'] = None;"
        "from eventsourcing_grpc.commands import eventsourcing_grpc_server as run;"
        "run(['eventsourcing_grpc.example:Orders'])"
    )
    env = {
        "PYTHONPATH": str(ROOT),
        "GRPC_METRICS_ADDRESS": "localhost:9464",
        **addresses_of(Orders),
    }
    completed = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert completed.returncode == 2
    assert completed.stderr == (
        "eventsourcing_grpc_server: error: GRPC_METRICS_ADDRESS='localhost:9464' needs what is "
        "not installed: pip install 'eventsourcing-grpc[telemetry]'\n"
    )


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("9464", "it has no port"),
        ("localhost:metrics", "'metrics' is not a port from 0 to 65535"),
        ("http://localhost:9464", "it is written without 'http://'"),
        ("unix:/run/metrics", "it has no port"),
    ],
)
def test_address_that_is_none_is_told(address: str, problem: str) -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        metrics_address({"GRPC_METRICS_ADDRESS": address}, "Orders")
    assert str(caught.value) == (
        f"GRPC_METRICS_ADDRESS={address!r} is not an address: {problem}. A good one is localhost:9464"
    )


def test_address_may_be_one_applications_own() -> None:
    env = {"GRPC_METRICS_ADDRESS": "localhost:1", "ORDERS_GRPC_METRICS_ADDRESS": "localhost:2"}
    assert metrics_address(env, "Orders") == "localhost:2"
    assert metrics_address(env, "Payments") == "localhost:1"
    assert metrics_address({}, "Payments") == ""


def test_nothing_is_sent_to_other_machines_in_plaintext(serve: Serve) -> None:
    with pytest.raises(EnvironmentVariableError, match="nothing is sent to them without TLS"):
        serve(Orders, GRPC_METRICS_ADDRESS=f"{PUBLIC_HOST}:{free_port()}")


def test_check_of_the_configuration_tells_where_metrics_are() -> None:
    env = {**addresses_of(Orders), "GRPC_METRICS_ADDRESS": "localhost:9464"}
    check = check_configuration(Orders, env)
    assert ("metrics", "localhost:9464") in check.facts
    assert check.problems == []


def test_check_of_the_configuration_tells_what_is_wrong_with_metrics() -> None:
    env = {**addresses_of(Orders), "GRPC_METRICS_ADDRESS": "0.0.0.0:9464"}
    (problem,) = check_configuration(Orders, env).problems
    assert problem.startswith(
        "GRPC_METRICS_ADDRESS='0.0.0.0:9464' can be reached by other machines"
    )


class Party:
    """A server whose metrics are served with mutual TLS, and those who read them."""

    def __init__(self, serve: Serve, folder: Path, **env: str) -> None:
        self.folder = folder
        self.root = make_root()
        self.port = free_port()
        self.env = write_certificates(folder / "server", self.root)
        self.server = serve(
            Orders, GRPC_METRICS_ADDRESS=f"{PUBLIC_HOST}:{self.port}", **self.env, **env
        )

    def context(
        self,
        *names: str,
        root: KeyAndCertificate | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> ssl.SSLContext:
        """Returns what a client of a name reads with. Without a name, it shows no certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "server" / "root.crt"))
        if names:
            own = make_certificate(
                root or self.root, names, not_before=not_before, not_after=not_after
            )
            folder = self.folder / "-".join(names)
            write_certificates(folder, root or self.root, own)
            context.load_cert_chain(folder / "owner.crt", folder / "owner.key")
        return context

    def scrape(self, context: ssl.SSLContext) -> str:
        return scrape(f"127.0.0.1:{self.port}", context)


def test_metrics_are_sent_to_who_has_a_certificate_of_the_root(
    serve: Serve, tmp_path: Path
) -> None:
    party = Party(serve, tmp_path)
    text = party.scrape(party.context("prometheus"))
    expiry = value(text, "certificate_expiry_time_seconds", application="Orders")
    assert expiry is not None
    assert 360 < (datetime.fromtimestamp(expiry, UTC) - datetime.now(UTC)).days < 370
    assert value(text, "certificate_files_usable", application="Orders") == 1
    root_expiry = value(text, "root_certificate_expiry_time_seconds", application="Orders")
    assert root_expiry is not None
    assert root_expiry > expiry


def test_metrics_are_not_sent_to_strangers(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    party = Party(serve, tmp_path)
    now = datetime.now(UTC)
    yesterday = now - timedelta(days=1)
    contexts = {
        "nobody": party.context(),
        "other root": party.context("prometheus", root=make_root()),
        "expired": party.context("late", not_before=now - timedelta(days=3), not_after=yesterday),
    }
    for who, context in contexts.items():
        with pytest.raises(OSError, match=r"alert|EOF|reset|closed") as caught:
            party.scrape(context)
        assert not isinstance(caught.value, urllib.error.HTTPError), who
    with pytest.raises((OSError, ValueError)):
        scrape(f"127.0.0.1:{party.port}")
    wait_until(lambda: "Metrics were not sent to 127.0.0.1" in caplog.text)
    assert "log_head" in party.scrape(party.context("prometheus"))


def test_certificates_that_are_replaced_are_used(serve: Serve, tmp_path: Path) -> None:
    party = Party(serve, tmp_path)
    before = party.context("prometheus")
    party.scrape(before)
    party.root = make_root()
    write_certificates(party.folder / "server", party.root)
    after = party.context("prometheus")

    def is_replaced() -> bool:
        try:
            return "log_head" in party.scrape(after)
        except OSError:
            return False

    wait_until(is_replaced)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        party.scrape(before)


def test_only_those_who_may_look_into_an_application_get_its_metrics(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    party = Party(serve, tmp_path, GRPC_ALLOWED_CLIENTS="prometheus", GRPC_OPERATORS="ops")
    for name in ("prometheus", "ops"):
        assert "log_head" in party.scrape(party.context(name))
    with pytest.raises(urllib.error.HTTPError) as caught:
        party.scrape(party.context("stranger"))
    with caught.value as error:
        assert error.code == 403
    assert 'who="stranger" what=Metrics.Get target="Orders"' in caplog.text
    assert "no name of that certificate is in GRPC_ALLOWED_CLIENTS or GRPC_OPERATORS" in caplog.text
