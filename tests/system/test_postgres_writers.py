"""Tests of many writers in several processes on one PostgreSQL database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.topics import system_topic
from tests.system import applications
from tests.system.applications import Copies, Letter, Letters, Summaries
from tests.system.serving import Operator, spawning
from tests.waiting import DEADLINE, addresses_of

pytest_plugins = ["tests.postgres"]

WRITERS = 8
EACH = 40


@pytest.fixture
def env(postgres_env: dict[str, str]) -> dict[str, str]:
    """A new store, of which nothing is heard for a minute but what is announced."""
    return {**postgres_env, "MAX_PULL_INTERVAL": "60"}


def test_followers_process_what_many_writers_record_once_and_in_order(env: dict[str, str]) -> None:
    topic = system_topic(applications.two_pipes)
    with ExitStack() as stack:
        leader_envs = [{**env, **addresses_of(Letters)} for _ in range(3)]
        leaders = [spawning(Letters, leader_env) for leader_env in leader_envs]
        # The two servers of one follower have different servers of the leader.
        followers = [
            spawning(cls, {**leader_envs[number % 3], **addresses_of(cls)}, topic)
            for number, cls in enumerate((Copies, Copies, Summaries))
        ]
        with ThreadPoolExecutor(len(leaders + followers)) as pool:
            servers = list(pool.map(stack.enter_context, leaders + followers))
        operators = [
            stack.enter_context(Operator(server.address)) for server in servers[len(leaders) :]
        ]
        clients = [stack.enter_context(connect(Letters, each)) for each in leader_envs]
        heard: list[list[int]] = [[] for _ in clients]
        subscriptions = [stack.enter_context(client.subscribe()) for client in clients]

        def write(writer: int) -> None:
            for number in range(writer * EACH, (writer + 1) * EACH):
                clients[writer % 3].app.write(number)

        def listen(index: int) -> None:
            heard[index].extend(next(subscriptions[index]).id for _ in range(WRITERS * EACH))

        with ThreadPoolExecutor(WRITERS + 3) as pool:
            listening = [pool.submit(listen, index) for index in range(3)]
            for future in [pool.submit(write, writer) for writer in range(WRITERS)]:
                future.result(DEADLINE)
            for future in listening:
                future.result(DEADLINE)
        letters = stack.enter_context(Letters(env))
        written = letters.recorder.select_notifications(None, 10_000)
        for operator in operators:
            operator.following("Letters", lambda status: status.position >= written[-1].id)

        ids = [notification.id for notification in written]
        numbers = []
        for notification in written:
            event = letters.mapper.to_domain_event(notification)
            assert isinstance(event, Letter.Written)
            numbers.append(event.number)
        assert sorted(numbers) == list(range(WRITERS * EACH))
        assert heard == [ids, ids, ids]
        for follower in (Copies(env), Summaries(env)):
            stack.callback(follower.close)
            assert follower.numbers() == numbers
