"""What is known of a system: plain immutable values, that any screen or command can show.

Points in time named ``…since`` are readings of the view's monotonic clock, in seconds. Points in
time that are only for showing are ``datetime``s of the server's wall clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from esgrpc_console.system_view.parameters import Parameter


class Health(Enum):
    """Whether an application's server serves. Each has a symbol and a word."""

    CONNECTING = ("·", "connecting")
    SERVING = ("●", "serving")
    NOT_SERVING = ("✗", "not serving")
    UNREACHABLE = ("○", "unreachable")
    UNKNOWN = ("·", "unknown")

    def __init__(self, symbol: str, word: str) -> None:
        self.symbol = symbol
        self.word = word


class FollowingState(Enum):
    """How a follower's following of one leader is. Each has a symbol and a word."""

    CONNECTING = ("·", "connecting")
    CATCHING_UP = ("◐", "catching up")
    LIVE = ("●", "live")
    PAUSED = ("‖", "paused")
    FAILING = ("✗", "failing")
    UNREACHABLE = ("○", "unreachable")
    DIVERGED = ("≠", "diverged")
    STANDBY = ("◌", "standby")

    def __init__(self, symbol: str, word: str) -> None:
        self.symbol = symbol
        self.word = word


STOPPED_BY_YOU = "stopped by you"
RESTARTING = "being restarted by you"
"""How a server's process ended, where whoever started it was asked to end it."""


@dataclass(frozen=True)
class MethodView:
    """One method that may be called."""

    name: str
    is_command: bool
    signature: str
    """For people: ``(order_id: UUID) -> bool``."""
    docstring: str
    parameters: tuple[Parameter, ...] = ()
    parameters_schema: str = ""
    """The JSON Schema of an object that has a property for each parameter."""


@dataclass(frozen=True)
class Versions:
    """What an application's server is made of. Empty: it does not say."""

    eventsourcing_grpc: str = ""
    eventsourcing: str = ""
    grpcio: str = ""
    python: str = ""


@dataclass(frozen=True)
class Description:
    """What an application is. It stays the same while its server runs."""

    topic: str = ""
    persistence: str = ""
    methods: tuple[MethodView, ...] = ()
    follows: tuple[str, ...] = ()
    system_topic: str = ""
    event_topics: tuple[str, ...] = ()
    """Topics of the events that the server had seen when it was asked."""
    versions: Versions = Versions()
    started_at: datetime | None = None


@dataclass(frozen=True)
class FollowingError:
    """Why a following is failing, or what failed last."""

    error_class: str
    message: str
    traceback: str = ""
    notification_id: int = 0
    """The event it happened on. 0: not on an event."""
    attempts: int = 0
    failing_since: float | None = None
    next_try: float | None = None
    """When it is tried again. None: nothing is waiting for that."""


@dataclass(frozen=True)
class FollowingStatus:
    """What a follower's server says of one following."""

    leader: str
    state: FollowingState
    state_since: float
    position: int
    read_through: int
    head: int
    lag_seconds: float | None = None
    events_per_second: float = 0.0
    last_error: FollowingError | None = None
    followed_by: str = ""
    """The server of the same application that follows instead: "payments-0, process 7"."""


@dataclass(frozen=True)
class CertificateView:
    """What an application's server says of its certificate, as it is now."""

    expires_at: datetime | None
    intermediate_expires_at: datetime | None = None
    """When the first of those does that come between it and the root. None: there is none."""
    root_expires_at: datetime | None = None
    """When the last of the roots does that the server trusts. None: that isn't known."""
    refusal: str = ""
    """Why files that have replaced it can't be used. Empty: nothing is wrong."""


@dataclass(frozen=True)
class ApplicationStatus:
    """What an application's server says of itself."""

    head: int
    events_per_second: float = 0.0
    calls_per_second: float = 0.0
    errors_per_second: float = 0.0
    p50_seconds: float | None = None
    """Half of the calls took no longer. None: no call has ended lately."""
    p99_seconds: float | None = None
    calls: int = 0
    """Since the server was started."""
    errors: int = 0
    calls_in_progress: int = 0
    serving_since: float | None = None
    """When the server was started."""
    subscribers: int = 0
    followings: tuple[FollowingStatus, ...] = ()
    log_error: str = ""
    """Why the log can't be read just now. Empty: it can."""
    certificate: CertificateView | None = None
    """Of its server. None: it is served without TLS."""


@dataclass(frozen=True)
class ApplicationView:
    """All that is known of one application."""

    name: str
    address: str
    health: Health = Health.CONNECTING
    description: Description | None = None
    status: ApplicationStatus | None = None
    leads: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    stale_since: float | None = None
    """When its server was last heard of, or first tried. None: what is shown is current."""
    why: str = ""
    """Why it is stale."""
    ending: str = ""
    """How its server's process ended, where whoever started it has seen that. Empty: it has not."""

    @property
    def methods(self) -> Sequence[MethodView]:
        """The methods that may be called, or none while they aren't known."""
        return self.description.methods if self.description else ()


@dataclass(frozen=True)
class FollowingView:
    """All that is known of one application's following of another."""

    follower: str
    leader: str
    status: FollowingStatus | None = None
    head: int | None = None
    """The leader's head, as far as anybody has heard of it. None: nobody has."""
    lag: int | None = None
    """In events: head less what the follower has read through."""
    head_stale_since: float | None = None
    """Since when the leader's head may be another. None: head and lag are current."""
    stale_since: float | None = None
    """When the follower's server was last heard of. None: its state and position are current."""
    why: str = ""
    """Why something is stale."""
    lag_growth: float | None = None
    """Events per second by which the lag grows. Below 0: it shrinks. None: not known."""
    catch_up_seconds: float | None = None
    """How long it takes to catch up, if all goes on as it does. None: not known, or never."""

    @property
    def state(self) -> FollowingState:
        """The state that the follower's server told last."""
        return self.status.state if self.status else FollowingState.CONNECTING


@dataclass(frozen=True)
class EventView:
    """One decoded event of a notification log."""

    id: int
    topic: str
    originator_id: str
    originator_version: int
    timestamp: datetime | None = None
    state: str = ""
    """A JSON object of the event's attributes. Empty: it was not asked for, or see ``error``."""
    error: str = ""

    @property
    def short_topic(self) -> str:
        """The topic without its module."""
        return self.topic.rpartition(":")[2]


@dataclass(frozen=True)
class EventPage:
    """Some events of a notification log, in the direction in which they were asked for."""

    events: tuple[EventView, ...]
    read_through: int
    """The last ID that was looked at: go on behind it."""
    is_end: bool
    """Whether the end of the log, in this direction, was reached."""
    head: int


@dataclass(frozen=True)
class CallResult:
    """What a method returned."""

    result: str
    """JSON."""
    seconds: float
    """How long it took in the application."""


@dataclass(frozen=True)
class AggregateView:
    """The state of an aggregate at one version."""

    topic: str
    originator_id: str
    version: int
    state: str
    """A JSON object of the aggregate's attributes."""


@dataclass(frozen=True)
class PositionSample:
    """Where a follower and its leader were at one moment."""

    time: float
    position: int
    head: int
