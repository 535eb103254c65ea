"""Traces and metrics, for those who ask for them and have the extra ``telemetry`` installed.

What is here is imported without the packages of that extra. They are loaded when something is on.
"""
