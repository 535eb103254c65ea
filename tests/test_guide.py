"""Does what the guide to the console tells its readers to do, and looks whether its tables are true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from esgrpc_console.configuration import read_configuration
from esgrpc_console.tui.actions import ACTIONS
from make_keys import PATH, keys_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "console.md").read_text(encoding="utf-8")
ADDRESS = "localhost:50051"
ORDER_ID = "0c9d7f31-1a53-4ac5-93f4-5d5b6a3a91aa"
SKIPPED_ID = "14"
ORDERS = 7
TIMEOUT = 30.0


def blocks(language: str) -> list[str]:
    """Returns the code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


LINES = [line for block in blocks("shell") for line in block.splitlines()]


@dataclass(frozen=True)
class Shop:
    """The shop that the guide starts, with orders that are not all paid."""

    address: str
    order_id: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command line of the console."""
        return subprocess.run(
            [sys.executable, "-m", "esgrpc_console", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def failing_id(self) -> int:
        """Returns the event that the payments fail on. 0: they don't."""
        status = json.loads(self.run("status", self.address, "--json").stdout)
        [following] = [one for one in status["followings"] if one["follower"] == "Payments"]
        error = following["last_error"]
        return int(error["notification_id"]) if following["state"] == "failing" else 0


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    first, *_ = LINES
    arguments = shlex.split(first)[1:]
    with subprocess.Popen(
        [sys.executable, "-m", "esgrpc_console", *arguments, "--headless"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            running = Shop(started["applications"]["Orders"]["address"], "")
            created = [
                json.loads(running.run("call", running.address, "Orders.create_new_order").stdout)
                for _ in range(ORDERS)
            ]
            deadline = monotonic() + TIMEOUT
            while not running.failing_id():
                assert monotonic() < deadline, "payments do not fail"
            yield Shop(running.address, created[0])
        finally:
            process.terminate()
            process.wait(TIMEOUT)


@pytest.mark.parametrize("line", [line for line in LINES if f" {ADDRESS} " in line])
def test_commands_of_the_guide_do_what_they_say(shop: Shop, line: str) -> None:
    if " wait " in line:
        # The shop is in trouble on purpose: it never catches up.
        line = line.replace("--timeout 60", "--timeout 0.5")
    line = line.replace(ADDRESS, shop.address).replace(ORDER_ID, shop.order_id)
    if f" {SKIPPED_ID} " in line:
        line = line.replace(f" {SKIPPED_ID} ", f" {shop.failing_id()} ")
    done = shop.run(*shlex.split(line)[1:])
    is_no = " status " in line or " wait " in line
    assert done.returncode == (1 if is_no else 0), done.stderr
    assert done.stdout or " wait " in line


def test_programs_of_the_guide_work_as_they_stand(shop: Shop, tmp_path: Path) -> None:
    [program] = blocks("python")
    path = tmp_path / "program.py"
    path.write_text(program.replace(ADDRESS, shop.address), "utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("3 Order.")


def test_every_line_of_a_block_is_a_command_of_the_console() -> None:
    assert all(line.startswith("esgrpc-console ") for line in LINES)


def test_the_configuration_of_the_guide_can_be_read(tmp_path: Path) -> None:
    [text] = blocks("toml")
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    configuration = read_configuration(path)
    assert configuration.context("production").is_read_only
    assert set(configuration.keys) <= {info.id for info in ACTIONS}


def test_links_and_pictures_are_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)", GUIDE):
        assert (DOCS / target).is_file(), target


def test_the_table_of_keys_is_that_of_the_program() -> None:
    assert PATH.read_text("utf-8") == keys_page(), "make it anew: make pictures"


def test_pictures_show_nothing_of_the_machine_that_they_were_made_on() -> None:
    for picture in (DOCS / "pictures").glob("*.svg"):
        text = picture.read_text("utf-8").replace("&#160;", " ")
        assert str(ROOT) not in text
        assert os.path.expanduser("~/") not in text
