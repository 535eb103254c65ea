"""What a host that is lost leaves in the database: nothing that others wait for in vain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic

from tests.deploy.compose_file import as_process, environment_of, read_services
from tests.system.hosts.database import Database
from tests.system.hosts.deployed_system import PASSWORD, PROGRAMS, ROOT
from tests.system.namespaces import Network
from tests.waiting import wait_until

FREE_WITHIN = 8.0
"""Seconds. A connection is given up after 6 s without an answer."""


def test_locks_of_a_lost_host_are_free_soon(tmp_path: Path) -> None:
    services = read_services(environment_of("postgres.env"))
    (tmp_path / "postgres-password").write_text(PASSWORD, encoding="utf-8")
    env = as_process(services["payments"], {"/run/secrets": tmp_path}, {}, PROGRAMS).env
    expected = services["postgres"].env
    with (
        Network(["payments", "postgres"], tmp_path) as network,
        Database(network["postgres"], expected, env["POSTGRES_PORT"], PASSWORD) as database,
        network["payments"].start(
            [sys.executable, "-m", f"{__package__}.locking"],
            env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=None,
        ) as process,
    ):
        try:
            wait_until(database.is_locked, "a table is locked")
            with network.cut("payments"):
                lost_at = monotonic()
                process.kill()
                wait_until(lambda: not database.is_locked(), "the table is not locked")
                assert monotonic() - lost_at < FREE_WITHIN
        finally:
            process.kill()
