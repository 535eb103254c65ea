"""What applications encode in their own way passes through unchanged."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, Notification
from eventsourcing.utils import get_topic

from eventsourcing_grpc.application_client import GrpcError
from eventsourcing_grpc.errors import ArgumentsError
from tests.applications import (
    Account,
    Bank,
    Dictionary,
    Money,
    NoMoneyError,
    Notebook,
    PickleTranscoder,
    ReversingCompressor,
    SubtractingCipher,
)
from tests.serving import ClientOf, Serve, sqlite_env

OPENED = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
TEXT = "a text that can be recognised"


def stored(notification: Notification) -> bytes:
    return bytes(notification.state)


def test_uuid_originator_ids_pass(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    note_id = client.app.add_note(TEXT)
    (notification,) = client.get_notifications(1, 10)
    assert isinstance(notification.originator_id, UUID)
    assert notification.originator_id == note_id
    assert next(client.subscribe()).originator_id == note_id


@pytest.mark.parametrize("persistence", ["memory", "sqlite"])
@pytest.mark.parametrize("text", ["hello", "", "ünïcode €", "0123456789abcdef"])
def test_text_originator_ids_pass(
    serve: Serve, client_of: ClientOf, tmp_path: Path, persistence: str, text: str
) -> None:
    env = {"ORIGINATOR_ID_TYPE": "text"}
    if persistence == "sqlite":
        env |= sqlite_env(tmp_path / "words.db")
    client = client_of(Dictionary, serve(Dictionary, **env))
    word_id = client.app.add_word(text)
    assert word_id == f"word-{text}"
    assert client.app.get_meanings(word_id) == []
    (notification,) = client.get_notifications(1, 10)
    assert notification.originator_id == word_id
    assert next(client.subscribe()).originator_id == word_id


def test_custom_transcodings_are_used_for_calls(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Bank, serve(Bank))
    balance = Money(Decimal("12.50"), "EUR")
    account_id = client.app.open_account(balance, opened=OPENED)
    assert client.app.get_balance(account_id) == balance


def test_custom_transcodings_are_used_for_exceptions(serve: Serve, client_of: ClientOf) -> None:
    app = client_of(Bank, serve(Bank)).app
    nothing = Money(Decimal(0), "EUR")
    with pytest.raises(NoMoneyError) as caught:
        app.open_account(nothing, OPENED)
    assert isinstance(caught.value, GrpcError)
    assert caught.value.args == (nothing,)


def test_custom_transcodings_are_used_for_events(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Bank)
    client = client_of(Bank, server)
    client.app.open_account(Money(Decimal("12.50"), "EUR"), OPENED)
    (notification,) = client.get_notifications(1, 10)
    mapper: Mapper[UUID] = server.application.mapper
    event: DomainEventProtocol[UUID] = mapper.to_domain_event(notification)
    assert isinstance(event, Account.Created)
    assert vars(event)["balance"] == Money(Decimal("12.50"), "EUR")
    assert vars(event)["opened"] == OPENED


def test_other_transcoders_are_used_for_calls_and_events(serve: Serve, client_of: ClientOf) -> None:
    env = {"TRANSCODER_TOPIC": get_topic(PickleTranscoder)}
    client = client_of(Notebook, serve(Notebook, **env), **env)
    assert client.app.echo({1, 2}, key=b"bytes", none=None) == [
        [{1, 2}],
        {"key": b"bytes", "none": None},
    ]
    assert client.app.get_text(client.app.add_note(TEXT)) == TEXT
    assert stored(client.get_notifications(1, 1)[0]).startswith(b"pickle")
    with pytest.raises(ValueError, match="it failed"):
        client.app.fail("value")


def test_client_with_another_transcoder_is_told(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook), TRANSCODER_TOPIC=get_topic(PickleTranscoder))
    with pytest.raises(ArgumentsError, match="can't be decoded"):
        client.app.echo("x")


def test_compressed_events_pass_as_they_are_stored(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook, COMPRESSOR_TOPIC=get_topic(ReversingCompressor)))
    assert client.app.get_text(client.app.add_note(TEXT)) == TEXT
    state = stored(client.get_notifications(1, 1)[0])
    assert state.startswith(b"reversed")
    assert TEXT.encode() in ReversingCompressor().decompress(state)
    assert stored(next(client.subscribe())) == state


def test_encrypted_events_pass_as_they_are_stored(serve: Serve, client_of: ClientOf) -> None:
    cipher = {"CIPHER_TOPIC": get_topic(SubtractingCipher), "CIPHER_KEY": "42"}
    server = serve(Notebook, **cipher)
    # The client needs neither the cipher nor its key.
    client = client_of(Notebook, server)
    assert client.app.get_text(client.app.add_note(TEXT)) == TEXT
    state = stored(client.get_notifications(1, 1)[0])
    assert TEXT.encode() not in state
    assert TEXT.encode() in SubtractingCipher(server.env).decrypt(state)
    assert stored(next(client.subscribe())) == state


def test_compressed_and_encrypted_events_pass_through_a_file(
    serve: Serve, client_of: ClientOf, tmp_path: Path
) -> None:
    env = {
        "COMPRESSOR_TOPIC": "zlib",
        "CIPHER_TOPIC": get_topic(SubtractingCipher),
        "CIPHER_KEY": "7",
        **sqlite_env(tmp_path / "notes.db"),
    }
    server = serve(Notebook, **env)
    client = client_of(Notebook, server)
    note_id = client.app.add_note(TEXT)
    client.app.extend_note(note_id, " and more")
    assert client.app.get_text(note_id) == f"{TEXT} and more"
    local = server.application.recorder.select_notifications(1, 10)
    assert list(client.get_notifications(1, 10)) == list(local)
    subscription = client.subscribe()
    assert [next(subscription), next(subscription)] == list(local)
