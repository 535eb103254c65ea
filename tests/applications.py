"""Applications that tests serve: plain ones, and ones with everything that may go wrong.

They are here, and not in the tests, so that servers in processes of their own can import them.
"""

from __future__ import annotations

import pickle
import resource
import threading
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import (
    Aggregate,
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
    event,
)
from eventsourcing.persistence import (
    Cipher,
    Compressor,
    IntegrityError,
    JSONTranscoder,
    OperationalError,
    Transcoder,
    Transcoding,
)
from eventsourcing.utils import Environment, EnvType

from eventsourcing_grpc.methods import command, query


class Note(Aggregate):
    """Some text, and what was added to it."""

    def __init__(self, text: str) -> None:
        self.text = text

    @event("Extended")
    def extend(self, text: str) -> None:
        self.text += text


class NoteError(Exception):
    """An error of the application's own."""


class NoteTooLongError(NoteError):
    """Takes what it says from its arguments, and keeps them."""

    def __init__(self, note_id: UUID, limit: int) -> None:
        super().__init__(f"Note {note_id} would have more than {limit} characters")
        self.note_id = note_id
        self.limit = limit


class UnspeakableError(Exception):
    """Can't say what is wrong."""

    def __str__(self) -> str:
        msg = "nothing can be said"
        raise RuntimeError(msg)


class StatefulError(Exception):
    """Says what an attribute knows, which can't be sent."""

    def __init__(self, cause: object) -> None:
        super().__init__()
        self.cause = cause
        self.hint = "a hint"

    def __str__(self) -> str:
        return f"caused by {type(self.cause).__name__}"


