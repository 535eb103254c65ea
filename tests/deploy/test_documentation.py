"""Runs what docs/deploying.md tells its readers to run, as far as that works without containers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eventsourcing_grpc import environment
from make_certificates import make_all
from tests.waiting import free_port

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "deploying.md"
TEXT = PAGE.read_text("utf-8")
SHELL_BLOCKS = re.findall(r"```shell\n(.*?)```", TEXT, re.DOTALL)
PROGRAMS = Path(sys.executable).parent


def test_servers_on_one_machine_work_as_they_are_told_to(tmp_path: Path) -> None:
    make_all(tmp_path / "ssl", ["orders"])
    script = SHELL_BLOCKS[0].removeprefix("make ssl\n")
    for port in ("50051", "50052", "50053"):
        script = script.replace(port, str(free_port()))
    env = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-euc", f"trap 'kill $(jobs -p); wait' EXIT\n{script}"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Orders is serving on localhost:" in done.stdout
    assert {path.name for path in tmp_path.glob("*.db")} == {
        "orders.db",
        "reservations.db",
        "payments.db",
    }
    assert done.stderr.count("has stopped") == 3, done.stderr


@pytest.mark.parametrize(
    "line", [line for b in SHELL_BLOCKS for line in b.splitlines() if line.startswith("make ")]
)
def test_make_targets_are_known_to_make(line: str) -> None:
    subprocess.run([*line.split(), "--dry-run"], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "line",
    sorted({ln for b in SHELL_BLOCKS for ln in b.splitlines() if ln.startswith("esgrpc-console")}),
)
def test_options_of_the_console_are_known_to_it(line: str) -> None:
    program, command, *arguments = line.split()
    helped = subprocess.run(
        [str(PROGRAMS / program), command, "--help"], capture_output=True, text=True, check=True
    )
    for option in (word for word in arguments if word.startswith("--")):
        assert option in helped.stdout


def test_every_variable_is_told() -> None:
    constants = [getattr(environment, name) for name in dir(environment) if name.isupper()]
    variables = {value for value in constants if isinstance(value, str) and not value.islower()}
    # What telemetry needs is told where that is.
    for name in sorted(v for v in variables if not v.startswith(("OTEL_", "GRPC_METRICS"))):
        assert f"{name}`" in TEXT, name


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    for link in links:
        assert (PAGE.parent / link).exists(), link
