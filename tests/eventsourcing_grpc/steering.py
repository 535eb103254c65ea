"""An operator who steers followings, and a follower whose policy stops where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar
from uuid import UUID

import grpc
import pytest
from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Tracking
from eventsourcing.system import System
from eventsourcing.utils import EnvType

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from tests.system import applications
from tests.system.applications import Copying, Fussy, Letter, Letters, Memos, Signatures
from tests.system.serving import Operator, application_of
from tests.waiting import DEADLINE

LIVE = pb.FOLLOWING_STATE_LIVE
PAUSED = pb.FOLLOWING_STATE_PAUSED
FAILING = pb.FOLLOWING_STATE_FAILING
UNREACHABLE = pb.FOLLOWING_STATE_UNREACHABLE
DIVERGED = pb.FOLLOWING_STATE_DIVERGED


class Gated(Copying):
    """Stops in the middle of its policy, at one letter, until the gate is opened."""

    number: ClassVar[int] = 0
    has_come: ClassVar[threading.Event] = threading.Event()
    gate: ClassVar[threading.Event] = threading.Event()

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        if isinstance(domain_event, Letter.Written) and domain_event.number == self.number:
            self.has_come.set()
            self.gate.wait(DEADLINE)
        super().policy(domain_event, processing_event)


gated = System([[Letters, Gated]])
CLASSES = (Letters, Memos, Fussy, Signatures, Gated)


class Steering:
    """Steers how one application follows Letters."""

    def __init__(self, address: str, leader: str = "Letters") -> None:
        self._channel = grpc.insecure_channel(address)
        self._leader = leader
        self.stub = OperationsStub(self._channel)

    def __enter__(self) -> Steering:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def pause(self) -> pb.FollowingStatus:
        request = pb.PauseFollowingRequest(leader=self._leader, reason="a test")
        return self.stub.PauseFollowing(request, timeout=DEADLINE).following

    def resume(self) -> pb.FollowingStatus:
        request = pb.ResumeFollowingRequest(leader=self._leader, reason="a test")
        return self.stub.ResumeFollowing(request, timeout=DEADLINE).following

    def retry(self) -> pb.FollowingStatus:
        request = pb.RetryNowRequest(leader=self._leader, reason="a test")
        return self.stub.RetryNow(request, timeout=DEADLINE).following

    def skip(self, notification_id: int, *, is_dry_run: bool = False) -> pb.SkipEventResponse:
        request = pb.SkipEventRequest(
            leader=self._leader,
            notification_id=notification_id,
            reason="" if is_dry_run else "a test",
            is_dry_run=is_dry_run,
        )
        return self.stub.SkipEvent(request, timeout=DEADLINE)


@contextmanager
def following_fussily(
    env: EnvType, *, position: int = 0
) -> Iterator[tuple[Fussy, Operator, Steering]]:
    """A Fussy that follows Letters, whoever serves them, and those who watch and steer it.

    :param position: the recorded one, before it starts.
    """
    server = GrpcApplicationServer(Fussy, env, system=applications.fussy)
    fussy = application_of(server, Fussy)
    if position:
        fussy.recorder.insert_tracking(Tracking("Letters", position))
    server.start()
    try:
        with Operator(server.address) as operator, Steering(server.address) as steering:
            yield fussy, operator, steering
    finally:
        server.stop(wait=True)


class Refused:
    """What is told of the call in a 'with' block that must be refused."""

    code: grpc.StatusCode
    message: str
    error: grpc.RpcError

    def __enter__(self) -> Refused:
        return self

    def __exit__(self, error_class: object, error: object, _: object) -> bool:
        if error is None:
            pytest.fail("it was not refused")
        if not (isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call)):
            return False
        self.error, self.code, self.message = error, error.code(), error.details() or ""
        return True


def stop_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Says at which letter a Gated stops."""
    monkeypatch.setattr(Gated, "number", number)
