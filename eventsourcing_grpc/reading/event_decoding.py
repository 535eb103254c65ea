"""Decodes one stored event, for people to read. Which events are wanted is left to others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from eventsourcing.persistence import Mapper, Notification

from eventsourcing_grpc.calls.error_texts import beginning_of, message_of
from eventsourcing_grpc.calls.json_values import attributes_to_json_text
from eventsourcing_grpc.protos import operations_pb2 as pb

_MAX_ERROR_LENGTH = 500


def decode_event(
    notification: Notification, mapper: Mapper[Any], *, with_state: bool = True
) -> pb.Event:
    """Returns an event, with its state as JSON if that is wanted.

    It never fails: an event that can't be decoded says why in its 'error', and has no state.
    """
    message = pb.Event(
        id=notification.id,
        topic=notification.topic,
        originator_id=str(notification.originator_id),
        originator_version=notification.originator_version,
    )
    try:
        domain_event = mapper.to_domain_event(notification)
        state = attributes_to_json_text(domain_event) if with_state else ""
        timestamp = getattr(domain_event, "timestamp", None)
        if isinstance(timestamp, datetime):
            message.timestamp.FromDatetime(timestamp)
        message.state = state
    except Exception as error:
        # Keys, classes and transcodings may be missing, and any code of theirs may run.
        text = " ".join(f"{type(error).__name__}: {message_of(error)}".split())
        message.error = beginning_of(text, _MAX_ERROR_LENGTH)
    return message
