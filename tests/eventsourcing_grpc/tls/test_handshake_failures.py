"""What gRPC's core writes of connections that are refused, and what is made of it."""

from __future__ import annotations

import pytest

from eventsourcing_grpc.tls.handshake_failures import HandshakeFailures, why_refused

REASON = (
    "SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"
    "CERTIFICATE_VERIFY_FAILED: certificate has expired"
)
ARGS = (
    "shutdown=false index=2, args={endpoint=0x7f58e8003140, args={grpc.http2.max_ping_strikes=0, "
    "grpc.internal.endpoint_local_address=ipv4:10.0.0.1:50051, "
    "grpc.internal.endpoint_peer_address=PEER, grpc.internal.server_credentials=0x562cb19f9ae0, "
    "grpc.so_reuseport=0}, read_buffer.Length()=0, exit_early=0}"
)
IPV4 = ARGS.replace("PEER", "ipv4:10.0.0.7:58812")
IPV6 = ARGS.replace("PEER", "ipv6:%5B::1%5D:58812")
V76 = f"""\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795574451.862025   30497 trace.cc:94] gRPC Tracers: handshaker
I0000 00:00:1795574453.765461   30563 handshaker.cc:80] handshake_manager 0x7fab: adding handshaker
I0000 00:00:1795574453.765597   30563 handshaker.cc:150] CallNextHandshakerLocked: error=OK {IPV4}
I0000 00:00:1795574453.766970   30563 ssl_transport_security.cc:1884] Handshake failed with error {REASON}
I0000 00:00:1795574453.767076   30563 handshaker.cc:150] CallNextHandshakerLocked: \
error=UNKNOWN: Ssl handshake failed (TSI_PROTOCOL_FAILURE): {REASON} {IPV4}
I0000 00:00:1795574453.767094   30563 channel_trace.h:396] handshake manager 0x7fab: Failed with error: {REASON}"""
V85 = f"""\
I1125 02:25:44.853972   12719 trace.cc:91] gRPC Tracers: handshaker
I1125 02:25:44.853972   12719 handshaker.cc:80] handshake_manager 0x7f58: adding handshaker
I1125 02:25:44.854914   12720 ssl_transport_security.cc:2563] Handshake failed with error {REASON}
I1125 02:25:44.854934   12720 handshaker.cc:155] CallNextHandshakerLocked: \
error=UNKNOWN: Ssl handshake failed (TSI_PROTOCOL_FAILURE): {REASON}: OK
=== Source Location Trace: ===\x20
src/core/util/status_helper.cc:68
 {IPV4}
I1125 02:25:44.853143   12719 channel_trace.h:396] handshake manager 0x7f58: Failed with error: {REASON}: OK
=== Source Location Trace: ===\x20
src/core/util/status_helper.cc:68
"""
EXPIRED = "its certificate has expired"


class Heard:
    """What is made of lines."""

    def __init__(self, text: str) -> None:
        self.refused: list[tuple[str, str]] = []
        self.passed_on: list[str] = []
        self.failures = HandshakeFailures(
            lambda address, why: self.refused.append((address, why)), self.passed_on.append
        )
        for line in text.split("\n"):
            self.failures.take(line)


@pytest.mark.parametrize("written", [V76, V85], ids=["grpcio 1.76", "grpcio 1.85"])
def test_a_refused_connection_is_told_once_and_nothing_is_passed_on(written: str) -> None:
    heard = Heard(written)
    heard.failures.settle()
    assert heard.refused == [("ipv4:10.0.0.7:58812", EXPIRED)]
    assert heard.passed_on == []


def test_addresses_are_told_as_people_write_them() -> None:
    assert Heard(V85.replace(IPV4, IPV6)).refused == [("ipv6:[::1]:58812", EXPIRED)]


def test_all_else_is_passed_on() -> None:
    others = ["printed by a library", "", "src/core/util/status_helper.cc:68"]
    core = [
        "W1125 02:25:44.853972   12719 other.cc:91] something",
        "E1125 02:25:44.853972   12719 handshaker.cc:91] something worse",
        "F1125 02:25:44.853972   12719 log.cc:110] Check failed: x",
    ]
    heard = Heard("\n".join([*others, V85, *others, *core]))
    assert heard.passed_on == [*others, *others, *core]


def test_remarks_of_core_are_left_out_as_they_are_without_the_trace() -> None:
    assert Heard("I1125 02:25:44.853972   12719 chttp2.cc:1403] Got goaway").passed_on == []


def test_what_may_be_of_a_message_of_core_can_not_be_taken_for_another_line() -> None:
    heard = Heard(
        "E1125 02:25:44.853972   12719 other.cc:91] said: \x1b[2J\n2026-11-25 INFO forged\r"
    )
    assert heard.passed_on == [
        "E1125 02:25:44.853972   12719 other.cc:91] said: \\x1b[2J",
        "grpc: 2026-11-25 INFO forged\\r",
    ]
    heard.failures.settle()
    heard.failures.take("printed by a library")
    assert heard.passed_on[2:] == ["printed by a library"]


@pytest.mark.parametrize(
    "name", ["localhost", "x\n2026-11-25 10:00:00,000 INFO forged", f"x\n{V85[:200]}"]
)
def test_names_that_clients_call_the_server_are_not_passed_on(name: str) -> None:
    line = f"I1125 02:25:44.853972   12719 ssl_transport_security.cc:2275] No match found for server name: {name}."
    heard = Heard(f"{line}\n{V85}\nprinted by a library")
    assert heard.refused == [("ipv4:10.0.0.7:58812", EXPIRED)]
    assert heard.passed_on == ["printed by a library"]


@pytest.mark.parametrize("kind", ["Ssl", "Tls"])
def test_connections_that_the_server_makes_itself_leave_nothing(kind: str) -> None:
    written = V85.replace("server_credentials", "channel_credentials").replace("Ssl", kind)
    heard = Heard(written)
    heard.failures.settle()
    assert (heard.refused, heard.passed_on) == ([], [])


def test_what_is_not_understood_is_passed_on_when_nothing_else_comes() -> None:
    line = V85.split("\n")[2]
    heard = Heard(line)
    assert heard.passed_on == []
    heard.failures.settle()
    heard.failures.settle()
    assert (heard.refused, heard.passed_on) == ([], [line])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it shows no certificate"),
        (
            "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
            "its certificate is not signed by the root",
        ),
        ("CERTIFICATE_VERIFY_FAILED: certificate has expired", EXPIRED),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
        (
            "TLSV1_ALERT_UNKNOWN_CA",
            "it does not trust the root of this server's certificate",
        ),
        ("NO_SHARED_CIPHER", "the TLS handshake failed: NO_SHARED_CIPHER"),
    ],
)
def test_reasons_are_told_in_plain_words(said: str, words: str) -> None:
    reason = f"SSL_ERROR_SSL: error:100000c0:SSL routines:OPENSSL_internal:{said}"
    assert why_refused(f"{reason}: Invalid certificate verification context") == words
