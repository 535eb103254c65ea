"""Protobuf messages <-> objects of the core library."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from eventsourcing.persistence import Notification

from eventsourcing_grpc.protos import application_pb2

_new = object.__new__


def notification_to_message(notification: Notification) -> application_pb2.Notification:
    """Returns the message for a notification. Its state stays as it is stored."""
    originator_id = notification.originator_id
    if isinstance(originator_id, UUID):
        return application_pb2.Notification(
            id=notification.id,
            originator_uuid=originator_id.bytes,
            originator_version=notification.originator_version,
            topic=notification.topic,
            state=notification.state,
        )
    return application_pb2.Notification(
        id=notification.id,
        originator_text=originator_id,
        originator_version=notification.originator_version,
        topic=notification.topic,
        state=notification.state,
    )


def notifications_from_messages(
    messages: Iterable[application_pb2.Notification],
) -> list[Notification]:
    """Returns the notifications of messages, in their order."""
    return [_notification_from_message(message) for message in messages]


def _notification_from_message(message: application_pb2.Notification) -> Notification:
    # Equal to calling Notification(...). Its frozen dataclass's __init__ takes three times as
    # long, and this is where a reader of a long log spends its time.
    notification = _new(Notification)
    notification.__dict__.update(
        originator_id=(
            UUID(bytes=uuid_bytes)
            if (uuid_bytes := message.originator_uuid)
            else message.originator_text
        ),
        originator_version=message.originator_version,
        topic=message.topic,
        state=message.state,
        id=message.id,
    )
    return notification
