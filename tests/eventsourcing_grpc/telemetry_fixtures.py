"""A traced system, and the spans that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from eventsourcing.application import Application, TApplication
from eventsourcing.system import System
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eventsourcing_grpc.application_client import GrpcApplicationClient
from eventsourcing_grpc.application_server import GrpcApplicationServer
from tests.waiting import addresses_of, wait_until


class Traced:
    """Servers and clients whose spans are kept in memory. All are stopped when the test ends."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._exporter = InMemorySpanExporter()
        self.servers: list[GrpcApplicationServer] = []
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        stack.callback(self.provider.shutdown)

    def server(
        self, app_class: type[Application[Any]], env: dict[str, str], system: System | None = None
    ) -> GrpcApplicationServer:
        """Returns a server that is traced, and started."""
        server = GrpcApplicationServer(app_class, env, system=system, tracer_provider=self.provider)
        server.start()
        self._stack.callback(server.stop, wait=True)
        self.servers.append(server)
        return server

    def client(
        self, app_class: type[TApplication], env: dict[str, str]
    ) -> GrpcApplicationClient[TApplication]:
        """Returns a client that is traced."""
        client = GrpcApplicationClient(app_class, env, tracer_provider=self.provider)
        return self._stack.enter_context(client)

    def system(
        self, system: System, *app_classes: type[Application[Any]], **env: str
    ) -> dict[str, str]:
        """Starts a server for each application, and returns the environment with their addresses."""
        env = {**addresses_of(*app_classes), **env}
        for app_class in app_classes:
            self.server(app_class, env, system)
        return env

    def spans(self, name: str = "", **attributes: object) -> list[ReadableSpan]:
        """Returns the spans that have ended, in that order.

        :param attributes: what those must have that are wanted, without ``eventsourcing.``.
        """
        return [
            span
            for span in self._exporter.get_finished_spans()
            if name in ("", span.name)
            and all(
                attributes_of(span).get(f"eventsourcing.{key}") == value
                for key, value in attributes.items()
            )
        ]

    def wait_for(self, count: int, name: str, **attributes: object) -> list[ReadableSpan]:
        """Returns the spans when there are enough."""
        wait_until(lambda: len(self.spans(name, **attributes)) >= count, f"{count} x {name}")
        return self.spans(name, **attributes)


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    assert parent.context is not None
    return span.parent is not None and span.parent.span_id == parent.context.span_id


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Starts servers and clients that are traced."""
    with ExitStack() as stack:
        yield Traced(stack)
