"""The database's password, read from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.utils import resolve_topic

from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.password_file import postgres_password
from tests.deploy.compose_file import read_services


def test_topic_of_the_compose_file_leads_to_it() -> None:
    topic = read_services()["orders"].env["POSTGRES_GET_PASSWORD_TOPIC"]
    assert resolve_topic(topic) is postgres_password


def test_replaced_password_is_read_without_the_lines_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(path))
    path.write_text("first", encoding="utf-8")
    assert postgres_password() == "first"
    path.write_text(" second \r\n", encoding="utf-8")
    assert postgres_password() == " second "


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read: No such file"), (b"\n", "is empty"), (b"secret\xff", "is not text")],
)
def test_file_that_can_not_be_used_is_named_and_not_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(path))
    with pytest.raises(EnvironmentVariableError) as caught:
        postgres_password()
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None or content is None


def test_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTGRES_PASSWORD_FILE", raising=False)
    with pytest.raises(EnvironmentVariableError, match="POSTGRES_PASSWORD_FILE"):
        postgres_password()
