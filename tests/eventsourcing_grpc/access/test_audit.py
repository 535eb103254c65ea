"""One line for each request that steers a following: who, what, why, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from eventsourcing.persistence import OperationalError

from eventsourcing_grpc.access.audit import MAX_REFUSALS, AuditEntry, AuditLog
from eventsourcing_grpc.access.peer_identity import PeerIdentity
from eventsourcing_grpc.errors import FollowingStateError
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from make_certificates import make_certificate, make_root
from tests.certificates import NAMES, write_certificates
from tests.eventsourcing_grpc.shop import TIMEOUT, violations
from tests.eventsourcing_grpc.steering import FAILING, LIVE, Refused, Steering
from tests.system import applications
from tests.system.applications import Fussy, Letters
from tests.system.serving import Operator, application_of, serving
from tests.waiting import wait_until

pytest_plugins = ["tests.eventsourcing_grpc.steering_fixtures"]

AUDIT = "eventsourcing_grpc.audit"
LOOPBACK = PeerIdentity((), "ipv4:127.0.0.1:50051")

Request = Callable[[OperationsStub, str, str], object]
REQUESTS: dict[str, Request] = {
    "PauseFollowing": lambda stub, leader, reason: stub.PauseFollowing(
        pb.PauseFollowingRequest(leader=leader, reason=reason), timeout=TIMEOUT
    ),
    "ResumeFollowing": lambda stub, leader, reason: stub.ResumeFollowing(
        pb.ResumeFollowingRequest(leader=leader, reason=reason), timeout=TIMEOUT
    ),
    "RetryNow": lambda stub, leader, reason: stub.RetryNow(
        pb.RetryNowRequest(leader=leader, reason=reason), timeout=TIMEOUT
    ),
    "SkipEvent": lambda stub, leader, reason: stub.SkipEvent(
        pb.SkipEventRequest(leader=leader, reason=reason, notification_id=3), timeout=TIMEOUT
    ),
}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """Returns the lines of the audit log since it was last asked for, with their levels."""
    caplog.set_level(logging.INFO, logger=AUDIT)

    def take() -> list[tuple[str, str]]:
        taken = [
            (record.levelname, record.getMessage())
            for record in caplog.records
            if record.name == AUDIT
        ]
        caplog.clear()
        return taken

    return take


def test_each_request_leaves_one_line(
    memory_env: dict[str, str],
    poisonous: set[int],
    lines: Callable[[], list[tuple[str, str]]],
) -> None:
    def line(what: str, target: str, outcome: str, reason: str = "a test") -> tuple[str, str]:
        return (
            "WARNING" if outcome.startswith("refused") else "INFO",
            f'who="loopback" what=Operations.{what} target="Fussy <- Letters{target}" reason="{reason}" '
            f'outcome="{outcome}"',
        )

    with (
        serving(Letters, memory_env) as server,
        serving(Fussy, memory_env, applications.fussy) as follower,
        Operator(follower.address) as operator,
        Steering(follower.address) as steering,
    ):
        operator.wait_for_state("Letters", LIVE)
        steering.pause()
        assert lines() == [line("PauseFollowing", "", "paused after #0")]
        steering.pause()
        assert lines() == [line("PauseFollowing", "", "already paused")]
        steering.resume()
        assert lines() == [line("ResumeFollowing", "", "resumed")]
        steering.resume()
        assert lines() == [line("ResumeFollowing", "", "was not paused")]
        operator.wait_for_state("Letters", LIVE)
        with Refused():
            steering.retry()
        assert lines() == [
            line("RetryNow", "", "refused: Fussy is live on Letters: there is nothing to retry")
        ]
        poisonous.add(1)
        application_of(server, Letters).write(1)
        operator.wait_for_state("Letters", FAILING)
        steering.retry()
        assert lines() == [line("RetryNow", "", "tried, and is failing")]
        topic = "tests.system.applications:Letter.Written"
        steering.skip(1, is_dry_run=True)
        assert lines() == [
            line("SkipEvent", " #1", f"would skip {topic}: nothing was changed", reason="")
        ]
        steering.skip(1)
        assert lines() == [line("SkipEvent", " #1", f"skipped {topic}")]
        with Refused():
            steering.skip(1)
        assert lines() == [
            line(
                "SkipEvent",
                " #1",
                "refused: Fussy has passed Letters #1 already: its position is #1",
            )
        ]


@pytest.fixture
def audit_log() -> Iterator[AuditLog]:
    """Is closed at the end: it may have a timer."""
    log = AuditLog("Fussy")
    yield log
    log.close()


@pytest.mark.parametrize("what", REQUESTS)
def test_request_without_a_known_leader_or_a_reason_is_refused(
    memory_env: dict[str, str], lines: Callable[[], list[tuple[str, str]]], what: str
) -> None:
    request = REQUESTS[what]
    with (
        serving(Fussy, memory_env, applications.two_leaders) as follower,
        grpc.insecure_channel(follower.address) as channel,
    ):
        stub = OperationsStub(channel)
        with Refused() as refused:
            request(stub, "Leters", "a typo")
        assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "Fussy does not follow 'Leters': it follows Letters, Memos" in refused.message
        assert violations(refused.error) == {"leader": "must be one of: Letters, Memos"}
        for reason in ("", " \n\t", "x" * 1_001):
            with Refused() as refused:
                request(stub, "Letters", reason)
            assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
            assert set(violations(refused.error)) == {"reason"}
        told = lines()
        assert [level for level, _ in told] == ["WARNING"] * 4
        assert all(f" what=Operations.{what} " in line and "refused: " in line for _, line in told)
        assert 'target="Fussy <- Leters' in told[0][1]
        assert follower.followings[0].status().state.name != "PAUSED"


def test_nothing_in_a_reason_breaks_the_line() -> None:
    reason = 'first\r\nsecond\x1b[31m \u202e"quoted" \\ \u2028 \ud800 plain: äöü 漢字'
    line = str(AuditEntry(LOOPBACK, "RetryNow", "Fussy <- \nLetters", reason))
    assert line.isprintable()
    assert line == (
        'who="loopback" what=RetryNow target="Fussy <- \\nLetters" '
        'reason="first\\r\\nsecond\\x1b[31m \\u202e\\"quoted\\" \\\\ \\u2028 \\ud800 '
        'plain: äöü 漢字" outcome="done"'
    )


def test_long_names_are_cut() -> None:
    line = str(AuditEntry(LOOPBACK, "RetryNow", "x" * 1_000_000, "why"))
    assert len(line) < 2_000
    assert line.endswith('…" reason="why" outcome="done"')


def test_what_a_database_says_is_not_in_the_line(
    lines: Callable[[], list[tuple[str, str]]],
) -> None:
    entry = AuditEntry(LOOPBACK, "SkipEvent", "Fussy <- Letters #1", "why")
    with pytest.raises(OperationalError), AuditLog("Fussy").audited(entry):
        raise OperationalError("password=secret")
    ((level, line),) = lines()
    assert (level, line.rpartition(" outcome=")[2]) == ("WARNING", '"failed: OperationalError"')


def test_refusals_are_in_the_line(
    audit_log: AuditLog, lines: Callable[[], list[tuple[str, str]]]
) -> None:
    entry = AuditEntry(LOOPBACK, "RetryNow", "Fussy <- Letters", "why")
    with pytest.raises(FollowingStateError), audit_log.audited(entry):
        raise FollowingStateError("it can't be done")
    ((level, line),) = lines()
    assert (level, line.rpartition(" outcome=")[2]) == ("WARNING", '"refused: it can\'t be done"')


def test_many_refusals_of_one_caller_share_lines_that_count_them(
    audit_log: AuditLog, lines: Callable[[], list[tuple[str, str]]]
) -> None:
    for number in range(1, 3_001):
        entry = AuditEntry(LOOPBACK, "Application.CallMethod", f"Bank.method_{number}")
        audit_log.refuse(entry, "it is not allowed")
    audit_log.close()
    told = [line for _, line in lines()]
    counts = [int(line.rpartition(" count=")[2]) if " count=" in line else 1 for line in told]
    assert counts[:MAX_REFUSALS] == [1] * MAX_REFUSALS
    assert sum(counts) == 3_000
    assert len(told) < 100
    # A line that stands for many tells of the last of them.
    assert 'target="Bank.method_3000"' in told[-1]


def test_refusals_of_others_are_told_at_once(
    audit_log: AuditLog, lines: Callable[[], list[tuple[str, str]]]
) -> None:
    for _ in range(100):
        audit_log.refuse(AuditEntry(LOOPBACK, "Application.CallMethod", "Bank.give"), "no")
    lines()
    alice = PeerIdentity(("alice",), "ipv4:10.0.0.7:1")
    audit_log.refuse(AuditEntry(alice, "Application.CallMethod", "Bank.give"), "no")
    audit_log.refuse(AuditEntry(LOOPBACK, "Operations.Watch", "Bank"), "no")
    told = [line.partition(" target=")[0] for _, line in lines()]
    assert 'who="alice" what=Application.CallMethod' in told
    assert 'who="loopback" what=Operations.Watch' in told


def test_what_was_held_back_is_told_without_another_refusal(
    audit_log: AuditLog, lines: Callable[[], list[tuple[str, str]]]
) -> None:
    told: list[str] = []

    def has_count() -> bool:
        told.extend(line for _, line in lines())
        return any(line.endswith(" count=10") for line in told)

    for _ in range(MAX_REFUSALS + 10):
        audit_log.refuse(AuditEntry(LOOPBACK, "Application.CallMethod", "Bank.give"), "no")
    wait_until(has_count)


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        (LOOPBACK, "loopback"),
        (PeerIdentity((), "ipv4:10.0.0.7:50051"), "ipv4:10.0.0.7:50051"),
        (PeerIdentity(("alice", "Alice A."), "unix:"), "alice, Alice A."),
    ],
)
def test_peer_is_told_by_its_names_or_else_where_it_is(identity: PeerIdentity, told: str) -> None:
    assert str(identity) == told


def test_peer_with_a_certificate_is_told_by_its_names(
    memory_env: dict[str, str], tmp_path: Path, lines: Callable[[], list[tuple[str, str]]]
) -> None:
    root = make_root()
    operator = make_certificate(root, ["alice.example", "ops.example"])
    files = write_certificates(tmp_path, root, make_certificate(root, NAMES))
    with serving(Fussy, {**memory_env, **files}, applications.fussy) as follower:
        credentials = grpc.ssl_channel_credentials(
            root.certificate_pem, operator.key_pem, operator.certificate_pem
        )
        with grpc.secure_channel(follower.address, credentials) as channel:
            REQUESTS["PauseFollowing"](OperationsStub(channel), "Letters", "why")
    ((_, line),) = lines()
    assert line.startswith('who="alice.example, ops.example" what=Operations.PauseFollowing ')
