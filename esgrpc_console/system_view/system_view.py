"""A connection to a whole system, by the address of any one of its servers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from esgrpc_console.system_view import words
from esgrpc_console.system_view.channels import ChannelOpener
from esgrpc_console.system_view.condition import Condition
from esgrpc_console.system_view.connection import ApplicationConnection
from esgrpc_console.system_view.discovery import Discovered, discover
from esgrpc_console.system_view.failures import RequestFailed
from esgrpc_console.system_view.log_filter import ALL, LogFilter
from esgrpc_console.system_view.log_tail import tail_log
from esgrpc_console.system_view.options import ConnectionOptions, OptionError, checked_address
from esgrpc_console.system_view.requests import SystemRequests
from esgrpc_console.system_view.searching import LogSearch
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.tracing import Trace
from esgrpc_console.system_view.views import ApplicationView, EventView, Health
from esgrpc_console.system_view.waiting import Waiting
from eventsourcing_grpc.addresses import check_address, is_loopback
from eventsourcing_grpc.protos import operations_pb2 as pb

if TYPE_CHECKING:
    from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsAsyncStub

_MANY_APPLICATIONS = 16
_INTERVAL_OF_MANY = 1.0


class SystemView(SystemRequests):
    """Watches every application of a system, and asks its servers for what isn't watched.

    An asynchronous context manager. What is known is in ``state``, and is kept current in tasks of
    the event loop that entered it, until it is left. A server that goes away is stale in ``state``,
    with the reason, until it is found again.
    """

    def __init__(
        self,
        *addresses: str,
        options: ConnectionOptions | None = None,
        env: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param addresses: of any servers of the system, as ``localhost:50051``. The first that
            answers tells of all applications.
        :param env: where the ``GRPC_SSL_*`` variables are, by default ``os.environ``.
        :raises OptionError: when an address or an option can't be used.
        """
        if not addresses:
            msg = "no address is given. A good one is localhost:50051"
            raise OptionError(msg)
        self.state = SystemState(clock)
        self._addresses = tuple(map(checked_address, addresses))
        self._options = options or ConnectionOptions()
        self._options.check()
        self._opener = ChannelOpener(self._options, os.environ if env is None else env)
        self._clock = clock
        self._interval = self._options.interval
        self._is_address_translated = False
        self._is_left = False
        self._connections: dict[str, ApplicationConnection] = {}

    async def __aenter__(self) -> Self:
        """Connects to the system.

        :raises SystemUnreachable: when there is no application server on any of the addresses.
        :raises OptionError: when certificate files are missing or can't be used, or addresses are
            given of applications that the system does not have.
        """
        found = await discover(self._addresses, self._opener)
        described = found.description
        try:
            self._check_overrides(described)
        except OptionError:
            await found.channel.close(None)
            raise
        if len(described.applications) > _MANY_APPLICATIONS:
            self._interval = max(self._interval, _INTERVAL_OF_MANY)
        told = {application.name: application.address for application in described.applications}
        # Then the others, too, may be somewhere else than they say: behind forwarded ports.
        told_address = told.get(described.name, "")
        self._is_address_translated = not _is_same_address(told_address, found.address)
        if described.name in self._options.addresses:
            await found.channel.close(None)
        else:
            # The address that was given is known to work; what the server calls itself need not.
            self._connect(described.name, found.address, described.follows, found)
        self._discover(described.applications)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends all tasks and closes all connections."""
        self._is_left = True
        while self._connections:
            # One that is told of others, while it is being stopped, may have connected to them.
            connections = tuple(self._connections.values())
            self._connections.clear()
            await asyncio.gather(*(connection.stop() for connection in connections))

    async def wait_until_heard(self, timeout: float = 5.0) -> bool:
        """Waits until every application has told how it is, or was found not to answer.

        :returns: whether all have, within the timeout in seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                for connection in tuple(self._connections.values()):
                    await connection.has_been_heard.wait()
        except TimeoutError:
            return False
        return True

    async def wait_until(
        self,
        predicate: Callable[[Condition], bool],
        timeout: float = 60.0,
        *,
        follower: str = "",
    ) -> Condition:
        """Waits until a system is as it is wanted, and returns its condition then.

        What was recorded before this was called, and what that leads to, counts: heads are read from
        the logs, and when the condition is as it is wanted they are read again, until they are the
        same. Where events never cease to come, that is given up when what was there at first has
        been followed from follower to follower.

        :param predicate: tells of a condition whether it is wanted:
            ``lambda condition: condition.is_caught_up``.
        :param timeout: in seconds. 0: looks once, which takes 10 s at most.
        :param follower: only this application, and those that it follows, matter. Empty: all do.
        :raises TimeoutError: when it is not so in time, saying what is wrong.
        :raises RequestFailed: when the system has no such follower.
        """
        if follower and follower not in self.state.applications:
            raise self._unknown(follower)
        waiting = Waiting(self, predicate, follower=follower, clock=self._clock)
        try:
            return await waiting.run(timeout)
        except TimeoutError as e:
            condition = waiting.condition
            wrong = dict.fromkeys((*condition.illnesses, *condition.arrears))
            told = "; ".join(wrong) or "nothing is wrong with it"
            msg = f"the system is not as it is wanted after {timeout:g} s: {told}"
            raise TimeoutError(msg) from e

    def tail(
        self,
        application: str,
        after: int | None = None,
        filter: LogFilter = ALL,
        *,
        is_following: bool = True,
        with_state: bool = True,
    ) -> AsyncGenerator[EventView, None]:
        """Yields the events of a log from behind an ID on: see :func:`tail_log`."""
        return tail_log(
            self, application, after, filter, is_following=is_following, with_state=with_state
        )

    def search(self, application: str, filter: LogFilter, *, start: int | None = None) -> LogSearch:
        """Returns a search of a log from the newest event backwards: iterate over it."""
        return LogSearch(self, application, filter, start=start)

    async def trace(self, text: str, *, patience: float = 10.0) -> Trace:
        """Looks for everything that mentions an ID or a text, and returns it when all logs are done.

        :param patience: seconds after which an application that can't be reached is given up.
        :raises OptionError: when there is nothing to look for.
        """
        trace = Trace(self, text, patience=patience)
        await trace.run()
        return trace

    def _operations(self, application: str) -> OperationsAsyncStub:
        connection = self._connections.get(application)
        if connection is None:
            if application not in self.state.applications:
                raise self._unknown(application)
            if self._is_left:
                msg = "the connection to the system has been closed"
                raise RequestFailed(msg)
            msg = f"the address of {words.line(application)} is not known, or can't be used"
            raise RequestFailed(msg)
        return connection.operations

    def _unknown(self, application: str) -> RequestFailed:
        names = ", ".join(map(words.line, self.state.applications))
        return RequestFailed(
            f"there is no application {words.line(application)!r} in this system: it has {names}"
        )

    def _check_overrides(self, described: pb.DescribeResponse) -> None:
        names = {described.name, *(application.name for application in described.applications)}
        for name, address in self._options.addresses.items():
            if name not in names:
                known = ", ".join(map(words.line, sorted(names)))
                msg = f"{name}={address} is for no application of this system: it has {known}"
                raise OptionError(msg)

    def _connect(
        self, name: str, told: str, follows: Iterable[str], found: Discovered | None = None
    ) -> None:
        address = self._options.addresses.get(name, told)
        hint = ""
        if self._is_address_translated and address == told and found is None:
            hint = (
                f" (that is where its server says it is: --address {name}=HOST:PORT overrides it)"
            )
        view = ApplicationView(name, address, follows=tuple(follows))
        why = _why_unusable(address)
        if not why:
            try:
                connection = ApplicationConnection(
                    name,
                    address,
                    self._opener,
                    self.state,
                    interval=self._interval,
                    clock=self._clock,
                    discovered=self._discover,
                    found=found,
                    hint=hint,
                )
            except OptionError as e:
                why = str(e)
        if why:
            self.state.put(
                replace(view, health=Health.UNREACHABLE, stale_since=self._clock(), why=why + hint)
            )
            return
        self.state.put(view)
        self._connections[name] = connection
        connection.start()

    def _discover(self, applications: Iterable[pb.SystemApplication]) -> None:
        for application in applications:
            known = self.state.applications.get(application.name)
            if known is None or (application.address and not known.address):
                self._connect(application.name, application.address, application.follows)


def _is_same_address(told: str, given: str) -> bool:
    if told == given or check_address(told):
        return True
    is_here = is_loopback(told) and is_loopback(given)
    return is_here and told.rpartition(":")[2] == given.rpartition(":")[2]


def _why_unusable(address: str) -> str:
    if not address:
        return "its address is not known"
    problem = check_address(address)
    return f"{words.line(address)!r} is not an address: {problem}" if problem else ""
