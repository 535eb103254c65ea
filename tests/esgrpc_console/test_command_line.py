"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = "pip install 'eventsourcing-grpc[console]'"


def _run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return _run_python("-m", "esgrpc_console", *arguments, cwd=cwd)


def _run_python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["-h"], []])
def test_help_has_examples_and_ends_with_success(arguments: list[str]) -> None:
    result = _run(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert "esgrpc-console run eventsourcing_grpc.example:system" in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_neither_textual_nor_grpc(arguments: list[str]) -> None:
    program = f"""
import sys
from esgrpc_console.__main__ import main
sys.argv = ["esgrpc-console", *{arguments!r}]
try:
    main()
finally:
    heavy = {{"textual", "rich", "grpc", "eventsourcing", "eventsourcing_grpc", "google", "asyncio"}}
    sys.stderr.write(repr(sorted(heavy & set(sys.modules))))
"""
    result = _run_python("-c", program)
    assert result.returncode == 0
    assert result.stderr == "[]"


def test_the_version_is_told() -> None:
    result = _run("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("esgrpc-console ")


@pytest.mark.parametrize("missing", ["click", "textual"])
@pytest.mark.parametrize("arguments", [["--help"], ["run", "eventsourcing_grpc.example:system"]])
def test_without_the_extra_it_says_how_to_install_it(missing: str, arguments: list[str]) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
sys.argv = ["esgrpc-console", *{arguments!r}]
from esgrpc_console.__main__ import main
main()
"""
    result = _run_python("-c", program)
    assert (result.returncode, result.stdout) == (2, "")
    assert INSTALL in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'SYSTEM_TOPIC'"),
        (["runn"], "No such command 'runn'"),
        (["run", "--nope", "x"], "No such option '--nope'"),
        (["run", "no_such_module:system"], "'no_such_module:system'"),
        (["run", "eventsourcing_grpc.example:nope"], "'nope'"),
        (["run", "eventsourcing_grpc.example:Orders"], "not a system"),
        (["run", "eventsourcing_grpc.words:"], "'eventsourcing_grpc.words:'"),
        (["run", "x", "--app-dir", "no/such/directory"], "'no/such/directory' does not exist"),
        (["run", "x", "--data-dir", "pyproject.toml"], "'pyproject.toml' is a file"),
        (["run", "eventsourcing_grpc.example", "--data-dir", "/dev/null/x"], "'/dev/null/x'"),
        (["run", "eventsourcing_grpc.example"], "needs a terminal"),
    ],
)
def test_each_user_error_is_one_line_and_status_2(arguments: list[str], words: str) -> None:
    result = _run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("esgrpc-console: ")
    assert words in result.stderr


def test_modules_are_found_in_the_working_directory_and_in_the_app_dir(tmp_path: Path) -> None:
    (tmp_path / "two_systems.py").write_text(
        "from eventsourcing_grpc.example import system\n"
        "from eventsourcing.system import System\n"
        "other = System([[cls for cls in system.edges and []]])\n"
    )
    for cwd, options in ((tmp_path, []), (ROOT, ["--app-dir", str(tmp_path)])):
        result = _run("run", "two_systems", *options, cwd=cwd)
        assert result.returncode == 2
        assert "two_systems:system" in result.stderr
        assert "two_systems:other" in result.stderr
