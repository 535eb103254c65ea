"""Fixtures for tests of what happens when something breaks."""

from __future__ import annotations

from tests.serving import client_of, serve, spawn

__all__ = ["client_of", "serve", "spawn"]
