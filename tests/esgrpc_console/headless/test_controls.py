"""Pausing, resuming, retrying and skipping, as operators do from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.protos import operations_pb2 as pb
from tests.esgrpc_console.console_process import console, console_here
from tests.esgrpc_console.headless.conftest import ServedSystem, label
from tests.serving import status_of
from tests.waiting import wait_until


def _following(server: GrpcApplicationServer) -> pb.FollowingStatus:
    [following] = status_of(server).followings
    return following


def _wait_for_state(server: GrpcApplicationServer, state: pb.FollowingState.ValueType) -> None:
    wait_until(lambda: _following(server).state == state, pb.FollowingState.Name(state))


def test_a_following_is_paused_and_resumed(orders: ServedSystem) -> None:
    payments = orders.servers["Payments"]
    reason = ("--reason", "the bank is closed")
    paused = console("pause", orders.address, "payments", "ORDERS", *reason)
    assert (paused.returncode, paused.stderr) == (0, "")
    assert paused.stdout == "Payments is paused in following Orders\n"
    _wait_for_state(payments, pb.FOLLOWING_STATE_PAUSED)
    resumed = console("resume", orders.address, "Payments", "Orders", *reason, "--json")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert json.loads(resumed.stdout) == {
        "action": "resume",
        "follower": "Payments",
        "leader": "Orders",
        "reason": "the bank is closed",
    }
    _wait_for_state(payments, pb.FOLLOWING_STATE_LIVE)
    refused = console("retry", orders.address, "Payments", "Orders", *reason)
    assert (refused.returncode, refused.stdout) == (1, "")
    said = "esgrpc-console: Payments is live on Orders: there is nothing to retry\n"
    assert refused.stderr == said


def test_an_event_that_fails_is_tried_again_looked_at_and_skipped(shop: ServedSystem) -> None:
    complaints = shop.servers["Complaints"]
    label(shop.servers["Shop"])
    _wait_for_state(complaints, pb.FOLLOWING_STATE_FAILING)
    attempts = _following(complaints).last_error.attempts
    retried = console("retry", shop.address, "Complaints", "Shop", "--reason", "unlocked")
    assert retried.returncode == 0
    wait_until(lambda: _following(complaints).last_error.attempts > attempts, "it is tried again")

    notification_id = str(_following(complaints).last_error.notification_id)
    skip = ("skip", shop.address, "Complaints", "Shop", notification_id)
    looked_at = console(*skip, "--dry-run")
    assert (looked_at.returncode, looked_at.stderr) == (0, "")
    assert looked_at.stdout.startswith(
        f"Complaints would skip Shop #{notification_id} Item.Labelled\n"
    )
    assert _following(complaints).state == pb.FOLLOWING_STATE_FAILING
    wrong = console(*skip[:-1], "9999", "--reason", "x")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    without_reason = console(*skip)
    assert (without_reason.returncode, without_reason.stdout) == (2, "")
    assert "Missing option '--reason'" in without_reason.stderr

    skipped = console(*skip, "--reason", "no use", "--json")
    assert (skipped.returncode, skipped.stderr) == (0, "")
    told = json.loads(skipped.stdout)
    assert (told["action"], told["is_dry_run"]) == ("skip", False)
    assert told["event"]["id"] == told["notification_id"] == int(notification_id)
    assert told["event"]["state"]["label"] == "x"
    wait_until(lambda: _following(complaints).position == int(notification_id), "it is skipped")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["pause", "Payments", "Reservations", "--reason", "x"], 2, "it has Orders"),
        (["pause", "Paymnts", "Orders", "--reason", "x"], 2, "did you mean Payments?"),
        (["pause", "Payments", "Orders"], 2, "Missing option '--reason'"),
        (["pause", "Payments", "Orders", "--reason", " "], 2, "--reason must not be empty"),
        (["skip", "Payments", "Orders", "x", "--reason", "x"], 2, "'x' is not a whole number"),
    ],
)
def test_what_can_not_be_done_is_told(
    orders: ServedSystem, arguments: list[str], status: int, said: str
) -> None:
    command, *others = arguments
    result = console_here(command, orders.address, *others)
    assert (result.returncode, result.stdout) == (status, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_read_only_context_refuses_changes(tmp_path: Path, orders: ServedSystem) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[contexts.production]\naddresses = ["{orders.address}"]\nread_only = true\n', "utf-8"
    )
    env = {"ESGRPC_CONSOLE_CONFIG": str(path)}
    for command in ("pause", "resume", "retry"):
        result = console_here(
            command, "@production", "Payments", "Orders", "--reason", "x", env=env
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert "@production is read-only: give --read-write" in result.stderr
    skip = ("skip", "@production", "Payments", "Orders", "1")
    refused = console_here(*skip, "--reason", "x", env=env)
    assert "@production is read-only" in refused.stderr
    assert "read-only" not in console_here(*skip, "--dry-run", env=env).stderr
    allowed = console_here(
        "retry", "@production", "Payments", "Orders", "--reason", "x", "--read-write", env=env
    )
    assert "read-only" not in allowed.stderr
