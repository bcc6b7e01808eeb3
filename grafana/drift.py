"""How far the two tables of an entity pair are apart, and against which budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana import words
from grafana.frame import chosen, framed, serialized
from grafana.links import console, incidents_of_row, runbook
from grafana.panels import Lines, Look, Spot, bars, big, lines, now, over_time
from grafana.promql import age, growth, state
from grafana.tables import Column, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.panels import AnyPanel

_PAIR = 'subject=~"$pair"'
_CHECK = 'check="table_drift"'
_KINDS = {"left_only": words.WARNING, "right_only": words.ATTENDED, "changed": words.FURTHER}
_BY_PAIR = "job, target, subject"

_ROWS = state("pgvigil_drift_rows", _PAIR)
_APART = f"sum by ({_BY_PAIR}) ({_ROWS})"
_BUDGET = f"max by ({_BY_PAIR}) ({state('pgvigil_drift_budget_rows', _PAIR)})"


def _growth() -> str:
    """Return how many more rows of each pair differ than an hour ago."""
    return f"sum by (target, subject) ({growth('pgvigil_drift_rows', _PAIR, over='1h')})"


def build() -> str:
    """Return the dashboard's JSON."""
    frame = framed(
        "pgvigil-drift",
        "pgvigil: entity pair drift",
        "Two tables hold the same entity: in how many rows they differ, and how many may.",
        "now-24h",
    ).with_variable(
        chosen("pair", "Pair", 'label_values(pgvigil_drift_rows{job=~"$job", target=~"$target"}, subject)')
    )
    return serialized(frame, [*_totals(), *_course(), *_pairs()])


def _totals() -> Iterator[AnyPanel]:
    yield big(
        Spot(
            at=(0, 0, 5, 4),
            title="Pairs above their budget",
            description="Entity pairs of which more rows differ than may.",
            links=[
                console("Incidents", "/incidents?check=table_drift"),
                runbook("PgvigilDriftAboveBudget"),
            ],
        ),
        now(f"sum({_APART} > bool {_BUDGET})"),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(5, 0, 5, 4),
            title="Rows that differ",
            description="Rows that are only left, only right or different, of all chosen pairs.",
            links=[runbook("PgvigilDriftAboveBudget")],
        ),
        now(f"sum({_APART})"),
        Look(thresholds=words.none_or(words.WARNING)),
    )
    yield big(
        Spot(
            at=(10, 0, 5, 4),
            title="Pairs that grow apart",
            description="Entity pairs of which more rows differ than an hour ago.",
            links=[runbook("PgvigilDriftGrowing")],
        ),
        now(f"sum({_growth()} > bool 0)"),
        Look(thresholds=words.none_or(words.WARNING)),
    )
    yield big(
        Spot(
            at=(15, 0, 5, 4),
            title="Unknown pairs",
            description="Entity pairs that could not be examined, whichever are chosen.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        now(f"sum({state('pgvigil_subjects', _CHECK, state='unknown')})"),
        Look(thresholds=words.none_or(words.UNKNOWN)),
    )
    yield big(
        Spot(
            at=(20, 0, 4, 4),
            title="Oldest result",
            description="How long ago the pair that waits longest was last examined in full.",
            links=[runbook("PgvigilResultStale")],
        ),
        now(f"max({age(_CHECK, _PAIR)})"),
        Look(unit="s", decimals=0, thresholds=words.thresholds((0, words.ATTENDED)), mappings=()),
    )


def _course() -> Iterator[AnyPanel]:
    yield lines(
        Spot(
            at=(0, 4, 12, 9),
            title="Drift against its budget",
            description="Rows of each pair that differ; its budget is dashed. Vertical lines are "
            "deployments.",
            links=[runbook("PgvigilDriftAboveBudget")],
        ),
        [
            over_time(_APART, "{{subject}}"),
            over_time(_BUDGET, "budget of {{subject}}", "B"),
        ],
        Lines(dashed="B"),
    )
    yield lines(
        Spot(
            at=(12, 4, 12, 9),
            title="Rows that differ, by kind",
            description="left_only and right_only are rows without a counterpart; changed ones differ in a "
            "column.",
        ),
        [over_time(f"sum by (kind) ({_ROWS})", "{{kind}}")],
        Lines(colors=_KINDS, stacked=True),
    )


def _pairs() -> Iterator[AnyPanel]:
    yield listing(
        Spot(
            at=(0, 13, 18, 7),
            title="Pairs",
            description="Each entity pair, with how many rows may differ. Pairs lead to the console.",
            links=[console("Incidents", "/incidents?check=table_drift")],
        ),
        [
            Column(title="Target", label="target", width=110),
            Column(title="Subject", label="subject", link=incidents_of_row("table_drift")),
            *(
                Column(title=title, query=_of_kind(kind), width=100)
                for title, kind in {
                    "Left only": "left_only",
                    "Right only": "right_only",
                    "Changed": "changed",
                }.items()
            ),
            Column(title="Budget", query=f"max by (target, subject) ({_BUDGET})", width=90),
            Column(
                title="Verdict",
                query=f"max by (target, subject) ({_APART} > bool {_BUDGET})",
                words=(words.said({"0": ("within", words.PASSED), "1": ("above budget", words.CRITICAL)}),),
                width=120,
            ),
            Column(title="Grown in 1 h", query=_growth(), width=115),
        ],
        sort=[("Verdict", True), ("Changed", True)],
        empty="No entity pair was examined.",
    )
    yield bars(
        Spot(
            at=(18, 13, 6, 7),
            title="By kind, now",
            description="Rows that differ, of all chosen pairs.",
        ),
        [now(f"sum by (kind) ({_ROWS})", "{{kind}}")],
        words.thresholds((0, words.PASSED), (1, words.WARNING)),
    )


def _of_kind(kind: str) -> str:
    of_kind = state("pgvigil_drift_rows", _PAIR, kind=kind)
    return f"sum by (target, subject) ({of_kind})"
