"""Calls of an application's methods, as lines of the audit log."""

from __future__ import annotations

import logging

import grpc

from eventsourcing_grpc.access.audit import AuditEntry, AuditLog
from eventsourcing_grpc.access.audit import logger as OPERATORS
from eventsourcing_grpc.access.peer_identity import peer_identity
from eventsourcing_grpc.errors import GrpcError, ResultNotEncodableError, UnknownMethodError
from eventsourcing_grpc.methods import ExposedMethods

PROGRAMS = OPERATORS.getChild("calls")
"""Has the commands that programs call: at INFO with TLS, and at DEBUG without, where all are ``loopback``."""


class CallAudit:
    """Notes calls of commands, and those that are refused, of one gRPC service."""

    def __init__(
        self,
        service: str,
        audit: AuditLog,
        logger: logging.Logger,
        level: int,
        application_name: str,
        methods: ExposedMethods,
    ) -> None:
        """:param logger: has the lines of commands, and the ``audit`` those of refused calls."""
        self._what = f"{service}.CallMethod"
        self._audit = audit
        self._logger = logger
        self._level = level
        self._name = application_name
        self._methods = methods

    @classmethod
    def of_programs(
        cls, audit: AuditLog, name: str, methods: ExposedMethods, *, has_tls: bool
    ) -> CallAudit:
        """Returns what notes the calls of ``Application``.

        :param has_tls: whether callers show who they are.
        """
        level = logging.INFO if has_tls else logging.DEBUG
        return cls("Application", audit, PROGRAMS, level, name, methods)

    @classmethod
    def of_operators(cls, audit: AuditLog, name: str, methods: ExposedMethods) -> CallAudit:
        """Returns what notes the calls of ``Operations``."""
        return cls("Operations", audit, OPERATORS, logging.INFO, name, methods)

    def note(
        self, method: str, context: grpc.ServicerContext, error: BaseException | None = None
    ) -> None:
        """Notes a call, if it is one to be noted.

        :param error: what ended it. None: it was carried out.
        """
        if _is_refusal(error):
            self._audit.refuse(self._entry(method, context, error), type(error).__name__)
        elif self._logger.isEnabledFor(self._level) and self._methods.is_command(method):
            entry = self._entry(method, context, error)
            if error is not None:
                # What it says may be part of an argument, or a secret of a database.
                entry.outcome = f"failed: {type(error).__name__}"
            self._logger.log(self._level, "%s", entry)

    def _entry(
        self, method: str, context: grpc.ServicerContext, error: BaseException | None
    ) -> AuditEntry:
        # What is no method's name may be anything.
        is_known = not isinstance(error, UnknownMethodError)
        target = f"{self._name}.{method}" if is_known else self._name
        return AuditEntry(peer_identity(context), self._what, target)


def _is_refusal(error: BaseException | None) -> bool:
    """Tells whether a call has been refused, before anything was carried out."""
    # One that has a code comes from a server that the application itself has called.
    is_own = isinstance(error, GrpcError) and error.code is None
    return is_own and not isinstance(error, ResultNotEncodableError)
