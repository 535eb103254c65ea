"""Skipping the event that a following waits on, and no other, and only once."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from uuid import uuid4

import grpc
import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import get_topic

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.protos import operations_pb2 as pb
from tests.eventsourcing_grpc.steering import (
    DIVERGED,
    FAILING,
    LIVE,
    PAUSED,
    UNREACHABLE,
    Refused,
    Steering,
    following_fussily,
)
from tests.system import applications
from tests.system.applications import Letter, Letters, Signatures
from tests.system.serving import Operator, application_of, serving
from tests.waiting import DEADLINE

pytest_plugins = ["tests.eventsourcing_grpc.steering_fixtures"]


def write(server: GrpcApplicationServer, first: int, count: int) -> None:
    application_of(server, Letters).write_many(first, count)


def test_skipping_what_fails_goes_on_with_the_next(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.update((2, 4))
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        write(server, 1, 5)
        operator.wait_for_state("Letters", FAILING)
        response = steering.skip(2)
        assert (response.event.id, response.event.topic) == (2, get_topic(Letter.Written))
        assert json.loads(response.event.state)["number"] == 2
        assert response.event.timestamp.ToSeconds() > 0
        assert response.following.position >= 2
        status = operator.following("Letters", lambda s: s.last_error.notification_id == 4)
        assert (status.state, status.position, status.last_error.attempts) == (FAILING, 3, 1)
        steering.skip(4)
        status = operator.wait_for_position("Letters", 5)
        assert not status.HasField("last_error")
        assert fussy.numbers() == [1, 3, 5]
        assert fussy.recorder.max_tracking_id("Letters") == 5


def test_skip_survives_a_restart(sqlite_env: dict[str, str], poisonous: set[int]) -> None:
    poisonous.add(2)
    with serving(Letters, sqlite_env) as server:
        write(server, 1, 2)
        with following_fussily(sqlite_env) as (_, operator, steering):
            operator.wait_for_state("Letters", FAILING)
            steering.skip(2)
        with following_fussily(sqlite_env) as (fussy, operator, _):
            operator.wait_for_position("Letters", 2)
            assert fussy.numbers() == [1]


def test_no_other_event_than_the_one_that_fails_can_be_skipped(
    memory_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(2)
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        write(server, 1, 3)
        operator.wait_for_state("Letters", FAILING)
        for is_dry_run in (True, False):
            with Refused() as refused:
                steering.skip(3, is_dry_run=is_dry_run)
            assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
            assert "Fussy fails on Letters #2, and not on #3" in refused.message
        with Refused() as refused:
            steering.skip(1)
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert "Fussy has passed Letters #1 already: its position is #1" in refused.message
        assert fussy.recorder.max_tracking_id("Letters") == 1


def test_dry_run_changes_nothing(memory_env: dict[str, str], poisonous: set[int]) -> None:
    poisonous.add(2)
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        write(server, 1, 3)
        before = operator.following("Letters", lambda status: status.last_error.attempts >= 4)
        response = steering.skip(2, is_dry_run=True)
        assert (response.event.id, json.loads(response.event.state)["number"]) == (2, 2)
        assert response.following.state == FAILING
        # Nor does it make the next try come earlier.
        assert response.following.last_error.attempts - before.last_error.attempts <= 1
        assert fussy.recorder.max_tracking_id("Letters") == 1


def test_event_is_skipped_only_once(memory_env: dict[str, str], poisonous: set[int]) -> None:
    poisonous.add(1)
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        write(server, 1, 2)
        operator.wait_for_state("Letters", FAILING)
        steering.skip(1)
        with Refused() as refused:
            steering.skip(1)
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert "Fussy has passed Letters #1 already" in refused.message
        operator.wait_for_position("Letters", 2)
        assert fussy.numbers() == [2]


def test_several_operators_skip_an_event_once(
    sqlite_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(1)
    outcomes: list[str] = []

    def skip(steering: Steering) -> None:
        try:
            steering.skip(1)
            outcomes.append("skipped")
        except grpc.RpcError:
            outcomes.append("refused")

    with (
        serving(Letters, sqlite_env) as server,
        following_fussily(sqlite_env) as (fussy, operator, steering),
    ):
        write(server, 1, 2)
        operator.wait_for_state("Letters", FAILING)
        operators = [threading.Thread(target=skip, args=(steering,)) for _ in range(5)]
        for each in operators:
            each.start()
        for each in operators:
            each.join(DEADLINE)
        operator.wait_for_position("Letters", 2)
        assert sorted(outcomes) == ["refused"] * 4 + ["skipped"]
        assert fussy.numbers() == [2]


def test_paused_following_skips_what_is_next_and_stays_paused(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        operator.wait_for_state("Letters", LIVE)
        steering.pause()
        with Refused() as refused:
            steering.skip(1)
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert "Fussy is paused on Letters, which has no event after #0" in refused.message
        write(server, 1, 4)
        with Refused() as refused:
            steering.skip(2)
        assert "Fussy is paused before Letters #1, and not before #2" in refused.message
        for notification_id in (1, 2):
            response = steering.skip(notification_id)
            assert response.event.id == notification_id
            assert response.following.state == PAUSED
            assert response.following.position == notification_id
        steering.resume()
        operator.wait_for_position("Letters", 4)
        assert fussy.numbers() == [3, 4]


def test_paused_following_skips_what_it_fails_on_also_without_its_leader(
    sqlite_env: dict[str, str], poisonous: set[int]
) -> None:
    poisonous.add(2)
    with following_fussily(sqlite_env) as (fussy, operator, steering):
        with serving(Letters, sqlite_env) as server:
            write(server, 1, 3)
            operator.wait_for_state("Letters", FAILING)
            steering.pause()
        response = steering.skip(2)
        assert json.loads(response.event.state)["number"] == 2
        assert response.following.state == PAUSED
        assert not response.following.HasField("last_error")
        # What comes next only the leader knows.
        with Refused() as refused:
            steering.skip(3)
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        address = sqlite_env["LETTERS_GRPC_SERVER_ADDRESS"]
        assert f"Letters on {address} can't be asked" in refused.message
        with serving(Letters, sqlite_env):
            steering.resume()
            operator.wait_for_position("Letters", 3)
        assert fussy.numbers() == [1, 3]


def test_follower_with_topics_skips_only_what_it_wants(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        serving(Signatures, memory_env, applications.filtered) as follower,
        Operator(follower.address) as operator,
        Steering(follower.address) as steering,
    ):
        letters = application_of(server, Letters)
        signatures = application_of(follower, Signatures)
        operator.wait_for_state("Letters", LIVE)
        steering.pause()
        letters.write_many(1, 2)
        letter_id = letters.write(3)
        letters.sign(letter_id, 31)
        letters.write(4)
        letters.sign(letter_id, 32)
        with Refused() as refused:
            steering.skip(1)
        assert "Signatures is paused before Letters #4, and not before #1" in refused.message
        response = steering.skip(4)
        assert response.event.topic == get_topic(Letter.Signed)
        assert (response.following.position, response.following.lag_events) == (4, 2)
        steering.resume()
        operator.wait_for_position("Letters", 6)
        assert signatures.numbers() == [32]


def test_event_that_cannot_be_decoded_can_be_skipped(memory_env: dict[str, str]) -> None:
    with (
        serving(Letters, memory_env) as server,
        following_fussily(memory_env) as (fussy, operator, steering),
    ):
        letters = application_of(server, Letters)
        letters.recorder.insert_events([StoredEvent(uuid4(), 1, "tests.nowhere:Gone", b"{}")])
        letters.write(1)
        operator.wait_for_state("Letters", FAILING)
        response = steering.skip(1)
        assert (response.event.topic, response.event.state) == ("tests.nowhere:Gone", "")
        assert "tests.nowhere:Gone" in response.event.error
        operator.wait_for_position("Letters", 2)
        assert fussy.numbers() == [1]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (LIVE, "Fussy is live on Letters: only the event that it fails on"),
        (UNREACHABLE, "Fussy can't reach Letters: only the event that it fails on"),
        (DIVERGED, "Fussy has diverged from Letters: no event of it can be skipped"),
    ],
)
def test_nothing_can_be_skipped_while_nothing_waits(
    memory_env: dict[str, str], state: pb.FollowingState.ValueType, told: str
) -> None:
    with ExitStack() as stack:
        position = 5 if state == DIVERGED else 0
        _, operator, steering = stack.enter_context(
            following_fussily(memory_env, position=position)
        )
        if state != UNREACHABLE:
            server = stack.enter_context(serving(Letters, memory_env))
            write(server, 1, 3)
        operator.wait_for_state("Letters", state)
        with Refused() as refused:
            steering.skip(6)
        assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
        assert told in refused.message
