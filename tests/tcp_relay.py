"""What is between two ends of TCP connections, and may stop to pass on what they send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class TcpRelay:
    """Passes on, in threads of its own, what comes to a port of loopback to a Unix socket, and back."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_open = threading.Event()
        self._is_open.set()
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def freeze(self) -> None:
        """Passes nothing on any more. Both ends believe that it has been received."""
        self._is_open.clear()

    def thaw(self) -> None:
        """Passes on what has come meanwhile, and what comes."""
        self._is_open.set()

    def close(self) -> None:
        """Ends all connections."""
        self._is_open.set()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._path)
            self._sockets += client, server
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=ends, name="relay", daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._is_open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(path: str) -> Iterator[TcpRelay]:
    """A relay that is closed at the end."""
    relay = TcpRelay(path)
    try:
        yield relay
    finally:
        relay.close()
