"""What all dashboards share: variables, deployments as annotations, the links to one another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.panels import SOURCE, AnyPanel
from grafana.promql import state

TAG = "pgvigil"
CONSOLE = "https://pgvigil.example.org"

# What the library always writes: settings that Grafana's schema has not, or only for what is not here.
_SUPERFLUOUS = {"auto", "auto_min", "auto_count", "repeatDirection", "builtIn", "footer"}
# It would hide every link and annotation in a menu, too.
_HIDDEN = ("placement", "inControlsMenu")


def framed(uid: str, title: str, description: str, since: str) -> dashboard.Dashboard:
    """Start a dashboard that shows the time from `since` (such as `now-6h`) to now."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time(since, "now")
        .refresh("30s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
        .with_variable(chosen("job", "Job", "label_values(pgvigil_build_info, job)"))
        .with_variable(chosen("target", "Target", 'label_values(pgvigil_target_up{job=~"$job"}, target)'))
        .with_variable(_console())
        .annotation(_deployments())
        .link(_siblings())
        .link(dashboard.DashboardLink("Console").url("${console}/").icon("external link").target_blank(True))
    )


def chosen(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """Let a reader choose some or all values of a label."""
    everything = model.VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(everything)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def serialized(built: dashboard.Dashboard, panels: Iterable[AnyPanel]) -> str:
    """Return a dashboard with these panels as Grafana reads it, always the same for the same code."""
    for panel in panels:
        built.with_panel(panel)
    document: dict[str, Any] = json.loads(json.dumps(built.build(), cls=JSONEncoder))
    for number, panel_document in enumerate(document["panels"], start=1):
        panel_document["id"] = number
    return json.dumps(_tidy(document), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _tidy(inner)
            for key, inner in value.items()
            if key not in _SUPERFLUOUS and (key, inner) != _HIDDEN
        }
    if isinstance(value, list):
        return [_tidy(inner) for inner in value]
    return value


def _datasource() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(model.VariableOption(selected=True, text="Prometheus", value="prometheus"))
    )


def _console() -> dashboard.TextBoxVariable:
    return (
        dashboard.TextBoxVariable("console")
        .label("Console")
        .description("The address of pgvigil's console, without a slash at its end: links lead there")
        .default_value(CONSOLE)
        .current(model.VariableOption(selected=True, text=CONSOLE, value=CONSOLE))
    )


def _deployments() -> dashboard.AnnotationQuery:
    """Mark deployments; the value of the series is their time."""
    return (
        dashboard.AnnotationQuery()
        .name("Deployments")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("blue")
        .expr(f"max by (target, version) ({state('pgvigil_deployment_timestamp_seconds')}) * 1000")
        .title_format("{{version}} deployed")
        .text_format("to {{target}}")
        .tag_keys("target,version")
        .use_value_for_time(True)
        .step("30s")
    )


def _siblings() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("pgvigil")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )
