"""Small applications, and systems of every shape, for servers in processes of their own."""

from __future__ import annotations

import sys
import threading
from typing import ClassVar
from uuid import UUID

from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.system import ProcessApplication, System
from eventsourcing.utils import EnvType, get_topic

from eventsourcing_grpc.methods import command, query


class Letter(Aggregate):
    """Something that is written, and may be signed."""

    class Written(Aggregate.Created):
        number: int

    class Signed(Aggregate.Event):
        number: int

    @event(Written)
    def __init__(self, number: int) -> None:
        self.number = number

    @event(Signed)
    def set_signed(self, number: int) -> None:
        self.number = number


class Letters(Application[UUID]):
    """Neither a leader nor a follower by itself."""

    @command
    def write(self, number: int) -> UUID:
        letter = Letter(number)
        self.save(letter)
        return letter.id

    @command
    def write_many(self, first: int, count: int) -> None:
        """Writes letters with consecutive numbers, and records them one by one."""
        for number in range(first, first + count):
            self.save(Letter(number))

    @command
    def write_at_once(self, first: int, count: int) -> None:
        """Writes letters with consecutive numbers, and records them all at once."""
        self.save(*(Letter(number) for number in range(first, first + count)))

    @command
    def sign(self, letter_id: UUID, number: int) -> None:
        letter: Letter = self.repository.get(letter_id)
        letter.set_signed(number)
        self.save(letter)


class Memos(Letters):
    """Another leader, with the same events."""


class Copy(Aggregate):
    """What a follower makes of a letter."""

    class Made(Aggregate.Created):
        number: int

    @event(Made)
    def __init__(self, number: int) -> None:
        self.number = number


class Copying(ProcessApplication[UUID]):
    """Records a copy of every letter, so that what it has processed can be read."""

    @query
    def numbers(self) -> list[int]:
        """Returns the numbers of all copies, in the order in which they were made."""
        return [
            self.mapper.to_domain_event(notification).number  # type: ignore[attr-defined]
            for notification in self.recorder.select_notifications(None, 100_000)
        ]

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Letter.Written):
            processing_event.collect_events(Copy(domain_event.number))


class Copies(Copying):
    """Follows letters."""


class Summaries(Copying):
    """Follows letters too."""


class PoisonError(Exception):
    """What a policy raises of letters that are poisonous."""


class Fussy(Copying):
    """Does not process letters whose numbers are poisonous, as long as they are."""

    poisonous: ClassVar[set[int]] = set()

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Letter.Written) and domain_event.number in self.poisonous:
            msg = f"letter {domain_event.number} is poisonous"
            raise PoisonError(msg)
        super().policy(domain_event, processing_event)


class Signatures(Copying):
    """Is interested in signed letters only."""

    topics = (get_topic(Letter.Signed),)

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Letter.Signed):
            processing_event.collect_events(Copy(domain_event.number))


class Player(ProcessApplication[UUID]):
    """Sends a ball back, with a number that is 1 less, as long as it is above 0."""

    @command
    def serve(self, number: int) -> None:
        self.save(Copy(number))

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Copy.Made) and domain_event.number > 0:
            processing_event.collect_events(Copy(domain_event.number - 1))


class Ping(Player):
    """One side."""


class Pong(Player):
    """The other side."""


class Juggler(Player):
    """Plays with itself."""


class Slow(Copying):
    """Takes longer than anybody waits, for letters and for calls."""

    never: ClassVar[threading.Event] = threading.Event()

    @command
    def sleep(self, seconds: float) -> None:
        self.never.wait(seconds)

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        self.never.wait(30.0)


class Patient(Letters):
    """Writes when it is allowed to."""

    has_begun: ClassVar[threading.Event] = threading.Event()
    may_write: ClassVar[threading.Event] = threading.Event()

    @command
    def write_when_allowed(self, number: int) -> UUID:
        self.has_begun.set()
        assert self.may_write.wait(20.0)
        return self.write(number)


class Broken(Application[UUID]):
    """Can't be constructed."""

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        msg = "there is no paper"
        raise RuntimeError(msg)


class Chatty(Letters):
    """Writes to standard output before it serves."""

    def __init__(self, env: EnvType | None = None) -> None:
        super().__init__(env)
        sys.stdout.write("Hello, I am Chatty\n")
        sys.stdout.flush()


class ChattyAndBroken(Broken):
    """Writes to standard output, and can't be constructed."""

    def __init__(self, env: EnvType | None = None) -> None:
        sys.stdout.write("localhost:50051\n")
        sys.stdout.flush()
        super().__init__(env)


one_way = System([[Letters, Copies]])
two_pipes = System([[Letters, Copies], [Letters, Summaries]])
cycle = System([[Ping, Pong, Ping]])
self_following = System([[Juggler, Juggler]])
filtered = System([[Letters, Signatures]])
two_leaders = System([[Letters, Fussy], [Memos, Fussy]])
fussy = System([[Letters, Fussy]])
single = System([[Letters]])
two_singles = System([[Letters], [Memos]])
slow = System([[Letters, Slow], [Memos, Slow]])
half_broken = System([[Letters], [Broken]])
chatty = System([[Chatty, Copies]])
chatty_and_broken = System([[ChattyAndBroken]])
all_together = System(
    [[Letters, Copies, Summaries], [Memos, Copies], [Letters, Summaries], [Memos, Summaries]]
)
