"""What is common to the errors that the person at the command line can mend."""

from __future__ import annotations


class UserError(Exception):
    """Base class of errors whose message says all: the thing, the value and the remedy."""
