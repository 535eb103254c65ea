"""The command line as a person meets it: help, errors, and what it takes to be quick."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.esgrpc_console.console_process import ROOT, console, console_here, run_python

INSTALL = "pip install 'eventsourcing-grpc[console]'"
LOOKING = ("status", "log", "aggregate", "methods", "trace", "wait")
CHANGING = ("call", "pause", "resume", "retry", "skip")
COMMANDS = ("run", "attach", *LOOKING, *CHANGING, "completion")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_lists_all_commands_with_examples(arguments: list[str]) -> None:
    result = console(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert "esgrpc-console run eventsourcing_grpc.example:system" in result.stdout
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_examples(command: str) -> None:
    result = console_here(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"esgrpc-console {command} " in result.stdout.partition("Example")[2]
    if command in LOOKING + CHANGING:
        assert "  --json" in result.stdout
        assert "--root-cert FILE" in result.stdout.partition("\nConnection:\n")[2]
    assert ("--read-write" in result.stdout) == (command in (*CHANGING, "run", "attach"))


def test_help_imports_nothing_that_takes_its_time() -> None:
    program = f"""
import sys
from esgrpc_console.__main__ import main
for arguments in [["--help"], ["--version"], [], *([name, "--help"] for name in {COMMANDS!r})]:
    sys.argv = ["esgrpc-console", *arguments]
    try:
        main()
    except SystemExit as e:
        assert e.code == 0
