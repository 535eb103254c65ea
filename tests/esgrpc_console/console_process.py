"""The console's command line in processes of its own, as scripts and shells run it, or in this one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from esgrpc_console.__main__ import main

ROOT = Path(__file__).parents[2]
_PROGRAM = (sys.executable, "-m", "esgrpc_console")
_TIMEOUT = 30
# gRPC says so of calls of an earlier event loop: other than these tests, the program has one only.
_OF_AN_EARLIER_LOOP = "esgrpc-console: RuntimeError: Event loop is closed\n"


def console(
    *arguments: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return run_python("-m", "esgrpc_console", *arguments, cwd=cwd, env=env, stdin=stdin)


def console_here(
    *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end in this process, which is quicker. Its streams are no terminal."""
    stdout, stderr = io.StringIO(), io.StringIO()
    status = 0
    with (
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        patch.object(sys, "argv", ["esgrpc-console", *arguments]),
        patch.dict(os.environ, _environment(env), clear=True),
    ):
        try:
            main()
        except SystemExit as e:
            status = e.code if isinstance(e.code, int) else 1
    told = stderr.getvalue().replace(_OF_AN_EARLIER_LOOP, "")
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), told)


def run_python(
    *arguments: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs Python to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=_environment(env),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


@contextmanager
def started_console(
    *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Starts a command, and ends it where it has not ended by itself."""
    with subprocess.Popen(
        [*_PROGRAM, *arguments],
        cwd=ROOT,
        env=_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    # No person's configuration, and no certificates of the machine that the tests are run on.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("GRPC_SSL_")
    }
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": "/nonexistent",
        **(env or {}),
    }
