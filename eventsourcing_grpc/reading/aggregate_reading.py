"""Reads the state of one aggregate, at any version, whatever way the application makes aggregates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import CanMutateProtocol
from eventsourcing.utils import get_topic

from eventsourcing_grpc.calls.json_values import attributes_to_json_text
from eventsourcing_grpc.errors import GrpcError, RequestError
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading.originators import find_first_event, last_version


class NotProjectableError(GrpcError):
    """Raised when the application does not tell how its events make an aggregate."""


def read_aggregate(
    application: Application[Any], originator_id: str, version: int | None
) -> pb.ReadAggregateResponse:
    """Returns the state of an aggregate.

    :param originator_id: a UUID in any usual form, or the text of an originator ID.
    :param version: None: the newest.
    :raises AggregateNotFoundError: when there is no such aggregate, or no such version of it.
    :raises NotProjectableError: when neither the events nor 'snapshotting_projectors' tell how.
    """
    if not originator_id:
        msg = "The originator ID is missing"
        raise RequestError(msg, {"originator_id": "is missing"})
    first = find_first_event(application.recorder, originator_id)
    if first is None:
        msg = f"{application.name} has no aggregate {originator_id}"
        raise AggregateNotFoundError(msg)
    newest = last_version(application.recorder, first.originator_id)
    if version is not None and not first.originator_version <= version <= newest:
        msg = (
            f"Aggregate {first.originator_id} has no version {version}: "
            f"it has {first.originator_version} to {newest}"
        )
        raise AggregateNotFoundError(msg)
    # With its version, an aggregate is neither taken from the repository's cache nor put into it.
    aggregate = _reconstruct(
        application, first.originator_id, newest if version is None else version
    )
    return pb.ReadAggregateResponse(
        topic=get_topic(type(aggregate)),
        originator_id=str(first.originator_id),
        version=newest if version is None else version,
        state=attributes_to_json_text(aggregate),
    )


def _reconstruct(application: Application[Any], originator_id: UUID | str, version: int) -> object:
    first_event = next(iter(application.events.get(originator_id, limit=1)))
    if isinstance(first_event, CanMutateProtocol):
        aggregate: object = application.repository.get(originator_id, version=version)
        return aggregate
    # Events that can't mutate don't tell the aggregate's class either: whose projector fits?
    cause: Exception | None = None
    for aggregate_class, projector in application.snapshotting_projectors.items():
        try:
            aggregate = application.repository.get(
                originator_id, version=version, projector_func=projector
            )
        except Exception as error:
            # A projector may do anything to other events.
            cause = cause or error
            continue
        if isinstance(aggregate, aggregate_class):
            return aggregate
    msg = (
        f"{application.name} does not tell how the aggregate {originator_id} is made of its events: "
        f"{type(first_event).__qualname__} has no mutate(), and no projector of "
        f"'snapshotting_projectors' takes it{f' ({cause})' if cause else ''}"
    )
    raise NotProjectableError(msg) from cause
