"""Runs what the README tells its readers to run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import free_port

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Returns the code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


SHELL_BLOCKS = blocks("shell")


def on_free_ports(text: str) -> str:
    """Returns a text with ports that nobody else listens on: other tests run beside this one."""
    return re.sub(r"\blocalhost:\d+", lambda _: f"localhost:{free_port()}", text)


def test_python_programs_work_as_they_stand(tmp_path: Path) -> None:
    program = tmp_path / "readme.py"
    program.write_text(on_free_ports("\n".join(blocks("python"))), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "block", [b for b in SHELL_BLOCKS if "eventsourcing_grpc_" in b], ids=lambda b: b.split()[-2]
)
def test_commands_serve_until_they_are_interrupted(block: str, tmp_path: Path) -> None:
    lines = [line for line in on_free_ports(block).splitlines() if line]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for line in lines[:-1]:
        if line == "make ssl":
            script = ROOT / "ssl" / "make_certificates.py"
            directory = ["--directory", str(tmp_path / "ssl")]
            subprocess.run([sys.executable, script, *directory, "orders"], check=True)
        else:
            name, _, value = line.removeprefix("export ").partition("=")
            env[name] = value
    with subprocess.Popen(
        lines[-1].split(), cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if re.search(r"INFO .*Orders is serving", line):
                break
        else:
            pytest.fail("".join(said))
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    "line", [line for b in SHELL_BLOCKS for line in b.splitlines() if line.startswith("make ")]
)
def test_make_targets_are_known_to_make(line: str) -> None:
    subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture
