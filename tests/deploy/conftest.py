"""Fixtures for tests of how systems are deployed."""

from __future__ import annotations

from tests.serving import client_of, serve, spawn

__all__ = ["client_of", "serve", "spawn"]
