"""Passwords, keys and what events say are in no log, no error and no description, whatever fails."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import grpc
import psycopg
import pytest
from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol
from eventsourcing.system import ProcessApplication, System
from eventsourcing.utils import get_topic

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.errors import GrpcError
from eventsourcing_grpc.methods import command
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from tests.certificates import Authority, channel_with
from tests.serving import address_env, free_address
from tests.system.serving import Operator, serving
from tests.waiting import DEADLINE, addresses_of, free_port, wait_until

pytest_plugins = ["tests.postgres"]

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "planted-password"
CIPHER_KEY = "73171337"
PAYLOAD = "planted-payload"
SECRETS = (PASSWORD, CIPHER_KEY, PAYLOAD, PAYLOAD.encode().hex())


class Page(Aggregate):
    """Something confidential."""

    def __init__(self, text: str) -> None:
        self.text = text


class Diary(Application[UUID]):
    """Keeps things to itself."""

    @command
    def write(self, text: str) -> UUID:
        """Writes a page."""
        page = Page(text)
        self.save(page)
        return page.id

    @command
    def tear(self, text: str) -> None:
        """Does not do it."""
        msg = "pages can't be torn"
        raise ValueError(msg)

    @command
    def count(self, pages: int) -> None:
        """Takes no text."""


class Reader(ProcessApplication[UUID]):
    """Can't read it."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        msg = "the light is too bad"
        raise RuntimeError(msg)


class Copier(ProcessApplication[UUID]):
    """Writes it down once more."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        processing_event.collect_events(Page(PAYLOAD))


system = System([[Diary, Reader]])
copying = System([[Diary, Copier]])


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Returns all that has been logged, as it would be written."""
    caplog.set_level(logging.DEBUG)
    formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    return lambda: "\n".join(map(formatter.format, caplog.records))


def check_no_secret(text: str) -> None:
    """Makes sure that something was told, and nothing that must not be."""
    assert text
    found = [secret for secret in SECRETS if secret in text]
    assert not found, text


def failure_of(call: Callable[[], object]) -> str:
    """Returns all that is told of a call that fails."""
    with pytest.raises((GrpcError, grpc.RpcError)) as caught:
        call()
    error = caught.value
    metadata = error.trailing_metadata() if isinstance(error, grpc.Call) else ()
    notes = getattr(error, "__notes__", [])
    return "\n".join(map(str, (repr(error), error, *notes, *vars(error).values(), metadata)))


def test_failing_policy_tells_nothing_of_the_event(told: Callable[[], str]) -> None:
    env = {
        **addresses_of(Diary, Reader),
        "CIPHER_TOPIC": "tests.applications:SubtractingCipher",
        "CIPHER_KEY": CIPHER_KEY,
    }
    with (
        serving(Diary, env, system) as diary,
        serving(Reader, env, system) as reader,
        Operator(reader.address) as operator,
        connect(Diary, env) as client,
    ):
        client.app.write(PAYLOAD)
        status = operator.wait_for_status(
            lambda status: status.followings[0].state == pb.FOLLOWING_STATE_FAILING
        )
        assert "the light is too bad" in status.followings[0].last_error.traceback
        check_no_secret(str(status))
        check_no_secret(str(operator.describe()))
        with Operator(diary.address) as watching:
            check_no_secret(str(watching.describe()))
            check_no_secret(str(watching.status()))
    assert "the light is too bad" in told()
    check_no_secret(told())


def test_follower_with_another_key_tells_nothing_of_the_event(told: Callable[[], str]) -> None:
    env = {
        **addresses_of(Diary, Reader),
        "CIPHER_TOPIC": "tests.applications:SubtractingCipher",
        "CIPHER_KEY": CIPHER_KEY,
    }
    with (
        serving(Diary, env, system),
        serving(Reader, {**env, "DIARY_CIPHER_KEY": "1"}, system) as reader,
        Operator(reader.address) as operator,
        connect(Diary, env) as client,
    ):
        client.app.write(PAYLOAD)
        status = operator.wait_for_status(
            lambda status: status.followings[0].state == pb.FOLLOWING_STATE_FAILING
        )
        check_no_secret(str(status))
    check_no_secret(told())


