"""A channel whose certificates may be replaced: new connections are made with the new ones.

A ``grpc.Channel`` keeps the certificates that it was made with. This one makes another such channel
when the files have changed. What is under way on the old one comes to its end there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, NoReturn
from weakref import WeakSet

import grpc

from eventsourcing_grpc.calls.error_receiving import raised_exception, rpc_code
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import Certificates

logger = logging.getLogger(__name__)

_RETRY_DELAY = 0.2
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"


class ReloadingChannel(grpc.Channel):
    """Stands for one channel after another, each with the certificates of its time.

    The files are looked at when a call begins, once a second at most. For calls with one request.
    """

    def __init__(
        self, files: CertificateFiles, make_channel: Callable[[Certificates], grpc.Channel]
    ) -> None:
        """:param make_channel: makes a channel with given certificates, and connects to nothing."""
        self._files = files
        self._make_channel = make_channel
        self._lock = threading.Lock()
        self._is_closed = False
        certificates = files.look()
        self._newest = _Generation(make_channel(certificates), certificates)
        self._older: list[_Generation] = []

    def unary_unary(self, *args: Any, **kwargs: Any) -> _UnaryCalls:
        """Returns what makes calls of a method that has one response."""
        return _UnaryCalls(self, lambda channel: channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> _StreamCalls:
        """Returns what makes calls of a method that has a stream of responses."""
        return _StreamCalls(self, lambda channel: channel.unary_stream(*args, **kwargs))

    def stream_unary(self, *_: object, **__: object) -> NoReturn:
        """Is not supported."""
        raise NotImplementedError

    def stream_stream(self, *_: object, **__: object) -> NoReturn:
        """Is not supported."""
        raise NotImplementedError

    def subscribe(self, *_: object, **__: object) -> NoReturn:
        """Is not supported: one of the channels may be connected while another one is not."""
        raise NotImplementedError

    def unsubscribe(self, *_: object) -> NoReturn:
        """Is not supported."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends all calls. Closing a closed channel changes nothing."""
        with self._lock:
            self._is_closed = True
            generations = [*self._older, self._newest]
            self._older.clear()
        for generation in generations:
            generation.channel.close()

    def __enter__(self) -> ReloadingChannel:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()

    def begin(self, make: Callable[[grpc.Channel], Any]) -> tuple[_Generation, Any]:
        """Begins a call. The channel that it is made on is not closed before :meth:`end`.

        :param make: makes what makes the call.
        :returns: where the call is made, and what makes it there.
        :raises ValueError: when this channel is closed, as grpcio does.
        """
        certificates = self._files.look()
        unused: list[_Generation] = []
        with self._lock:
            if self._is_closed:
                # Preparing calls on a closed channel would end grpcio with a segmentation fault.
                msg = "Cannot invoke RPC on closed channel!"
                raise ValueError(msg)
            if certificates is not self._newest.certificates:
                self._older.append(self._newest)
                self._newest = _Generation(self._make_channel(certificates), certificates)
            if self._older:
                unused = [old for old in self._older if not old.is_used]
                self._older = [old for old in self._older if old not in unused]
            generation = self._newest
            calls = generation.calls_made_by(make)
            generation.beginning += 1
        for old in unused:
            old.channel.close()
        return generation, calls

    def wait(self, timeout: float) -> None:
        """Waits until the newest channel is connected.

        While nobody waits for an answer, grpcio before 1.80 does not get on with connecting.

        :param timeout: seconds after which it is given up.
        """
        with self._lock:
            if self._is_closed:
                return
            generation = self._newest
            ask = generation.channel.unary_unary(_HEALTH_CHECK, None, None)
            generation.beginning += 1
        try:
            ask(b"", timeout=timeout, wait_for_ready=True)
        except grpc.RpcError as e:
            logger.debug("Not connected: %s", e)
        finally:
            self.end(generation)

    def end(self, generation: _Generation, call: Any = None) -> None:
        """Lets a channel be closed once there is a newer one and its calls have ended.

        :param call: what goes on after this, if anything does.
        """
        with self._lock:
            if call is not None:
                generation.open_calls.add(call)
            generation.beginning -= 1


