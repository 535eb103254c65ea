"""Followers whose policies do what they should not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.system import ProcessApplication, System

from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.following import Following
from eventsourcing_grpc.runner import GrpcRunner
from tests.serving import status_of
from tests.waiting import addresses_of, wait_until

may_go_on = threading.Event()


class Sleeper(ProcessApplication[UUID]):
    """Waits in its policy until it may go on."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        may_go_on.wait(30)


class Quitter(ProcessApplication[UUID]):
    """Raises what usually ends a thread without a word, until it may go on."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        if not may_go_on.is_set():
            raise SystemExit(3)


class Stammerer(ProcessApplication[UUID]):
    """Raises what can't be sent as it is: half characters and megabytes."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        raise RuntimeError("half a character: \ud800 " + "x" * 1_000_000)


class SpeechlessError(Exception):
    def __str__(self) -> str:
        msg = "can't be shown"
        raise LookupError(msg)


class Dawdler(ProcessApplication[UUID]):
    """Takes its time for each event, and less than a second."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        may_go_on.wait(0.3)


class Speechless(ProcessApplication[UUID]):
    """Raises what can't be shown as text."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        raise SpeechlessError


@pytest.fixture(autouse=True)
def _may_not_go_on() -> Iterator[None]:
    may_go_on.clear()
    yield
    may_go_on.set()


def only_following(runner: GrpcRunner, name: str) -> Following:
    (following,) = runner.servers[name].followings
    return following


def test_a_policy_that_hangs_shows_how_far_it_falls_behind() -> None:
    with GrpcRunner(System([[Orders, Sleeper]]), addresses_of(Orders, Sleeper)) as runner:
        orders = runner.get(Orders)
        orders.create_new_order()
        following = only_following(runner, "Sleeper")
        wait_until(lambda: following.status().head == 1)
        for _ in range(600):
            runner.servers["Orders"].application.create_new_order()  # type: ignore[attr-defined]

        def has_noticed() -> bool:
            following.refresh()
            return following.status().lag_events == 601

        wait_until(has_noticed)
        assert following.status().state is FollowingState.CATCHING_UP
        may_go_on.set()
        wait_until(lambda: following.status().state is FollowingState.LIVE)


def test_a_policy_that_is_slow_shows_how_far_it_falls_behind() -> None:
    with GrpcRunner(System([[Orders, Dawdler]]), addresses_of(Orders, Dawdler)) as runner:
        orders = runner.get(Orders)
        following = only_following(runner, "Dawdler")
        for _ in range(100):
            # Most come by themselves, with the head that the log had then.
            orders.create_new_order()

        def has_noticed() -> bool:
            following.refresh()
            return following.status().head == 100

        wait_until(has_noticed)
        assert following.status().position < 20


def test_a_policy_that_exits_is_failing_and_tried_again() -> None:
    with GrpcRunner(System([[Orders, Quitter]]), addresses_of(Orders, Quitter)) as runner:
        runner.get(Orders).create_new_order()
        following = only_following(runner, "Quitter")
        wait_until(lambda: following.status().state is FollowingState.FAILING)
        error = following.status().error
        assert error is not None
        assert error.error_class == "SystemExit"
        may_go_on.set()
        wait_until(lambda: following.status().position == 1)


def test_operators_are_told_of_errors_that_say_too_much() -> None:
    with GrpcRunner(System([[Orders, Stammerer]]), addresses_of(Orders, Stammerer)) as runner:
        runner.get(Orders).create_new_order()
        following = only_following(runner, "Stammerer")
        wait_until(lambda: following.status().state is FollowingState.FAILING)
        (told,) = status_of(runner.servers["Stammerer"]).followings
        assert told.last_error.message.startswith("half a character: ? x")
        assert len(told.last_error.message) < 20_000
        assert 0 < len(told.last_error.traceback) < 100_000


def test_operators_are_told_which_event_fails_with_an_error_that_says_nothing() -> None:
    with GrpcRunner(System([[Orders, Speechless]]), addresses_of(Orders, Speechless)) as runner:
        runner.get(Orders).create_new_order()
        following = only_following(runner, "Speechless")
        wait_until(lambda: following.status().state is FollowingState.FAILING)
        (told,) = status_of(runner.servers["Speechless"]).followings
        assert told.last_error.error_class == "SpeechlessError"
        assert told.last_error.notification_id == 1
