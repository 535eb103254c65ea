"""Whether anything is traced at all, and where traces go: as OpenTelemetry's variables say."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.environment import EnvironmentVariableError, traces_exporters
from eventsourcing_grpc.example import Orders, Payments, Reservations
from eventsourcing_grpc.server_process import ServerProcess
from eventsourcing_grpc.telemetry.tracing_switch import server_tracing
from tests.eventsourcing_grpc.telemetry_fixtures import Traced, traced
from tests.serving import Serve, Spawn
from tests.waiting import DEADLINE, addresses_of, free_port, wait_until

__all__ = ["traced"]

ROOT = Path(__file__).parents[3]
VARIABLES = ("OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME")


class Collector(TraceServiceServicer):
    """Takes the spans that servers export, as a collector would."""

    def __init__(self) -> None:
        self._spans: list[tuple[str, str, bytes]] = []
        self._lock = threading.Lock()

    def Export(
        self, request: pb.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> pb.ExportTraceServiceResponse:
        """Takes spans."""
        for resource in request.resource_spans:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            spans = [span for scope in resource.scope_spans for span in scope.spans]
            with self._lock:
                self._spans += [
                    (attributes["service.name"], span.name, span.trace_id) for span in spans
                ]
        return pb.ExportTraceServiceResponse()

    def spans(self) -> list[tuple[str, str, bytes]]:
        """Returns services, names and traces of the spans."""
        with self._lock:
            return list(self._spans)


@contextmanager
def collecting() -> Iterator[tuple[Collector, dict[str, str]]]:
    """Runs a collector, and gives the environment that lets servers export to it."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector, {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
    finally:
        server.stop(None).wait()


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def run_python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_off_nothing_of_telemetry_is_loaded() -> None:
    code = """
import sys
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.example import Orders
with_it = start_server(Orders)
with connect(Orders, max_attempts=10) as client:
    client.app.create_new_order()
with_it.stop(wait=True)
print([name for name in sys.modules if name.startswith(("opentelemetry", "prometheus_client"))])
"""
    completed = run_python(code, **addresses_of(Orders))
    assert completed.stdout == "[]\n", completed.stderr


def test_servers_export_one_trace_of_the_whole_system(spawn: Spawn) -> None:
    env = addresses_of(Orders, Reservations, Payments)
    env["SYSTEM_TOPIC"] = "eventsourcing_grpc.example:system"
    with collecting() as (collector, variables):
        for cls in (Orders, Reservations, Payments):
            address = env[f"{cls.name.upper()}_GRPC_SERVER_ADDRESS"]
            spawn(cls, address=address, **env, **variables)
        with connect(Orders, env, max_attempts=10) as client:
            order_id = client.app.create_new_order()
            wait_until(lambda: client.app.is_order_paid(order_id))
        expected = {
            ("Orders", "Orders/create_new_order"),
            ("Reservations", "process Orders"),
            ("Orders", "process Reservations"),
            ("Payments", "process Orders"),
            ("Orders", "process Payments"),
        }

        def traces() -> set[bytes]:
            return {
                trace for service, name, trace in collector.spans() if (service, name) in expected
            }

        wait_until(lambda: expected <= {(service, name) for service, name, _ in collector.spans()})
        assert len(traces()) == 1


def test_last_traces_are_exported_when_a_server_stops(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as (collector, variables):
        for name, value in {**variables, "OTEL_BSP_SCHEDULE_DELAY": "60000"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-orders")
        server = serve(Orders)
        monkeypatch.delenv("OTEL_TRACES_EXPORTER")
        with connect(Orders, {"ORDERS_GRPC_SERVER_ADDRESS": server.address}) as client:
            client.app.create_new_order()
        assert collector.spans() == []
        server.stop(wait=True)
        ((service, name, _),) = collector.spans()
        assert (service, name) == ("shop-orders", "Orders/create_new_order")


def test_collector_that_is_away_delays_no_stop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    server = serve(Orders)
    monkeypatch.delenv("OTEL_TRACES_EXPORTER")
    with connect(Orders, {"ORDERS_GRPC_SERVER_ADDRESS": server.address}) as client:
        client.app.create_new_order()
    started = monotonic()
    server.stop(wait=True)
    assert monotonic() - started < 3.0


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({}, ()),
        ({"OTEL_TRACES_EXPORTER": "none"}, ()),
        ({"OTEL_TRACES_EXPORTER": ""}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ("otlp", "console")),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "False"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, ()),
    ],
)
def test_variables_say_what_traces_are_exported_with(
    env: dict[str, str], names: tuple[str, ...]
) -> None:
    assert traces_exporters(env) == names


def test_exporter_that_is_not_installed_is_told_in_one_line(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    with pytest.raises(EnvironmentVariableError) as caught:
        serve(Orders)
    message = str(caught.value)
    assert "OTEL_TRACES_EXPORTER='carrier-pigeon'" in message
    assert "Those that are: console, otlp," in message
    assert "\n" not in message


def test_server_without_the_extra_serves_and_says_why_nothing_is_traced() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from importlib.util import find_spec
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.example import Orders
server = start_server(Orders)
server.stop(wait=True)
"""
    completed = run_python(code, OTEL_TRACES_EXPORTER="otlp", **addresses_of(Orders))
    assert completed.returncode == 0, completed.stderr
    assert completed.stderr == (
        "OTEL_TRACES_EXPORTER='otlp' is set, but nothing is traced: "
        "pip install 'eventsourcing-grpc[telemetry]'\n"
    )


def test_provider_that_the_process_has_set_is_used() -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.example import Orders
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
server = start_server(Orders)
with connect(Orders, max_attempts=10) as client:
    client.app.create_new_order()
server.stop(wait=True)
print(sorted(span.kind.name for span in exporter.get_finished_spans()))
"""
    completed = run_python(code, **addresses_of(Orders))
    assert completed.stdout == "['CLIENT', 'SERVER']\n", completed.stderr


def test_program_exports_the_calls_of_its_clients(serve: Serve) -> None:
    address = serve(Orders).address
    code = """
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders
for _ in range(2):
    with connect(Orders, max_attempts=10) as client:
        client.app.create_new_order()
"""
    with collecting() as (collector, variables):
        completed = run_python(
            code, ORDERS_GRPC_SERVER_ADDRESS=address, **variables, OTEL_SERVICE_NAME="till"
        )
        assert completed.returncode == 0, completed.stderr
        assert [span[:2] for span in collector.spans()] == [("till", "Orders/create_new_order")] * 2


def test_server_is_not_traced_by_a_provider_that_somebody_else_has_made(traced: Traced) -> None:
    # OpenTelemetry is loaded in this process, and nobody has set it up.
    assert server_tracing("Orders", None) is None


def test_server_process_with_console_exporter_still_tells_its_address(spawn: Spawn) -> None:
    process: ServerProcess = spawn(
        Orders, OTEL_TRACES_EXPORTER="console", OTEL_BSP_SCHEDULE_DELAY="50"
    )
    with connect(
        Orders, {"ORDERS_GRPC_SERVER_ADDRESS": process.address}, max_attempts=10
    ) as client:
        client.app.create_new_order()
    wait_until(lambda: any('"name": "Orders/create_new_order"' in line for line in process.lines))
