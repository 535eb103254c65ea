"""Finds the events that have a text in their topic, originator ID or state, the cheap looks first."""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import Mapper, Notification

from eventsourcing_grpc.calls.json_values import attributes_to_json_text
from eventsourcing_grpc.reading.search_text import SearchText
from eventsourcing_grpc.reading.stored_states import StoredStateFilter


class EventSearch:
    """Looks for one text in any number of events."""

    def __init__(self, text: str, mapper: Mapper[Any]) -> None:
        """:param text: must not be empty. Its case makes no difference."""
        self._text = SearchText.of(text)
        self._mapper = mapper
        self._filter = StoredStateFilter(self._text, mapper)
        self._topics: dict[str, bool] = {}

    def matches(self, notification: Notification) -> bool:
        """Tells whether an event has the text, in its state as people see it: as JSON, but without
        escapes.

        If it can't be decoded, its topic and its originator ID decide.
        """
        return (
            self._is_in_topic(notification.topic)
            or self._text.is_in_originator_id(notification.originator_id)
            or (self._filter.may_match(notification) and self._is_in_state(notification))
        )

    def _is_in_topic(self, topic: str) -> bool:
        is_in_topic = self._topics.get(topic)
        if is_in_topic is None:
            is_in_topic = self._topics[topic] = self._text.is_in_text(topic)
        return is_in_topic

    def _is_in_state(self, notification: Notification) -> bool:
        try:
            state = attributes_to_json_text(self._mapper.to_domain_event(notification))
        except Exception:
            # Why it can't be decoded is told where it is shown.
            return False
        return self._text.is_in_json(state)