def test_failing_and_refused_calls_tell_nothing_of_their_arguments(
    tmp_path: Path, told: Callable[[], str]
) -> None:
    authority = Authority(tmp_path)
    address = free_address()
    lists = {"GRPC_ALLOWED_CLIENTS": "alice", "GRPC_OPERATORS": "oscar"}
    env = {**address_env(Diary, address), **authority.server_files(), **lists}
    with serving(Diary, env), ExitStack() as stack:
        for name in ("alice", "mallory", "oscar"):
            files = authority.files(name)
            client = stack.enter_context(connect(Diary, {**env, **files}))
            check_no_secret(failure_of(lambda: client.app.tear(PAYLOAD)))  # noqa: B023
            with pytest.raises(GrpcError):
                client.app.write(PAYLOAD, PAYLOAD)  # type: ignore[call-arg]
            with pytest.raises(GrpcError):
                client.call_application_method(PAYLOAD[:7], [PAYLOAD])
            stub = OperationsStub(stack.enter_context(channel_with(address, files)))
            for method, arguments in (("count", f'{{"pages": "{PAYLOAD}"}}'), ("tear", PAYLOAD)):
                request = pb.OperationsCallMethodRequest(method=method, arguments=arguments)
                with pytest.raises(grpc.RpcError):
                    stub.CallMethod(request, timeout=DEADLINE)
    assert "what=Application.CallMethod" in told()
    assert "what=Operations.CallMethod" in told()
    check_no_secret(told())


def test_database_that_is_down_at_start_is_told_without_the_password() -> None:
    env = {
        **{name: value for name, value in os.environ.items() if "GRPC" not in name},
        **address_env(Diary, free_address()),
        "APPLICATION_TOPIC": get_topic(Diary),
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "diary",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(free_port()),
        "POSTGRES_USER": "diary",
        "POSTGRES_PASSWORD": PASSWORD,
        "POSTGRES_CONNECT_TIMEOUT": "1",
    }
    result = subprocess.run(
        [sys.executable, "-m", "eventsourcing_grpc", "server", "--log-level", "debug"],
        env=env,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert result.returncode == 2
    check_no_secret(result.stdout + result.stderr)


def test_database_that_fails_is_told_without_what_was_written(
    postgres_env: dict[str, str], postgres_uri: str, told: Callable[[], str], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    address = free_address()
    files = authority.files("alice")
    env = {
        **address_env(Diary, address),
        **postgres_env,
        "POSTGRES_PASSWORD": PASSWORD,
        **authority.server_files(),
    }
    with serving(Diary, env), connect(Diary, {**address_env(Diary, address), **files}) as client:
        client.app.write(PAYLOAD)
        with psycopg.connect(postgres_uri, autocommit=True) as connection:
            schema = postgres_env["POSTGRES_SCHEMA"]
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
        check_no_secret(failure_of(lambda: client.app.write(PAYLOAD)))
        with channel_with(address, files) as channel:
            stub = OperationsStub(channel)
            request = pb.ReadEventsRequest(limit=1)
            check_no_secret(failure_of(lambda: stub.ReadEvents(request, timeout=DEADLINE)))
            check_no_secret(str(stub.Describe(pb.DescribeRequest(), timeout=DEADLINE)))
            watching = stub.Watch(pb.WatchRequest(), timeout=DEADLINE)
            check_no_secret(str(next(iter(watching))))
    wait_until(lambda: "does not exist" in told())
    check_no_secret(told())


def test_row_that_the_database_refuses_is_not_shown(
    postgres_env: dict[str, str], postgres_uri: str
) -> None:
    env = {**address_env(Diary, free_address()), **postgres_env}
    with serving(Diary, env), connect(Diary, env) as client:
        client.app.write(PAYLOAD)
        with psycopg.connect(postgres_uri, autocommit=True) as connection:
            table = f"{postgres_env['POSTGRES_SCHEMA']}.diary_events"
            constraint = "CONSTRAINT frozen CHECK (false) NOT VALID"
            connection.execute(f"ALTER TABLE {table} ADD {constraint}".encode())
        told = failure_of(lambda: client.app.write(PAYLOAD))
    assert 'violates check constraint "frozen"' in told
    assert "Failing row" not in told
    # How the beginning of a state in JSON is written there.
    assert "\\x7b" not in told


def test_follower_does_not_log_a_row_that_the_database_refuses(
    postgres_env: dict[str, str], postgres_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    env = {**addresses_of(Diary, Copier), **postgres_env}
    with (
        serving(Diary, env),
        serving(Copier, env, copying),
        connect(Diary, env) as client,
    ):
        with psycopg.connect(postgres_uri, autocommit=True) as connection:
            table = f"{postgres_env['POSTGRES_SCHEMA']}.copier_events"
            constraint = "CONSTRAINT frozen CHECK (false)"
            connection.execute(f"ALTER TABLE {table} ADD {constraint}".encode())
        client.app.write(PAYLOAD)
        wait_until(lambda: "frozen" in caplog.text)
    assert "Failing row" not in caplog.text
