"""Lets a server's log say whose connections were refused before there was a call, and why.

Only gRPC's core knows that, and it writes it to standard error, among much else, past all logging.
"""

from __future__ import annotations

import codecs
import faulthandler
import fcntl
import os
import select
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from eventsourcing_grpc.environment import CERTIFICATE_PATH
from eventsourcing_grpc.tls.handshake_failures import TRACE, HandshakeFailures

if TYPE_CHECKING:
    from eventsourcing_grpc.access.audit import AuditLog

_TRACE = "GRPC_TRACE"
_VERBOSITY = "GRPC_VERBOSITY"
_STDERR = 2
_CHUNK = 65_536
_PIPE_BYTES = 1024 * 1024
_MOMENT = 0.2
_CLOSE_TIMEOUT = 1.0


def are_told(env: Mapping[str, str]) -> bool:
    """Tells whether connections may be refused, and nobody wants core's own messages as they are."""
    if sys.stderr is None or env.get(_TRACE) or env.get(_VERBOSITY):
        return False
    return any(name.endswith(CERTIFICATE_PATH) for name in env)


class RefusedConnections:
    """Reads what is written to file descriptor 2, and writes to the real standard error all but
    what becomes a line of the audit log. Python's ``sys.stderr`` goes there directly.

    Owns a thread, from :meth:`start` to :meth:`close`. Whoever writes never waits for it:
    what it can't take in time is lost.
    """

    def __init__(self) -> None:
        self._application = ""
        self._audit: AuditLog | None = None
        self._failures = HandshakeFailures(self._refuse, self._pass_on)
        self._thread = threading.Thread(target=self._read, name="core output", daemon=True)

    def start(self) -> None:
        """Is called before logging is set up, and before grpc is imported."""
        self._real = os.dup(_STDERR)
        self._reading_end, writing_end = os.pipe()
        # A thread of core that waited, with one of core's locks, could be waited for by this one.
        os.set_blocking(writing_end, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(writing_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        sys.stderr.flush()
        os.dup2(writing_end, _STDERR)
        os.close(writing_end)
        sys.stderr = os.fdopen(
            os.dup(self._real),
            "w",
            buffering=1,
            encoding=sys.stderr.encoding,
            errors=sys.stderr.errors,
        )
        # When core ends the process, what it says last may not be read any more.
        faulthandler.enable(sys.stderr)
        os.environ[_TRACE] = TRACE
        self._thread.start()

    def tell(self, application: str) -> None:
        """Is called when grpc has been imported, before anybody can connect.

        :param application: the name of what connections are refused to.
        """
        from eventsourcing_grpc.access.audit import AuditLog

        self._application = application
        self._audit = AuditLog(application)
        # Programs that an application starts are not to trace.
        os.environ.pop(_TRACE, None)

    def close(self) -> None:
        """Lets what is written from now on go to the real standard error."""
        os.dup2(self._real, _STDERR)
        self._thread.join(_CLOSE_TIMEOUT)
        if self._audit is not None:
            self._audit.close()

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        unfinished = ""
        while True:
            if not select.select([self._reading_end], [], [], _MOMENT)[0]:
                self._failures.settle()
                select.select([self._reading_end], [], [])
            data = os.read(self._reading_end, _CHUNK)
            *lines, unfinished = (unfinished + decoder.decode(data, final=not data)).split("\n")
            for line in lines:
                self._failures.take(line)
            if not data:
                break
        if unfinished:
            self._failures.take(unfinished)
        self._failures.settle()

    def _refuse(self, address: str, why: str) -> None:
        from eventsourcing_grpc.access.audit import AuditEntry
        from eventsourcing_grpc.access.peer_identity import PeerIdentity

        if self._audit is None:
            return
        # Without the port, which is another one each time: the lines of one host are limited.
        host = address if address.startswith("unix:") else address.rpartition(":")[0]
        who = PeerIdentity((), host)
        self._audit.refuse(AuditEntry(who, "connect", self._application), why)

    def _pass_on(self, line: str) -> None:
        os.write(self._real, f"{line}\n".encode(errors="replace"))
