"""Calls of an application's methods: arguments and results as JSON, errors on their way, threads, counts."""
