"""Finds, in what gRPC's core writes, whose TLS connections a server has refused, and why.

Core tells it nowhere else. It is the trace "handshaker" of grpcio 1.76 to 1.85 that is understood:
where a newer one is written otherwise, what it says of failures is passed on as it is. To trace at
all makes core write its other remarks, too: these are left out, as they are without the trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

TRACE = "handshaker"

_HEADER = re.compile(r"[IWEF]\d{4} [\d:.]+ +(?P<thread>\d+) (?P<file>[\w.]+):\d+\] (?P<text>.*)")
_FAILURE = re.compile(
    r"CallNextHandshakerLocked: error=\w+: (?:Ssl|Tls) handshake failed \(\w+\): "
    r"(?P<reason>.*?)(?:: OK)?(?: shutdown=.*)?"
)
_CONTINUATION = re.compile(r"=== Source Location Trace: ===.*|src/core/\S+:\d+| shutdown=.*|")
_PEER = re.compile(r"grpc\.internal\.endpoint_peer_address=(?P<address>[^,}]+)")
_OF_SERVER = "grpc.internal.server_credentials="
_TRACED_FILES = frozenset({"handshaker.cc", "channel_trace.h", "trace.cc"})
_TLS_FILE = "ssl_transport_security.cc"
_TLS_FAILURE = "Handshake failed with "
_OTHER_NAME = "No match found for server name: "
_MAX_NAME_LENGTH = 255
_TOO_EARLY = "WARNING: All log messages before absl::InitializeLog()"
_NOISE = ": Invalid certificate verification context"

_WHY = (
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it shows no certificate"),
    ("certificate has expired", "its certificate has expired"),
    ("certificate is not yet valid", "its certificate is not valid yet"),
    ("unable to get local issuer certificate", "its certificate is not signed by the root"),
    ("unable to verify the first certificate", "its certificate is not signed by the root"),
    ("self signed certificate", "its certificate is not signed by the root"),
    ("self-signed certificate", "its certificate is not signed by the root"),
    ("certificate signature failure", "its certificate is not signed by the root"),
    ("unsuitable certificate purpose", "its certificate is not for clients"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
    ("HTTP_REQUEST", "it does not speak TLS"),
    ("UNSUPPORTED_PROTOCOL", "it speaks no TLS 1.2 or newer"),
    ("ALERT_UNKNOWN_CA", "it does not trust the root of this server's certificate"),
    ("ALERT_CERTIFICATE_EXPIRED", "it says that this server's certificate has expired"),
    ("ALERT_", "it does not accept this server's certificate"),
    # A message that is not encrypted, which is how clients refuse servers in TLS 1.3.
    ("BAD_PACKET_LENGTH", "it breaks off: it may not trust this server's certificate"),
)


class HandshakeFailures:
    """Is given what is written, a line at a time."""

    def __init__(self, refuse: Callable[[str, str], None], pass_on: Callable[[str], None]) -> None:
        """:param refuse: is told the address of each client that was refused, as gRPC writes it,
            such as ``ipv4:10.0.0.7:51234``, and why, in words.
        :param pass_on: is given all other lines but remarks of core.
        """
        self._refuse = refuse
        self._pass_on = pass_on
        self._is_traced = False
        self._reason = ""
        """Why the connection failed whose address is still to come."""
        self._name_left = 0
        """How many characters may still come of a name that a client has called the server."""
        self._is_after_core = False
        """Whether a line may still belong to what core has said, in which clients may have a say."""
        self._untold: dict[str, str] = {}
        """By threads: lines that say of no client that it failed."""

    def take(self, line: str) -> None:
        """Takes a line, without its end."""
        if len(line) < self._name_left:
            # The client may have put anything into the name, and lines like those of a log.
            self._name_left -= len(line) + 1
            return
        self._name_left = 0
        header = _HEADER.fullmatch(line)
        if header is None:
            self._take_continuation(line)
            return
        self._reason = ""
        thread, file, text = header["thread"], header["file"], header["text"]
        is_remark = line.startswith("I")
        self._is_traced = is_remark and file in _TRACED_FILES
        if file == _TLS_FILE and text.startswith(_TLS_FAILURE):
            self._untold[thread] = line
        elif file == _TLS_FILE and text.startswith(_OTHER_NAME):
            self._name_left = max(0, _MAX_NAME_LENGTH - len(text) + len(_OTHER_NAME))
        elif not is_remark:
            self._pass_on_core(line)
        elif not self._is_traced:
            self._is_after_core = True
        elif failure := _FAILURE.fullmatch(text):
            self._untold.pop(thread, None)
            self._reason = failure["reason"]
            self._find_client(text)

    def settle(self) -> None:
        """Is called when nothing has been written for a moment: passes on what is not understood."""
        for line in self._untold.values():
            self._pass_on_core(line)
        self._untold.clear()
        self._is_after_core = False

    def _take_continuation(self, line: str) -> None:
        if self._is_traced and _CONTINUATION.fullmatch(line):
            self._find_client(line)
            return
        self._is_traced = False
        if self._is_after_core:
            self._pass_on(f"grpc: {_printable(line)}")
        elif not line.startswith(_TOO_EARLY):
            self._pass_on(line)

    def _pass_on_core(self, line: str) -> None:
        self._is_after_core = True
        self._pass_on(_printable(line))

    def _find_client(self, text: str) -> None:
        if self._reason and (peer := _PEER.search(text)):
            if _OF_SERVER in text:
                self._refuse(unquote(peer["address"]), why_refused(self._reason))
            self._reason = ""


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def why_refused(reason: str) -> str:
    """Returns in words what OpenSSL has to say of a connection that it refuses."""
    for sign, words in _WHY:
        if sign in reason:
            return words
    said = reason.rpartition("OPENSSL_internal:")[2].removesuffix(_NOISE)
    return f"the TLS handshake failed: {said}"
