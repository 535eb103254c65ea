"""Encodes a notification once, however many subscribers it is sent to.

The wire format lets encoded notifications be joined to an encoded ``NotificationBatch``:
see "Message Structure" and "Optional, Repeated" in https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterable

from eventsourcing.persistence import Notification

from eventsourcing_grpc.conversion import notification_to_message
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch

# Field 1 of NotificationBatch, of wire type 2: length-delimited.
_NOTIFICATIONS_TAG = b"\x0a"


def encode_notification(notification: Notification, trace_context: str = "") -> bytes:
    """Returns a notification as it stands in an encoded batch.

    :param trace_context: in which trace it was recorded. Empty: not known.
    """
    message = notification_to_message(notification)
    if trace_context:
        message.trace_context = trace_context
    encoded = message.SerializeToString()
    return _NOTIFICATIONS_TAG + _varint(len(encoded)) + encoded


def encode_batch(fragments: Iterable[bytes], read_through: int, head: int) -> bytes:
    """Returns an encoded ``NotificationBatch`` of notifications that are already encoded."""
    rest = NotificationBatch(read_through=read_through, head=head).SerializeToString()
    return b"".join((*fragments, rest))


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
