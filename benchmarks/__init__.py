"""Measures the figures that the README quotes: ``python -m benchmarks``, or ``make benchmark``."""
