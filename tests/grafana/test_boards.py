"""What whoever opens a dashboard may rely on, beyond what Grafana's own rules ask."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.grafana.boards import FOLDER, UIDS, Query, board, panels, queries

ROOT = FOLDER.parents[1]
PANELS = [pytest.param(uid, panel, id=f"{uid}: {panel['title']}") for uid, panel in panels()]
# What Prometheus or its rules know, and pgvigil does not expose.
FOREIGN = {"ALERTS"}


def tables() -> list[Any]:
    return [parameters for parameters in PANELS if parameters.values[1]["type"] == "table"]


def links(panel: Any) -> list[str]:
    """All addresses that a panel leads to."""
    properties = [one for rule in panel["fieldConfig"]["overrides"] for one in rule["properties"]]
    of_fields = [link["url"] for one in properties if one["id"] == "links" for link in one["value"]]
    return [link["url"] for link in panel["links"]] + of_fields


def test_the_files_are_what_the_code_says() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "grafana", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_uids_are_stable_and_each_file_is_named_by_its_own() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(UIDS)
    assert [board(uid)["uid"] for uid in UIDS] == list(UIDS)


@pytest.mark.parametrize("uid", UIDS)
def test_no_panel_covers_another_or_leaves_the_grid(uid: str) -> None:
    places = [panel["gridPos"] for panel in board(uid)["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)


@pytest.mark.parametrize("uid", UIDS)
def test_deployments_are_marked_when_they_happened(uid: str) -> None:
    [annotation] = board(uid)["annotations"]["list"]
    assert annotation["enable"]
    assert annotation["useValueForTime"]
    assert annotation["expr"].endswith("* 1000"), "Grafana wants milliseconds"
    assert "{{version}}" in annotation["titleFormat"]


@pytest.mark.parametrize("uid", UIDS)
def test_the_dashboards_lead_to_one_another_and_to_the_console(uid: str) -> None:
    document = board(uid)
    siblings, console = document["links"]
    assert siblings["tags"] == document["tags"]
    assert siblings["keepTime"]
    assert console["url"] == "${console}/"


@pytest.mark.parametrize(("uid", "panel"), PANELS)
def test_links_use_variables_and_columns_that_are_there(uid: str, panel: Any) -> None:
    variables = {one["name"] for one in board(uid)["templating"]["list"]}
    columns = set()
    for transformation in panel.get("transformations", []):
        columns |= set(transformation["options"].get("renameByName", {}).values())
    for url in links(panel):
        assert url.startswith("${console}/")
        for name in re.findall(r"\$\{([^}]+)\}", url):
            field = re.fullmatch(r"__data\.fields\.(\w+):percentencode", name)
            assert field[1] in columns if field else name in variables, url


def test_every_runbook_is_that_of_an_alert() -> None:
    rules = [
        rule
        for file in (ROOT / "deploy" / "prometheus").glob("*.rules.yml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    linked = {
        name for _, panel in panels() for url in links(panel) for name in re.findall(r"/runbooks/(\w+)", url)
    }
    assert len(linked) > 10
    assert linked <= alerts


@pytest.mark.parametrize("panel", [one.values[1] for one in tables()], ids=lambda panel: panel["title"])
def test_every_column_of_a_table_comes_from_its_queries(panel: Any) -> None:
    organized = panel["transformations"][1]["options"]
    values = {f"Value #{target['refId']}" for target in panel["targets"]}
    values = {"Value"} if len(values) == 1 else values
    asked = {source for source in organized["renameByName"] if source.startswith("Value")}
    assert asked == values
    named = {rule["matcher"]["options"] for rule in panel["fieldConfig"]["overrides"]}
    assert named == set(organized["renameByName"].values())
    assert {sort["displayName"] for sort in panel["options"]["sortBy"]} <= named


@pytest.mark.parametrize(("uid", "panel"), PANELS)
def test_no_value_is_never_green(uid: str, panel: Any) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"]
    for step in defaults.get("thresholds", {}).get("steps", [])[:1]:
        assert step["value"] is None
        assert "green" not in step["color"]


@pytest.mark.parametrize(("uid", "panel"), PANELS)
def test_no_colour_stands_without_a_word(uid: str, panel: Any) -> None:
    """Filled panels and words in tables say by text what they say by colour."""
    properties = [one for rule in panel["fieldConfig"]["overrides"] for one in rule["properties"]]
    mappings = panel["fieldConfig"]["defaults"].get("mappings", [])
    for mapping in [
        *mappings,
        *(one for each in properties if each["id"] == "mappings" for one in each["value"]),
    ]:
        options = mapping["options"]
        results = [options["result"]] if mapping["type"] == "range" else options.values()
        assert all(result["text"] for result in results)
    if panel["options"].get("colorMode") == "background_solid":
        assert mappings


@pytest.mark.parametrize("query", list(queries()), ids=str)
def test_every_metric_is_one_that_pgvigil_documents(query: Query) -> None:
    documented = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(pgvigil_[a-z_]+)`", documented))
    asked = set(re.findall(r"([a-zA-Z_:][\w:]*)\{", query.target["expr"])) - FOREIGN
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= names


@pytest.mark.parametrize("uid", UIDS)
def test_purple_is_for_what_is_unknown(uid: str) -> None:
    """Nothing whose name says something else has the colour: no kind of drift, no state of an incident."""
    for panel in board(uid)["panels"]:
        for rule in panel["fieldConfig"]["overrides"]:
            fixed = [one["value"].get("fixedColor") for one in rule["properties"] if one["id"] == "color"]
            if "semi-dark-purple" in fixed:
                assert rule["matcher"]["options"] in ("unknown", "error")
            for one in rule["properties"]:
                for mapping in one["value"] if one["id"] == "mappings" else ():
                    colors = {key: each.get("color") for key, each in mapping["options"].items()}
                    assert colors.get("suspect") != "semi-dark-purple"


@pytest.mark.parametrize("title", ["Incidents that go on", "New since the last deployment"])
def test_severities_are_shown_with_the_worst_first(title: str) -> None:
    (panel,) = [one for one in board("pgvigil-overview")["panels"] if one["title"] == title]
    assert [target["legendFormat"] for target in panel["targets"]] == ["critical", "warning", "info"]
    assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"]


def provisioning(kind: str) -> Any:
    [file] = (ROOT / "grafana" / "provisioning" / kind).glob("*.yml")
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_provisioning_finds_the_dashboards_where_compose_mounts_them() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    mounts = dict(
        volume.removesuffix(":ro").rsplit(":", 1)
        for volume in compose["services"]["grafana"]["volumes"]
        if volume.endswith(":ro")
    )
    here = {str(Path(mount).name): path for mount, path in mounts.items()}
    [provider] = provisioning("dashboards")["providers"]
    assert provider["options"]["path"] == here["dashboards"]
    assert here["provisioning"] == "/etc/grafana/provisioning"


def test_provisioning_brings_the_data_source_that_the_dashboards_choose() -> None:
    [source] = provisioning("datasources")["datasources"]
    chosen = {board(uid)["templating"]["list"][0]["current"]["value"] for uid in UIDS}
    assert source["type"] == "prometheus"
    assert chosen == {source["uid"]}