heavy = {{"textual", "rich", "grpc", "eventsourcing", "eventsourcing_grpc", "google", "pydantic"}}
sys.stderr.write(repr(sorted((heavy | {{"asyncio", "tomllib"}}) & set(sys.modules))))
"""
    result = run_python("-c", program)
    assert result.returncode == 0
    assert result.stderr == "[]"


def test_the_version_is_told() -> None:
    result = console("--version")
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
    result = run_python("-c", program)
    assert (result.returncode, result.stdout) == (2, "")
    assert INSTALL in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'SYSTEM_TOPIC'"),
        (["runn"], "No such command 'runn'"),
        (["run", "--nope", "x"], "No such option"),
        (["run", "x", "--app-dir", "no/such/directory"], "'no/such/directory' does not exist"),
        (["run", "x", "--data-dir", "pyproject.toml"], "'pyproject.toml' is a file"),
        (["attach"], "Missing argument 'ADDRESS...|@CONTEXT'"),
        (["attach", "localhost:1"], "the console needs a terminal"),
        (["attach", "localhost:1", "orders"], "'orders' is not an address: it has no port"),
        (["attach", "localhost:1", "@production"], "either addresses or one context"),
        (["status"], "Missing argument 'ADDRESS|@CONTEXT'"),
        (["status", "@production"], "there is no context 'production'"),
        (["status", "http://x:1"], "'http://x:1' is not an address"),
        (["status", ","], "no address is given. A good one is localhost:50051"),
        (["status", "localhost:1", "--address", "x"], "--address 'x' must be such as Orders=local"),
        (["status", "localhost:1", "--address", "A=x"], "'--address A=x' is not an address"),
        (["status", "localhost:1", "--cert", "no.crt"], "'no.crt' does not exist"),
        (["status", "localhost:1", "--max-lag", "-1"], "'--max-lag': -1 must be at least 0"),
        (["status", "localhost:1"], "There is no system to be reached on localhost:1"),
        (["status", "orders.example.org:1"], "nothing is sent there without TLS"),
        (["log", "localhost:1", "Orders", "--after", "1", "--last", "1"], "not both"),
        (["wait", "localhost:1", "--timeout", "soon"], "'soon' is not a number of seconds"),
        (["trace", "localhost:1", "\udcff"], "'\\udcff' is not text in UTF-8"),
        (["log", "localhost:1", "Orders", "--after", "9" * 20], "must be smaller"),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_each_user_error_is_one_line_and_status_2(arguments: list[str], words: str) -> None:
    result = console_here(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("esgrpc-console: ")
    assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no_such_module:system"], "'no_such_module:system'"),
        (["run", "eventsourcing_grpc.example:nope"], "'nope'"),
        (["run", "eventsourcing_grpc.example:Orders"], "not a system"),
        (["run", "eventsourcing_grpc.words:"], "'eventsourcing_grpc.words:'"),
        (["run", "eventsourcing_grpc.example", "--data-dir", "/dev/null/x"], "'/dev/null/x'"),
        (["run", "eventsourcing_grpc.example"], "needs a terminal"),
    ],
)
def test_what_can_not_be_run_is_one_line_and_status_2(arguments: list[str], words: str) -> None:
    result = console(*arguments)
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
        result = console("run", "two_systems", *options, cwd=cwd)
        assert result.returncode == 2
        assert "two_systems:system" in result.stderr
        assert "two_systems:other" in result.stderr


def test_what_nobody_expects_is_one_line_and_a_traceback_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> int:
        msg = "a defect\nof two lines"
        raise RuntimeError(msg)

    monkeypatch.setattr("esgrpc_console.headless.methods.show_methods", fail)
    result = console_here("methods", "localhost:1")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "esgrpc-console: unexpected RuntimeError: a defect of two lines (set ESGRPC_CONSOLE_DEBUG=1"
    )
    assert len(result.stderr.splitlines()) == 1
    for arguments, env in (
        (["--debug", "methods", "localhost:1"], {}),
        (["methods", "localhost:1"], {"ESGRPC_CONSOLE_DEBUG": "1"}),
    ):
        result = console_here(*arguments, env=env)
        assert result.returncode == 2
        assert result.stderr.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize(
    "line", ["--help >&-", "nope 2>&-", "status localhost:1 2>&-", "--help >/dev/full", "-h | true"]
)
def test_streams_that_can_not_be_written_cause_no_traceback(line: str) -> None:
    result = subprocess.run(
        f"{sys.executable} -m esgrpc_console {line}",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr
    assert len(result.stderr.splitlines()) <= 1


def _complete(line: str, *, shell: str = "bash", env: dict[str, str] | None = None) -> list[str]:
    """Returns what a shell is offered for a line that ends at the cursor."""
    words = line.split(" ")
    position = {"zsh": str(len(words) - 1), "fish": words[-1]}.get(shell, "")
    result = console_here(
        env={
            "_ESGRPC_CONSOLE_COMPLETE": f"{shell}_complete",
            "COMP_LINE": line,
            "COMP_WORDBREAKS": " \t\n\"'@><=;|&(:",
            "COMP_WORDS": line,
            "COMP_CWORD": position,
            **(env or {}),
        }
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


@pytest.fixture
def contexts(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "config.toml"
    path.write_text(
        '[contexts.production]\naddresses = ["localhost:1"]\n'
        '[contexts.proving]\naddresses = ["localhost:1"]\n',
        "utf-8",
    )
    return {"ESGRPC_CONSOLE_CONFIG": str(path)}


def test_commands_options_and_contexts_are_completed(contexts: dict[str, str]) -> None:
    assert _complete("esgrpc-console sta") == ["plain,status"]
    assert _complete("esgrpc-console status --max-lag") == [
        "plain,--max-lag",
        "plain,--max-lag-seconds",
    ]
    # Bash takes "@" for the end of a word: what is before it is there already.
    assert _complete("esgrpc-console status @pro", env=contexts) == [
        "plain,production",
        "plain,proving",
    ]
    assert "@production" in _complete("esgrpc-console status @pro", shell="zsh", env=contexts)
    assert "plain,@proving\tlocalhost:1" in _complete(
        "esgrpc-console status @prov", shell="fish", env=contexts
    )


def test_a_system_that_does_not_answer_is_completed_with_nothing(
    contexts: dict[str, str], tmp_path: Path
) -> None:
    assert _complete("esgrpc-console log @production Or", env=contexts) == [""]
    assert _complete("esgrpc-console log nowhere Or") == [""]
    broken = tmp_path / "broken.toml"
    broken.write_text("?")
    env = {"ESGRPC_CONSOLE_CONFIG": str(broken)}
    assert _complete("esgrpc-console log @production Or", env=env) == [""]
    assert _complete("esgrpc-console log @pro", env=env) == [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str) -> None:
    result = console_here("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"_ESGRPC_CONSOLE_COMPLETE={shell}_complete" in result.stdout


def test_bash_completes_with_the_script(tmp_path: Path, contexts: dict[str, str]) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(console_here("completion", "bash").stdout)
    assert subprocess.run(["bash", "-n", str(script)], check=False, timeout=30).returncode == 0
    program = tmp_path / "esgrpc-console"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m esgrpc_console "$@"\n')
    program.chmod(0o755)
    line = "esgrpc-console status @prod"
    completed = subprocess.run(
        [
            "bash",
            "--norc",
            "-c",
            f"source {script}; complete -p esgrpc-console; "
            f"COMP_LINE='{line}' COMP_POINT={len(line)}; "
            f'_esgrpc_console_completion {program}; echo "${{COMPREPLY[@]}}"',
        ],
        cwd=ROOT,
        env={**os.environ, **contexts},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert completed.stderr == ""
    assert completed.stdout.splitlines() == [
        "complete -o nosort -F _esgrpc_console_completion esgrpc-console",
        "production",
    ]
