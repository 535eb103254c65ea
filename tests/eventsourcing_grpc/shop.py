"""A small application that tests serve, and ways to call it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import grpc
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Transcoder
from google.rpc.error_details_pb2 import BadRequest
from grpc_status import rpc_status

from eventsourcing_grpc.methods import query
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub

TIMEOUT = 10.0
"""Seconds for one call."""


class OutOfStockError(Exception):
    """Raised by an application."""


class Shop(Application[UUID]):
    """Sells pears."""

    def sell(self, pears: int) -> UUID:
        """Sells some."""
        sale = Aggregate()
        self.save(sale)
        if pears > 10:
            raise OutOfStockError(pears)
        return sale.id

    @query
    def wait(self, seconds: float) -> str:
        """Takes its time."""
        is_closing: bool = self.closing.wait(seconds)
        return f"closing: {is_closing}"

    @query
    def get_secret(self) -> Transcoder:
        """Returns what no transcoder can encode."""
        return self.mapper.transcoder


def call(stub: OperationsStub, method: str, **arguments: Any) -> pb.OperationsCallMethodResponse:
    request = pb.OperationsCallMethodRequest(method=method, arguments=json.dumps(arguments))
    return stub.CallMethod(request, timeout=TIMEOUT)


def violations(error: grpc.RpcError) -> dict[str, str]:
    assert isinstance(error, grpc.Call)
    status = rpc_status.from_call(error)
    assert status is not None
    for detail in status.details:
        bad_request = BadRequest()
        if detail.Unpack(bad_request):
            return {v.field: v.description for v in bad_request.field_violations}
    return {}
