"""The command line: one function a command. What commands do is left to modules of their own,
which are imported when they are needed, so that help is quick.
"""

from esgrpc_console.cli.program import main

__all__ = ["main"]
