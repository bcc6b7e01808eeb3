"""Grafana's own rules for dashboards hold, and each would notice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.grafana.boards import UIDS, board
from tests.grafana.lint import EXCEPTIONS, RULES

Mistake = Callable[[Any], object]


def variable(document: Any, name: str) -> Any:
    return next(one for one in document["templating"]["list"] if one["name"] == name)


def ask(expression: str) -> Mistake:
    return lambda document: document["panels"][0]["targets"][0].update(expr=expression)


# What each rule is there to notice, done to the dashboard of pgvigil itself.
MISTAKES: dict[str, Mistake] = {
    "template-datasource-rule": lambda document: variable(document, "datasource").update(name="source"),
    "template-job-rule": lambda document: variable(document, "job").update(allValue=".*"),
    "template-instance-rule": lambda document: variable(document, "instance").update(name="replica"),
    "template-label-promql-rule": lambda document: variable(document, "job").update(query="up{, job"),
    "panel-datasource-rule": lambda document: document["panels"][0]["datasource"].update(uid="prometheus"),
    "panel-title-description-rule": lambda document: document["panels"][0].update(description=""),
    "panel-units-rule": lambda document: document["panels"][0]["fieldConfig"]["defaults"].update(unit="sec"),
    "target-promql-rule": ask("sum(up"),
    "target-rate-interval-rule": ask("rate(pgvigil_runs_total[5m])"),
    "target-job-rule": ask('up{instance=~"$instance"}'),
    "target-instance-rule": ask('sum(pgvigil_target_up{job=~"$job"})'),
    "template-on-time-change-reload-rule": lambda document: variable(document, "job").update(refresh=1),
    "panel-no-targets-rule": lambda document: document["panels"][0].update(targets=[]),
    "target-counter-agg-rule": ask('sum(pgvigil_runs_total{job=~"$job"})'),
    "uneditable-dashboard": lambda document: document.update(editable=True),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("uid", UIDS)
def test_the_rule_holds(uid: str, rule: str) -> None:
    assert list(RULES[rule](board(uid))) == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_notices(rule: str) -> None:
    document = copy.deepcopy(board("pgvigil-self"))
    MISTAKES[rule](document)
    assert list(RULES[rule](document)) != []


def test_every_exception_is_of_a_rule() -> None:
    assert EXCEPTIONS.keys() <= RULES.keys()
