"""What a server knows of the system that its application belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServedApplication:
    """One application of the system."""

    name: str
    address: str
    """Where its server is. Empty: not known."""
    follows: tuple[str, ...]
    """Names of its leaders."""


@dataclass(frozen=True)
class ServedSystem:
    """The system, as seen from one of its applications."""

    name: str
    """The application's."""
    topic: str
    """Of the application's class."""
    system_topic: str
    """Empty: the application is served alone, or its system has no topic."""
    applications: tuple[ServedApplication, ...]
    """All of the system's, the one that is served included."""