class _Generation:
    """A channel, with what is under way on it. Used with the lock of the one that it stands for."""

    def __init__(self, channel: grpc.Channel, certificates: Certificates) -> None:
        self.channel = channel
        self.certificates = certificates
        self.beginning = 0
        """How many calls are between 'begin' and 'end'."""
        # What nobody knows any more, nobody misses.
        self.open_calls: WeakSet[Any] = WeakSet()
        self._calls: dict[object, Any] = {}

    @property
    def is_used(self) -> bool:
        return self.beginning > 0 or any(call.is_active() for call in tuple(self.open_calls))

    def calls_made_by(self, make: Callable[[grpc.Channel], Any]) -> Any:
        calls = self._calls.get(make)
        if calls is None:
            calls = self._calls[make] = make(self.channel)
        return calls


class _UnaryCalls(grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # Generic in its stubs only.
    """Makes calls with one response."""

    def __init__(self, channel: ReloadingChannel, make: Callable[[grpc.Channel], Any]) -> None:
        self._channel = channel
        self._make = make

    def __call__(self, request: object, *args: Any, **kwargs: Any) -> Any:
        generation, calls = self._channel.begin(self._make)
        try:
            return calls(request, *args, **kwargs)
        finally:
            self._channel.end(generation)

    def with_call(self, request: object, *args: Any, **kwargs: Any) -> Any:
        generation, calls = self._channel.begin(self._make)
        try:
            return calls.with_call(request, *args, **kwargs)
        finally:
            self._channel.end(generation)

    def future(self, request: object, *args: Any, **kwargs: Any) -> Any:
        generation, calls = self._channel.begin(self._make)
        call = None
        try:
            call = calls.future(request, *args, **kwargs)
            return call
        finally:
            self._channel.end(generation, call)


class _StreamCalls(grpc.UnaryStreamMultiCallable):  # type: ignore[type-arg]  # As above.
    """Makes calls with a stream of responses."""

    def __init__(self, channel: ReloadingChannel, make: Callable[[grpc.Channel], Any]) -> None:
        self._channel = channel
        self._make = make

    def __call__(
        self, request: object, *args: Any, wait_for_ready: bool | None = None, **kwargs: Any
    ) -> Any:
        def begin() -> Any:
            generation, calls = self._channel.begin(self._make)
            call = None
            try:
                call = calls(request, *args, **kwargs)
                return call
            finally:
                self._channel.end(generation, call)

        return _PatientStream(begin, self._channel.wait) if wait_for_ready else begin()


class _PatientStream:
    """Is what ``wait_for_ready`` makes of a call, on whichever channel can be connected first.

    On one channel, gRPC would wait for ever with certificates that have expired.
    """

    def __init__(self, begin: Callable[[], Any], wait: Callable[[float], None]) -> None:
        self._begin = begin
        self._wait = wait
        self._is_cancelled = threading.Event()
        self._has_begun = False
        self._call = begin()

    def __iter__(self) -> _PatientStream:
        return self

    def __next__(self) -> Any:
        """Returns the next response.

        :raises grpc.RpcError: when there has been a response and the connection is lost, when the
            server refuses the call, and when it is cancelled.
        """
        while not self._has_begun:
            try:
                first = next(self._call)
            except grpc.RpcError as e:
                is_refused = rpc_code(e) is not grpc.StatusCode.UNAVAILABLE
                if is_refused or raised_exception(e) is not None or self._pause():
                    raise
                try:
                    self._call = self._begin()
                except ValueError:
                    # The channel is closed.
                    raise e from None
                if self._is_cancelled.is_set():
                    self._call.cancel()
            else:
                self._has_begun = True
                return first
        return next(self._call)

    def _pause(self) -> bool:
        """Waits before the next call. Returns whether there is to be none."""
        until = monotonic() + _RETRY_DELAY
        self._wait(_RETRY_DELAY)
        return self._is_cancelled.wait(max(0.0, until - monotonic()))

    def cancel(self) -> bool:
        """Ends the call, from any thread."""
        self._is_cancelled.set()
        return bool(self._call.cancel())
