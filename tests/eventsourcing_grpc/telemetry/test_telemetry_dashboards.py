"""The example dashboard and the example alerts: they ask for nothing that no server tells."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Reservations, system
from eventsourcing_grpc.followers.following_status import FollowingState
from tests.certificates import write_chain
from tests.waiting import DEADLINE, addresses_of, free_port

DOCS = Path(__file__).parents[3] / "docs"
DASHBOARDS = DOCS / "dashboards"
DASHBOARD = DASHBOARDS / "eventsourcing_grpc.json"
RULES = DASHBOARDS / "eventsourcing_grpc.rules.yaml"
# What Prometheus itself knows of those that it asks.
OWN_METRICS = {"up": {"job", "instance"}}
OWN_LABELS = {"job", "instance"}
GRID_WIDTH = 24

_NAME = re.compile(r"\b(?:eventsourcing_grpc|process|python)_\w+|\bup\b")
_SELECTOR = re.compile(r"\b([a-z_]+)\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)(=~|!~|!=|=)\"([^\"]*)\"")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring) \(([^)]*)\)")
_LEGEND_LABEL = re.compile(r"{{\s*(?:\$labels\.)?(\w+)\s*}}")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Gives the names of the metrics of a server that follows and has certificates, with their labels."""
    ends = datetime.now(UTC) + timedelta(days=90)
    certificates = write_chain(tmp_path_factory.mktemp("certificates"), ends)
    env = {**addresses_of(Orders, Reservations), **certificates}
    env["PAYMENTS_GRPC_SERVER_ADDRESS"] = f"127.0.0.1:{free_port()}"
    env["ORDERS_GRPC_METRICS_ADDRESS"] = f"127.0.0.1:{free_port()}"
    server = GrpcApplicationServer(Orders, env, system=system)
    server.start()
    try:
        url = f"http://{env['ORDERS_GRPC_METRICS_ADDRESS']}/metrics"
        with urllib.request.urlopen(url, timeout=DEADLINE) as response:
            text = response.read().decode()
    finally:
        server.stop(wait=True)
    labels: dict[str, set[str]] = {name: set(own) for name, own in OWN_METRICS.items()}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set(OWN_LABELS)).update(sample.labels)
    return labels


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return loaded


def targets() -> list[tuple[str, str]]:
    """Returns the queries of the dashboard's panels, with their legends."""
    return [
        (target["expr"], target["legendFormat"])
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    variables = [variable.get("definition", "") for variable in dashboard()["templating"]["list"]]
    annotations = [annotation["expr"] for annotation in dashboard()["annotations"]["list"]]
    return [
        *(expr for expr, _ in targets()),
        *filter(None, variables),
        *annotations,
        *(rule["expr"] for rule in rules()),
    ]


@pytest.mark.parametrize("query", queries())
def test_query_asks_for_what_servers_tell(query: str, told: dict[str, set[str]]) -> None:
    names = _NAME.findall(query)
    assert names
    assert set(names) <= set(told)
    known = set.union(*(told[name] for name in names))
    for name, matchers in _SELECTOR.findall(query):
        assert {label for label, _, _ in _MATCHER.findall(matchers)} <= told[name]
    for grouping in _GROUPING.findall(query):
        assert {label.strip() for label in grouping.split(",")} <= known
    assert query.count("(") == query.count(")")


def test_states_are_those_of_followings() -> None:
    known = {state.name.lower() for state in FollowingState}
    asked = [
        value
        for query in queries()
        for label, _, values in _MATCHER.findall(query)
        if label == "state"
        for value in values.split("|")
    ]
    assert asked
    assert set(asked) <= known


@pytest.mark.parametrize(("query", "legend"), targets())
def test_legend_has_labels_that_the_query_leaves(
    query: str, legend: str, told: dict[str, set[str]]
) -> None:
    grouped = _GROUPING.findall(query)
    left = (
        {label.strip() for label in grouped[0].split(",")}
        if grouped
        else set.union(*(told[name] for name in _NAME.findall(query)))
    )
    assert set(_LEGEND_LABEL.findall(legend)) <= left


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alert_says_what_it_is_about(rule: dict[str, Any], told: dict[str, set[str]]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    summary = rule["annotations"]["summary"]
    grouped = _GROUPING.findall(rule["expr"])
    left = (
        {label.strip() for label in grouped[0].split(",")}
        if grouped
        else set.union(*(told[name] for name in _NAME.findall(rule["expr"])))
    )
    used = set(re.findall(r"\$labels\.(\w+)", summary))
    assert used
    assert used <= left


def test_panels_have_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= GRID_WIDTH
        taken |= cells


def test_panels_ask_the_data_source_that_is_chosen() -> None:
    loaded = dashboard()
    assert "datasource" in {variable["name"] for variable in loaded["templating"]["list"]}
    for panel in loaded["panels"]:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["datasource"]["uid"] == "${datasource}"
            for target in panel["targets"]:
                assert target["datasource"]["uid"] == "${datasource}"


def test_every_metric_is_documented(told: dict[str, set[str]]) -> None:
    text = (DOCS / "observing.md").read_text("utf-8")
    prefix = "eventsourcing_grpc_"
    # A histogram is three metrics.
    names = {
        re.sub(r"^(.*_seconds)_(bucket|sum|count)$", r"\1", name.removeprefix(prefix))
        for name in told
        if name.startswith(prefix)
    }
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert names <= documented


def test_alerts_that_are_explained_are_there() -> None:
    text = (DOCS / "observing.md").read_text("utf-8")
    explained = re.findall(r"^\| ([A-Z][A-Za-z]+) \|", text, re.MULTILINE)
    assert explained
    assert set(explained) <= {rule["alert"] for rule in rules()}
