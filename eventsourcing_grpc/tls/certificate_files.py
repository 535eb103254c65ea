"""Certificate files that may be replaced at any time: the newest content that can be used."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from math import inf
from time import monotonic

from eventsourcing_grpc.environment import CERTIFICATE_PATH, CertificatePaths
from eventsourcing_grpc.tls.certificate_decoding import CertificateError, Role
from eventsourcing_grpc.tls.certificates import (
    Certificates,
    ends,
    expiry_problems,
    host_problem,
    read_certificates,
    read_contents,
)

logger = logging.getLogger(__name__)

LOOKING_INTERVAL = 1.0
"""Seconds between two looks at the files."""
_WARNING_INTERVAL = 24 * 60 * 60.0


class CertificateFiles:
    """Looks at the files when it is asked for what is in them. May be used by many threads.

    New content that can't be used is warned of once, and what was there before is kept: its
    owner may just be replacing one file after the other.
    """

    def __init__(self, paths: CertificatePaths, role: Role) -> None:
        """:param role: what the certificate is shown as. Servers are warned when it expires soon.
        :raises CertificateError: when the files can't be used.
        """
        self.paths = paths
        self.role = role
        self.refusal = ""
        """Why the newest content of the files is not used. Empty: it is."""
        self.called_as = ""
        """The host by which clients call who shows the certificate. Empty: that isn't known."""
        self._current = read_certificates(paths, role)
        self._next_look = monotonic() + LOOKING_INTERVAL
        self._next_warning = -inf
        self._lock = threading.Lock()
        self._warn_of_expiry()

    def look(self) -> Certificates:
        """Returns what is to be used now: the same object as long as it is the same.

        Looks at the files once a second at most, which takes 0.1 ms, or 30 ms when they have
        changed.
        """
        # Others don't wait for the one who looks.
        if monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._take_changes()
                self._warn_of_expiry()
            finally:
                self._next_look = monotonic() + LOOKING_INTERVAL
                self._lock.release()
        return self._current

    def _take_changes(self) -> None:
        used = self._current
        try:
            found = read_contents(self.paths)
            if found == (used.private_key, used.certificate, used.root_certificate):
                self.refusal = ""
                return
            # What was refused is looked at again: it may have been too early for it.
            self._current = read_certificates(self.paths, self.role)
        except CertificateError as e:
            self._refuse(e)
        else:
            self.refusal = ""
            self._next_warning = -inf
            logger.info(
                "%s=%r has changed, and is used for new connections",
                CERTIFICATE_PATH,
                self.paths.certificate,
            )
            if problem := self.host_problem():
                logger.warning("%s", problem)

    def host_problem(self) -> str:
        """Returns why clients will not take the certificate, or an empty string."""
        if not self.called_as:
            return ""
        return host_problem(self.paths, self._current.facts, self.called_as)

    def _refuse(self, error: CertificateError) -> None:
        refusal = str(error)
        if refusal != self.refusal:
            self.refusal = refusal
            logger.warning("New certificate files can't be used, the old ones are: %s", refusal)

    def _warn_of_expiry(self) -> None:
        if self.role is not Role.SERVER or monotonic() < self._next_warning:
            return
        facts, now = self._current.facts, datetime.now(UTC)
        # Once a day, and when something has expired.
        left = [(end - now).total_seconds() for end in ends(facts) if end > now]
        self._next_warning = monotonic() + min(_WARNING_INTERVAL, *left, inf)
        for problem in expiry_problems(self.paths, facts, now):
            logger.warning("%s", problem)
