"""The console ends when its terminal is gone, also where no signal tells of that."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from time import monotonic

import psutil

from tests.esgrpc_console.terminal import ROOT

TIMEOUT = 30.0


def test_a_console_whose_terminal_is_gone_ends_with_its_servers() -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "esgrpc_console", "run", "eventsourcing_grpc.example:system"],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        # The terminal does not control it: no signal comes.
        start_new_session=True,
    )
    os.close(slave)
    children: list[psutil.Process] = []
    try:
        drawn = b""
        deadline = monotonic() + TIMEOUT
        while b"serving" not in drawn:
            assert monotonic() < deadline, drawn[-2000:]
            if select.select([master], [], [], 0.1)[0]:
                drawn += os.read(master, 65536)
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        os.close(master)
        assert process.wait(TIMEOUT) in {0, 129}
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for child in children:
            if child.is_running():
                child.kill()
