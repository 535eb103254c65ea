"""Listens to what other processes record, with what a recorder itself has for that, if it has any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from eventsourcing.persistence import ApplicationRecorder, Subscription

from eventsourcing_grpc.database.database_session import DatabaseSession

logger = logging.getLogger(__name__)

_BEGINNING = 1.0
"""Seconds after which a recorder that was asked to announce is expected to do so."""
_FIRST_DELAY = 0.5
_MAX_DELAY = 5.0
_LONG = 30.0
"""Seconds after which a subscription that ends has been a good one."""


class RecorderSession(DatabaseSession):
    """Owns a thread that iterates over a recorder's subscription, and begins another when it ends."""

    def __init__(self, recorder: ApplicationRecorder, name: str) -> None:
        """:param name: the application's."""
        self.announces = True
        self._recorder = recorder
        self._name = name
        self._subscription: Subscription[ApplicationRecorder] | None = None
        self._subscribed_at: float | None = None
        self._last_error = ""
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_listening(self) -> bool:
        since = self._subscribed_at
        return since is not None and monotonic() - since > _BEGINNING

    def start(
        self, announce: Callable[[int], None], head: int, doubt: Callable[[], None] = lambda: None
    ) -> None:
        self._thread = threading.Thread(
            target=self._run,
            args=(announce, head),
            name=f"database-session {self._name}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        if (subscription := self._subscription) is not None:
            subscription.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self, announce: Callable[[int], None], head: int) -> None:
        delay = _FIRST_DELAY
        while not self._is_stopping.is_set():
            started = monotonic()
            try:
                with self._recorder.subscribe(gt=head) as self._subscription:
                    if self._is_stopping.is_set():
                        return
                    self._subscribed_at = monotonic()
                    for notification in self._subscription:
                        head = notification.id
                        announce(head)
            except NotImplementedError:
                # This recorder can't announce anything: the log is looked at regularly instead.
                self.announces = False
                return
            except Exception as e:
                # A lost connection ends a subscription for good: begin another.
                self._note_error(e)
            finally:
                self._subscription = self._subscribed_at = None
            if monotonic() - started > _LONG:
                delay = _FIRST_DELAY
            self._is_stopping.wait(delay)
            delay = min(delay * 2, _MAX_DELAY)

    def _note_error(self, error: Exception) -> None:
        text = self.in_words(error)
        if text != self._last_error and not self._is_stopping.is_set():
            self._last_error = text
            logger.warning("%s is not told what other processes record: %s", self._name, text)