class Notebook(Application[UUID]):
    """Has methods of every kind."""

    max_length = 1_000

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        self._executions: dict[str, int] = {}
        self._is_released = threading.Event()
        self._is_waiting = threading.Event()

    class Settings:
        """A class in a class."""

    @property
    def shelf(self) -> str:
        """A property."""
        return "top"

    def add_note(self, text: str = "") -> UUID:
        """Without a mark, and so a command."""
        note = Note(text)
        self.save(note)
        return note.id

    @command
    def extend_note(self, note_id: UUID, text: str) -> None:
        """Adds text to a note."""
        note: Note = self.repository.get(note_id)
        if len(note.text) + len(text) > self.max_length:
            raise NoteTooLongError(note_id, self.max_length)
        note.extend(text)
        self.save(note)

    @command
    def add_notes(self, count: int, text: str = "") -> int:
        """Adds many notes at once, and returns the number of the last notification."""
        recordings = self.save(*(Note(text) for _ in range(count)))
        return recordings[-1].notification.id

    @query
    def get_text(self, note_id: UUID) -> str:
        """Returns the text of a note."""
        note: Note = self.repository.get(note_id)
        return note.text

    @query
    def echo(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what it is given."""
        return [list(args), kwargs]

    @query
    def add(self, first: int, second: int = 1, *, third: int = 0) -> int:
        """Takes arguments by position and by name."""
        return first + second + third

    @staticmethod
    @query
    def greet(name: str) -> str:
        """A static method."""
        return f"Hello {name}"

    @classmethod
    @query
    def get_name(cls) -> str:
        """A class method."""
        return cls.name

    @query
    def return_object(self) -> object:
        """Returns what no transcoder can encode."""
        return object()

    def _private(self) -> str:
        return "secret"

    def fail(self, kind: str, text: str = "it failed") -> NoReturn:
        """Raises an exception."""
        self._count("fail")
        raise _make_error(kind, text)

    @query
    def wait_in_query(self) -> int:
        """Waits to be released, and returns how often it has been called."""
        return self._wait("wait_in_query")

    @command
    def wait_in_command(self) -> int:
        """Waits to be released, and returns how often it has been called."""
        return self._wait("wait_in_command")

    def wait_without_mark(self) -> int:
        """Waits to be released, and returns how often it has been called."""
        return self._wait("wait_without_mark")

    @query
    def count_executions(self, name: str) -> int:
        """Tells how often one of the methods that count has been executed."""
        return self._executions.get(name, 0)

    @query
    def await_waiting(self) -> bool:
        """Returns when a method waits to be released."""
        return self._is_waiting.wait(10)

    @command
    def release(self) -> None:
        """Lets those go on who wait."""
        self._is_released.set()

    def _wait(self, name: str) -> int:
        executions = self._count(name)
        self._is_waiting.set()
        self._is_released.wait(20)
        return executions

    def _count(self, name: str) -> int:
        self._executions[name] = self._executions.get(name, 0) + 1
        return self._executions[name]


def _make_error(kind: str, text: str) -> BaseException:
    noted = NoteError(text)
    noted.add_note("look under the table")
    errors: dict[str, BaseException] = {
        "value": ValueError(text),
        "assertion": AssertionError(text),
        "silent assertion": AssertionError(),
        "integrity": IntegrityError(text),
        "key": KeyError(text),
        "type": TypeError(text),
        "os": FileNotFoundError(2, text, "/nowhere"),
        "unicode": UnicodeDecodeError("utf-8", b"\xff", 0, 1, text),
        "own": NoteError(text),
        "noted": noted,
        # Not an attribute of the module, so that callers can't have the class.
        "hidden": type("HiddenError", (Exception,), {})(text),
        "unspeakable": UnspeakableError(),
        "stateful": StatefulError(object()),
        "database": OperationalError(f"password=secret {text}"),
        "exit": SystemExit(text),
    }
    return errors[kind]


class CrampedNotebook(Notebook):
    """Its process can't make files that are larger than it allows itself."""

    @command
    def set_room(self, size: int) -> None:
        """Sets the greatest size of a file, in bytes. -1: any."""
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


class TextEvent(CanMutateAggregate[str], metaclass=MetaDomainEvent):
    """What the core library has for UUIDs only."""

    originator_id: str
    originator_version: int
    timestamp: datetime


class TextAggregate(BaseAggregate[str]):
    """Has a text as its ID."""

    class Event(TextEvent):
        """Something that happened."""

    class Created(Event, CanInitAggregate[str]):
        """Something has begun."""

        originator_topic: str


class Word(TextAggregate):
    """Has an ID that contains the word."""

    @staticmethod
    def create_id(text: str) -> str:
        return f"word-{text}"

    def __init__(self, text: str) -> None:
        self.text = text
        self.meanings: list[str] = []


class Dictionary(Application[str]):
    """Has texts as originator IDs."""

    def add_word(self, text: str) -> str:
        """Adds a word."""
        word = Word(text)
        self.save(word)
        return word.id

    @query
    def get_meanings(self, word_id: str) -> list[str]:
        """Returns the meanings of a word."""
        word: Word = self.repository.get(word_id)
        return word.meanings


@dataclass(frozen=True)
class Money:
    """Something that the core library's transcoder doesn't know."""

    amount: Decimal
    currency: str


class MoneyAsList(Transcoding):
    """Lets ``Money`` be sent and recorded."""

    type = Money
    name = "money_as_list"

    def encode(self, obj: Money) -> list[str]:
        return [str(obj.amount), obj.currency]

    def decode(self, data: list[str]) -> Money:
        return Money(Decimal(data[0]), data[1])


class Account(Aggregate):
    """Has money, since a certain time."""

    def __init__(self, balance: Money, opened: datetime) -> None:
        self.balance = balance
        self.opened = opened


class NoMoneyError(Exception):
    """Its argument needs the application's own transcoding."""


class Bank(Application[UUID]):
    """Registers a transcoding of its own."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(MoneyAsList())

    @command
    def open_account(self, balance: Money, opened: datetime) -> UUID:
        """Opens an account."""
        if balance.amount <= 0:
            raise NoMoneyError(balance)
        account = Account(balance, opened)
        self.save(account)
        return account.id

    @query
    def get_balance(self, account_id: UUID) -> Money:
        """Returns what is in an account."""
        account: Account = self.repository.get(account_id)
        return account.balance


class PickleTranscoder(Transcoder):
    """Encodes what the core library's transcoder can't, such as sets and bytes."""

    def encode(self, obj: Any) -> bytes:
        return b"pickle" + pickle.dumps(obj)

    def decode(self, data: bytes) -> Any:
        if not data.startswith(b"pickle"):
            msg = "not pickled"
            raise ValueError(msg)
        return pickle.loads(data.removeprefix(b"pickle"))


class ReversingCompressor(Compressor):
    """Makes nothing smaller, but what it makes can be recognised."""

    def compress(self, data: bytes) -> bytes:
        return b"reversed" + data[::-1]

    def decompress(self, data: bytes) -> bytes:
        assert data.startswith(b"reversed")
        return data.removeprefix(b"reversed")[::-1]


class SubtractingCipher(Cipher):
    """Keeps no secret, but needs a key from the environment."""

    def __init__(self, environment: Environment) -> None:
        self._key = int(environment["CIPHER_KEY"])

    def encrypt(self, plaintext: bytes) -> bytes:
        return bytes((byte - self._key) % 256 for byte in plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        return bytes((byte + self._key) % 256 for byte in ciphertext)
