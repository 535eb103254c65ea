"""The IDs that were seen lately, for completing those that are typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from esgrpc_console.system_view import RequestFailed, SystemOperations, words

_UUID = re.compile(
    r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
)
_MAX_KEPT = 1_000
_MAX_SEARCHED = 100_000
_MAX_FOUND = 200
_MAX_READ = 200
"""Events of each application."""


@dataclass(frozen=True)
class SeenId:
    """An ID, and where it was seen last."""

    id: str
    where: str = ""


class SeenIds:
    """Remembers IDs, those that were seen last first."""

    def __init__(self) -> None:
        self._ids: dict[str, SeenId] = {}

    def note(self, id: str, where: str = "") -> None:
        """Remembers an ID.

        :param where: in a few words: ``Order.Created #12,398``.
        """
        self._ids.pop(id, None)
        self._ids[id] = SeenId(id, where)
        if len(self._ids) > _MAX_KEPT:
            del self._ids[next(iter(self._ids))]

    def note_all(self, text: str, where: str = "") -> None:
        """Remembers the UUIDs in a text, as far as it is looked at."""
        found = [match.group() for match in _UUID.finditer(text[:_MAX_SEARCHED])]
        for id in dict.fromkeys(reversed(found[:_MAX_FOUND])):
            self.note(id, where)

    async def read(self, operations: SystemOperations, applications: Iterable[str]) -> None:
        """Remembers the IDs of the aggregates of the newest events of some applications.

        What can't be read just now is left out: IDs are typed without help then.
        """
        for application in applications:
            with suppress(RequestFailed):
                page = await operations.read_events(
                    application, limit=_MAX_READ, is_backwards=True, with_state=False
                )
                for event in reversed(page.events):
                    where = f"{event.short_topic} #{words.number(event.id)}"
                    self.note(event.originator_id, where)

    def beginning_with(self, text: str, *, only_uuids: bool = False) -> Iterator[SeenId]:
        """Yields IDs that begin with a text, in any case, those that were seen last first."""
        for seen in reversed(self._ids.values()):
            if seen.id.lower().startswith(text.lower()) and (
                not only_uuids or _UUID.fullmatch(seen.id)
            ):
                yield seen
