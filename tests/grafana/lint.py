"""The rules of Grafana's dashboard linter, restated: what each says is in its documentation.

https://github.com/grafana/dashboard-linter/blob/main/docs/index.md lists eleven; four more came later. Each
rule here takes a dashboard and returns complaints. EXCEPTIONS says what is let pass, and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.grafana.boards import filled_in
from tests.grafana.promtool import complaint_about

Board = Mapping[str, Any]
Rule = Callable[[Board], Iterator[str]]

EXCEPTIONS = {
    "template-instance-rule": "Replicas expose the same state: to choose one of them would change nothing, "
    "or hide what the others know. Only the dashboard of pgvigil itself has the choice.",
    "target-instance-rule": "State is taken from all replicas together, max without (instance, …), so that "
    "none is counted twice. What a process says of itself is matched by instance.",
    "target-job-rule": "ALERTS has the labels of rules, not those of a scrape.",
}

_DATASOURCES = {"datasource": "Data source", "prometheus_datasource": "Prometheus data source"}
# Those of Grafana's that the dashboards use: the rule is there to find typing errors.
UNITS = {"locale", "none", "short", "percentunit", "s", "dateTimeFromNow"}
_WITH_UNITS = {"stat", "table", "timeseries", "gauge", "bargauge"}

_SELECTOR = re.compile(r"(?P<before>.{0,80}?)\b(?P<metric>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<matchers>[^}]*)\}")
_TOGETHER = re.compile(r"max without \(instance, pod, container, endpoint\) \((delta\()?$")
_QUERY = re.compile(r"(?P<function>label_names|label_values|metrics|query_result)\((?P<vector>.+)\)")


def variables(board: Board, kind: str) -> list[Mapping[str, Any]]:
    return [one for one in board["templating"]["list"] if one["type"] == kind]


def expressions(board: Board) -> Iterator[tuple[str, str]]:
    """Return every expression, with the title of its panel."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def template_datasource(board: Board) -> Iterator[str]:
    found = {one["name"]: one["label"] for one in variables(board, "datasource")}
    if len(found) != 1 or not found.items() <= _DATASOURCES.items():
        yield f"no data source can be chosen by the usual name and label: {found}"
    if any(one["query"] != "prometheus" for one in variables(board, "datasource")):
        yield "the data source is not Prometheus"


def _template(board: Board, name: str) -> Iterator[str]:
    found = [one for one in board["templating"]["list"] if one["name"] == name]
    if not found:
        yield f"no variable {name}"
    for one in found:
        wanted = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}
        wrong = {key: one.get(key) for key, value in wanted.items() if one.get(key) != value}
        if wrong or one["datasource"]["uid"] != "${datasource}":
            yield f"variable {name}: {wrong}, {one['datasource']}"


def template_job(board: Board) -> Iterator[str]:
    return _template(board, "job")


def template_instance(board: Board) -> Iterator[str]:
    if board["uid"] == "pgvigil-self":
        yield from _template(board, "instance")


def template_label_promql(board: Board) -> Iterator[str]:
    for one in variables(board, "query"):
        match = _QUERY.fullmatch(one["query"])
        if match is None:
            yield f"variable {one['name']} asks with no function of the data source: {one['query']}"
        elif trouble := complaint_about(filled_in(match["vector"].rsplit(",", 1)[0])):
            yield f"variable {one['name']}: {trouble}"


def panel_datasource(board: Board) -> Iterator[str]:
    for panel in board["panels"]:
        if panel["datasource"]["uid"] not in {"$datasource", "${datasource}"}:
            yield f"{panel['title']}: its data source cannot be chosen"


def panel_title_description(board: Board) -> Iterator[str]:
    for panel in board["panels"]:
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} lacks a title or a description"


def panel_units(board: Board) -> Iterator[str]:
    for panel in board["panels"]:
        properties = [one for rule in panel["fieldConfig"]["overrides"] for one in rule["properties"]]
        units = [panel["fieldConfig"]["defaults"].get("unit")]
        units += [one["value"] for one in properties if one["id"] == "unit"]
        if panel["type"] in _WITH_UNITS and not set(units) <= UNITS:
            yield f"{panel['title']}: {units}"


def target_promql(board: Board) -> Iterator[str]:
    for title, expression in expressions(board):
        if trouble := complaint_about(filled_in(expression)):
            yield f"{title}: {trouble}"


def target_rate_interval(board: Board) -> Iterator[str]:
    for title, expression in expressions(board):
        for match in re.finditer(r"\bi?rate\([^\[]*\[(?P<range>[^\]]*)\]", expression):
            if match["range"] != "$__rate_interval":
                yield f"{title}: a rate over {match['range']}"


def target_job(board: Board) -> Iterator[str]:
    for title, expression in expressions(board):
        for match in _SELECTOR.finditer(expression):
            if 'job=~"$job"' not in match["matchers"] and match["metric"] != "ALERTS":
                yield f"{title}: {match['metric']} of any job"


def target_instance(board: Board) -> Iterator[str]:
    for title, expression in expressions(board):
        for match in _SELECTOR.finditer(expression):
            chosen = 'instance=~"$instance"' in match["matchers"] or match["metric"] == "ALERTS"
            if not chosen and not _TOGETHER.search(match["before"]):
                yield f"{title}: {match['metric']} of every instance, one by one"


def template_on_time_change_reload(board: Board) -> Iterator[str]:
    for one in variables(board, "query"):
        if one["refresh"] != 2:
            yield f"variable {one['name']} is not asked for again when the time changes"


def panel_no_targets(board: Board) -> Iterator[str]:
    for panel in board["panels"]:
        if not panel["targets"]:
            yield f"{panel['title']}: no query"


def target_counter_agg(board: Board) -> Iterator[str]:
    for title, expression in expressions(board):
        for match in _SELECTOR.finditer(expression):
            counted = re.search(r"\b(rate|irate|increase)\($", match["before"])
            if match["metric"].endswith("_total") and not counted:
                yield f"{title}: {match['metric']} as it is, without rate or increase"


def uneditable(board: Board) -> Iterator[str]:
    if board["editable"]:
        yield "can be changed in Grafana, where the next start undoes it"


RULES: Mapping[str, Rule] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_job,
    "template-instance-rule": template_instance,
    "template-label-promql-rule": template_label_promql,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": target_job,
    "target-instance-rule": target_instance,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-no-targets-rule": panel_no_targets,
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable,
}
