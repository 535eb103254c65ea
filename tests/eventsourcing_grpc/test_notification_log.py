"""The notification log of an application that is served somewhere else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from eventsourcing.application import LocalNotificationLog, NotificationLog
from eventsourcing.persistence import Notification
from eventsourcing.utils import get_topic

from eventsourcing_grpc.application_client import GrpcApplicationClient
from eventsourcing_grpc.errors import RequestError
from tests.applications import Note, Notebook
from tests.serving import ClientOf, Serve, sqlite_env

CREATED = get_topic(Note.Created)
EXTENDED = f"{get_topic(Note)}.Extended"
LENGTH = 30
RANGES: Sequence[tuple[int | None, int, int | None]] = (
    # The start, the limit and the stop.
    (None, 5, None),
    (None, 5, 3),
    (1, 10, None),
    (1, 1, None),
    (7, 10, 12),
    (7, 3, 12),
    (7, 10, 7),
    (12, 10, 7),
    (0, 5, None),
    (-5, 5, None),
    (1, 5, 0),
    (1, 5, -1),
    (LENGTH, 10, None),
    (LENGTH + 1, 10, None),
    (1, 60, 10**9),
)


@pytest.fixture(params=["memory", "sqlite"])
def logs(
    request: pytest.FixtureRequest, serve: Serve, client_of: ClientOf, tmp_path: Path
) -> tuple[NotificationLog, NotificationLog]:
    """The log seen from afar, and the same log seen in the server's process."""
    env = sqlite_env(tmp_path / "notes.db") if request.param == "sqlite" else {}
    server = serve(Notebook, **env)
    client = client_of(Notebook, server)
    app = client.app
    for _ in range(LENGTH // 2):
        app.extend_note(app.add_note("text"), " and more")
    local = LocalNotificationLog(server.application.recorder, section_size=LENGTH * 2)
    return app.notification_log, local


@pytest.fixture
def long_client(serve: Serve, client_of: ClientOf) -> GrpcApplicationClient[Notebook]:
    """A client of a log of several pages."""
    client = client_of(Notebook, serve(Notebook))
    client.app.add_notes(2_500, "text")
    return client


def ids(notifications: Sequence[Notification]) -> list[int]:
    return [notification.id for notification in notifications]


@pytest.mark.parametrize("topics", [(), (CREATED,), (EXTENDED,), (CREATED, EXTENDED), ("other",)])
def test_selection_is_that_of_a_local_log(
    logs: tuple[NotificationLog, NotificationLog], topics: tuple[str, ...]
) -> None:
    remote, local = logs
    for (start, limit, stop), inclusive in product(RANGES, (True, False)):
        selected = remote.select(start, limit, stop, topics, inclusive_of_start=inclusive)
        expected = local.select(start, limit, stop, topics, inclusive_of_start=inclusive)
        assert list(selected) == list(expected), (start, limit, stop, inclusive)


def test_arguments_may_be_given_by_name(logs: tuple[NotificationLog, NotificationLog]) -> None:
    remote, _ = logs
    selected = remote.select(start=3, limit=2, stop=10, topics=[CREATED], inclusive_of_start=False)
    assert ids(selected) == [5, 7]


def test_section_is_that_of_a_local_log(logs: tuple[NotificationLog, NotificationLog]) -> None:
    remote, local = logs
    for section_id in ("1,10", "4,5", "25,40", "30,30", "31,40", "0,3"):
        expected, section = local[section_id], remote[section_id]
        assert (section.id, section.next_id) == (expected.id, expected.next_id)
        assert list(section.items) == list(expected.items)


def test_section_that_ends_before_it_starts_is_empty(
    logs: tuple[NotificationLog, NotificationLog],
) -> None:
    remote, _ = logs
    section = remote["5,4"]
    assert not section.items
    assert section.next_id is None


def test_sections_lead_through_the_whole_log(
    logs: tuple[NotificationLog, NotificationLog],
) -> None:
    remote, _ = logs
    found: list[int] = []
    section_id: str | None = "1,7"
    while section_id:
        section = remote[section_id]
        found.extend(ids(section.items))
        section_id = section.next_id
    assert found == list(range(1, LENGTH + 1))


def test_section_id_that_is_none_is_refused(
    logs: tuple[NotificationLog, NotificationLog],
) -> None:
    remote, _ = logs
    for section_id in ("", "1", "1,", "a,b", "1,2,3"):
        with pytest.raises(RequestError, match="'1,10'"):
            remote[section_id]


def test_selection_may_be_longer_than_a_page(
    long_client: GrpcApplicationClient[Notebook],
) -> None:
    log = long_client.app.notification_log
    assert ids(log.select(1, 2_400)) == list(range(1, 2_401))
    assert ids(log.select(None, 10**9)) == list(range(1, 2_501))
    assert ids(log.select(2, 10**30, stop=2_001)) == list(range(2, 2_002))
    assert ids(log.select(1, 5_000, inclusive_of_start=False)) == list(range(2, 2_501))
    assert len(log.select(1, 5_000, topics=[CREATED])) == 2_500
    assert log["1,1500"].next_id == "1501,3000"


def test_start_beyond_the_head_selects_nothing(
    long_client: GrpcApplicationClient[Notebook],
) -> None:
    log = long_client.app.notification_log
    for start in (2_501, 10**9, 2**63, 2**64, 10**30):
        assert log.select(start, 10) == []


def test_large_notifications_are_selected_in_several_messages(
    serve: Serve, client_of: ClientOf
) -> None:
    client = client_of(Notebook, serve(Notebook))
    texts = [letter * 5 * 1024 * 1024 for letter in "abc"]
    for text in texts:
        client.app.add_note(text)
    selected = client.get_notifications(1, 10)
    assert ids(selected) == [1, 2, 3]
    for notification, text in zip(selected, texts, strict=True):
        assert text.encode() in notification.state


@pytest.mark.parametrize("limit", [0, -1, -(10**9)])
def test_limit_that_selects_nothing_is_refused(
    logs: tuple[NotificationLog, NotificationLog], limit: int
) -> None:
    remote, _ = logs
    with pytest.raises(RequestError, match="at least 1") as caught:
        remote.select(1, limit)
    assert caught.value.violations == {"limit": "must be at least 1"}
