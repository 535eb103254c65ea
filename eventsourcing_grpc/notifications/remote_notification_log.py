"""A notification log that is somewhere else, read a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eventsourcing.application import NotificationLog, Section
from eventsourcing.persistence import Notification

from eventsourcing_grpc.conversion import notifications_from_messages
from eventsourcing_grpc.errors import RequestError
from eventsourcing_grpc.protos.application_pb2 import (
    SelectNotificationsRequest,
    SelectNotificationsResponse,
)

MAX_ID = 2**64 - 1


class RemoteNotificationLog(NotificationLog):
    """Reads a log with calls of ``SelectNotifications``.

    Any limit may be asked for: a long selection is fetched page by page.
    """

    def __init__(
        self, select: Callable[[SelectNotificationsRequest], SelectNotificationsResponse]
    ) -> None:
        self._select = select

    def __getitem__(self, section_id: str) -> Section:
        """Returns the section with the given ID, such as ``"1,10"``.

        :raises RequestError: when the ID is not two numbers with a comma between them.
        """
        try:
            first, last = (int(part) for part in section_id.split(","))
        except ValueError:
            msg = f"Section ID {section_id!r} is not two numbers. A good one is '1,10'"
            raise RequestError(msg) from None
        start = max(1, first)
        limit = max(0, last - start + 1)
        if limit == 0:
            return Section(id=None, items=[], next_id=None)
        items = self.select(start, limit)
        if not items:
            return Section(id=None, items=[], next_id=None)
        last_id = items[-1].id
        return Section(
            id=f"{items[0].id},{last_id}",
            items=items,
            next_id=f"{last_id + 1},{last_id + limit}" if len(items) == limit else None,
        )

    def select(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Returns notifications in the order of their IDs.

        :param start: the first ID wanted. None: the log's first.
        :param limit: how many at most. At least 1.
        :param stop: the last ID wanted. None: the log's last.
        :param topics: the topics wanted. Empty: all.
        :param inclusive_of_start: False when ``start`` itself is not wanted.
        :raises RequestError: when the limit is not at least 1.
        :raises ServiceUnavailable: when the server can't be reached.
        """
        check_limit(limit)
        request = SelectNotificationsRequest(
            # Where the core library's recorders start for whatever is smaller.
            start=None if start is None else min(max(start, 0), MAX_ID),
            stop=None if stop is None else min(max(stop, 0), MAX_ID),
            topics=topics,
            exclusive_of_start=not inclusive_of_start,
        )
        selected: list[Notification] = []
        while True:
            request.limit = min(limit - len(selected), MAX_ID)
            page = self._select(request)
            selected.extend(notifications_from_messages(page.notifications))
            if len(selected) >= limit or not page.has_more:
                return selected
            request.start = selected[-1].id
            request.exclusive_of_start = True


def check_limit(limit: int) -> None:
    """Makes sure that a limit asks for something.

    :raises RequestError: when it doesn't.
    """
    if limit < 1:
        msg = f"limit={limit} selects nothing: it must be at least 1"
        raise RequestError(msg, {"limit": "must be at least 1"})
