"""Servers in this process and in others, and the view that an operator has of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import grpc
from eventsourcing.application import Application, TApplication
from eventsourcing.system import System
from eventsourcing.utils import EnvType, get_topic
from google.protobuf.duration_pb2 import Duration

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.environment import APPLICATION_TOPIC, SYSTEM_TOPIC
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.server_process import ServerProcess
from tests.waiting import DEADLINE

__all__ = ["Operator", "application_of", "pb", "serving", "spawning"]


@contextmanager
def serving(
    app_class: type[Application[Any]], env: EnvType, system: System | None = None
) -> Iterator[GrpcApplicationServer]:
    """A server that is started, and stopped at the end."""
    server = GrpcApplicationServer(app_class, env, system=system)
    server.start()
    try:
        yield server
    finally:
        server.stop(wait=True)


class Operator:
    """Watches one application's server, as the console does."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = OperationsStub(self._channel)

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def describe(self) -> pb.DescribeResponse:
        return self._stub.Describe(pb.DescribeRequest(), timeout=DEADLINE)

    def status(self) -> pb.ApplicationStatus:
        return self.wait_for_status(lambda status: True)

    def wait_for_status(
        self, condition: Callable[[pb.ApplicationStatus], bool]
    ) -> pb.ApplicationStatus:
        """Returns the first status of which a condition is true."""
        call = self._stub.Watch(
            pb.WatchRequest(interval=Duration(nanos=100_000_000)), timeout=DEADLINE
        )
        started = monotonic()
        status = None
        try:
            for status in call:
                if condition(status):
                    return status
        except grpc.RpcError as e:
            msg = f"Not within {monotonic() - started:.1f} s. Status was:\n{status}"
            raise AssertionError(msg) from e
        finally:
            call.cancel()
        raise AssertionError(status)

    def following(
        self, leader: str, condition: Callable[[pb.FollowingStatus], bool] = lambda following: True
    ) -> pb.FollowingStatus:
        """Returns the first status of a following of which a condition is true."""
        status = self.wait_for_status(lambda status: condition(_following(status, leader)))
        return _following(status, leader)

    def wait_for_position(self, leader: str, position: int) -> pb.FollowingStatus:
        """Returns when a follower has nothing left to process up to an ID, and is live."""
        return self.following(
            leader,
            lambda following: following.position >= position
            and following.state == pb.FOLLOWING_STATE_LIVE,
        )

    def wait_for_state(self, leader: str, state: pb.FollowingState.ValueType) -> pb.FollowingStatus:
        """Returns when a following is in a state."""
        return self.following(leader, lambda following: following.state == state)


def _following(status: pb.ApplicationStatus, leader: str) -> pb.FollowingStatus:
    return next(following for following in status.followings if following.leader == leader)


def application_of(server: GrpcApplicationServer, app_class: type[TApplication]) -> TApplication:
    """Returns the application that a server in this process serves."""
    application = server.application
    assert isinstance(application, app_class)
    return application


@contextmanager
def spawning(
    app_class: type[Application[Any]], env: Mapping[str, str], system_topic: str = ""
) -> Iterator[ServerProcess]:
    """A server in a process of its own, which is ended at the end, whatever state it is in.

    :param system_topic: tells whom it follows. Empty: nobody.
    """
    topics = {APPLICATION_TOPIC: get_topic(app_class)}
    if system_topic:
        topics[SYSTEM_TOPIC] = system_topic
    process = ServerProcess(app_class.name, {**env, **topics}, output=lambda name, line: None)
    process.start()
    try:
        process.wait_until_serving()
        yield process
    finally:
        if process.status is None:
            # One that is frozen does not hear that it is to stop.
            os.kill(process.pid, signal.SIGCONT)
        process.stop()
