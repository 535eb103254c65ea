"""One application's server: this library's, or the older package's. Runs with Python 3.10 too."""

from __future__ import annotations

from typing import Any

from eventsourcing.utils import resolve_topic

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_server import GrpcApplicationServer, start_server


class Server:
    """Serves one application, until it is told to stop or this process ends."""

    def __init__(self) -> None:
        self._server: GrpcApplicationServer | None = None

    def serve(self, topic: str, env: dict[str, str]) -> None:
        """Starts serving the application that a topic names."""
        app_class: type[Any] = resolve_topic(topic)
        self._server = start_server(app_class, env)

    def stop(self) -> None:
        """Stops serving."""
        if self._server is not None:
            self._server.stop(wait=True)
            self._server = None


if __name__ == "__main__":
    server = Server()
    try:
        converse({"serve": server.serve, "stop": server.stop})
    finally:
        server.stop()
