"""Is everything all right? What changed since the last deployment? Readable in five seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import BigValueTextMode

from grafana import faults, words
from grafana.frame import framed, serialized
from grafana.links import RUNBOOK_OF_ROW, console, runbook, target_of_row
from grafana.panels import Lines, Look, Spot, big, lines, now, over_time
from grafana.promql import LIVE, age, anywhere, lag, or_zero, state
from grafana.tables import Column, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.panels import AnyPanel

_INCIDENTS = "pgvigil_incidents"
_SUBJECTS = "pgvigil_subjects"
_DEPLOYED = "pgvigil_deployment_timestamp_seconds"


def _live(severity: str) -> str:
    return f"sum({state(_INCIDENTS, LIVE, severity=severity)})"


def _subjects(coverage: str) -> str:
    return f"sum({state(_SUBJECTS, state=coverage)})"


_OVERDUE = or_zero(f"sum({lag()} > bool 3)")
_DOWN = f"sum({state('pgvigil_target_up')} == bool 0)"
# Everything for which nobody may say that all is well, although nothing was found.
_DOUBTS = (
    _subjects("unknown"),
    f"({_subjects('passed')} == bool 0)",
    f"({_OVERDUE})",
    _DOWN,
    f"(max({anywhere('pgvigil_leader')}) == bool 0)",
)
# A digit for each kind of trouble; -1 when pgvigil does not answer, for then there is no number at all.
_VERDICT = (
    f"100 * ({_live('critical')} > bool 0) + 10 * ({_live('warning')} > bool 0)"
    f" + (({' + '.join(_DOUBTS)}) > bool 0) or vector(-1)"
)
_VERDICT_WORDS = (
    words.said(
        {
            "-1": ("Nobody is looking", words.UNKNOWN),
            "0": ("All clear", words.PASSED),
            "1": ("Something is unknown", words.UNKNOWN),
            "10": ("Warnings", words.WARNING),
            "11": ("Warnings, and unknowns", words.WARNING),
        }
    ),
    words.span(100, 111, "Critical faults", words.CRITICAL),
)
# Cut, not rounded: 100 % is said of nothing less.
_CLEAN = f"floor(10000 * {_subjects('passed')} / sum({state(_SUBJECTS)})) / 10000"


def build() -> str:
    """Return the dashboard's JSON."""
    frame = framed(
        "pgvigil-overview",
        "pgvigil: overview",
        "Is the data whole, does somebody look, and what changed since the last deployment?",
        "now-6h",
    )
    return serialized(frame, [*_verdict(), *_now(), *_course(), *_whose_turn()])


def _verdict() -> Iterator[AnyPanel]:
    yield big(
        Spot(
            at=(0, 0, 6, 5),
            title="Is everything all right?",
            description="All clear is said only when every subject was examined in time and passed. "
            "Acknowledged incidents count, muted ones and suspects do not. Nobody is looking: no pgvigil "
            "answers.",
            links=[console("Console", "/")],
        ),
        now(_VERDICT),
        Look(mappings=_VERDICT_WORDS, missing="Nobody is looking"),
        filled=True,
    )
    yield big(
        Spot(
            at=(6, 0, 3, 5),
            title="Critical",
            description="Critical incidents that are open or acknowledged. Each is one fault of one subject.",
            links=[console("Incidents", "/incidents"), runbook("PgvigilOrphanRows")],
        ),
        now(_live("critical")),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(9, 0, 3, 5),
            title="Warnings",
            description="Warning incidents that are open or acknowledged.",
            links=[console("Incidents", "/incidents"), runbook("PgvigilCheckFailing")],
        ),
        now(_live("warning")),
        Look(thresholds=words.none_or(words.WARNING)),
    )
    yield big(
        Spot(
            at=(12, 0, 3, 5),
            title="Unknown",
            description="Subjects that could not be examined: nobody knows whether they are whole.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        now(_subjects("unknown")),
        Look(thresholds=words.none_or(words.UNKNOWN)),
    )
    yield big(
        Spot(
            at=(15, 0, 3, 5),
            title="Overdue",
            description="Subjects whose last completed run is older than three intervals of their check.",
            links=[runbook("PgvigilResultStale")],
        ),
        now(_OVERDUE),
        Look(thresholds=words.none_or(words.UNKNOWN)),
    )
    yield big(
        Spot(
            at=(18, 0, 3, 5),
            title="Down",
            description="Targets that did not answer when they were last asked.",
            links=[runbook("PgvigilTargetDown")],
        ),
        now(_DOWN),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(21, 0, 3, 5),
            title="Known clean",
            description="The share of all subjects that were examined and passed. It is cut, never rounded "
            "up.",
            links=[runbook("PgvigilIntegrityBudgetBurningFast")],
        ),
        now(_CLEAN),
        Look(
            unit="percentunit",
            decimals=1,
            thresholds=words.thresholds((0, words.WARNING), (1, words.PASSED)),
            mappings=(),
        ),
    )


def _now() -> Iterator[AnyPanel]:
    yield listing(
        Spot(
            at=(0, 9, 24, 11),
            title="What is wrong now",
            description="Open and acknowledged incidents, the worst and newest first. Deployment says "
            "whether the fault was first seen after the last deployment of its target. Subjects lead to "
            "the console.",
            links=[console("All incidents", "/incidents")],
        ),
        faults.columns(LIVE),
        sort=faults.WORST_FIRST,
        empty="No incident is known. Whether all is known says the first row.",
        hidden=faults.hidden(),
    )
    yield big(
        Spot(
            at=(0, 5, 9, 4),
            title="Last deployment",
            description="The version that was deployed last on any chosen target, and how long ago.",
            links=[runbook("PgvigilNewViolationsSinceDeployment")],
        ),
        now(f"topk(1, max by (target, version) ({state(_DEPLOYED)})) * 1000", "{{version}}"),
        Look(
            unit="dateTimeFromNow",
            missing="no deployment marked",
            thresholds=words.thresholds((0, words.ATTENDED)),
            mappings=(),
        ),
        text=BigValueTextMode.VALUE_AND_NAME,
    )
    yield big(
        Spot(
            at=(9, 5, 15, 4),
            title="New since the last deployment",
            description="Open and acknowledged incidents that were first seen after the last deployment of "
            "their target. Targets without a deployment are not counted.",
            links=[runbook("PgvigilNewViolationsSinceDeployment"), console("Incidents", "/incidents")],
        ),
        [now(query, name, ref) for name, ref, query in _by_severity("pgvigil_new_incidents")],
        Look(
            missing="no deployment marked",
            by_name={name: words.none_or(color) for name, color in words.SEVERITIES.items()},
        ),
        text=BigValueTextMode.VALUE_AND_NAME,
    )


def _by_severity(metric: str, *matchers: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, letter and query of each severity: asked one by one, they come with the worst first."""
    for letter, severity in zip("ABC", words.SEVERITIES, strict=True):
        yield severity, letter, f"sum({state(metric, *matchers, severity=severity)})"


def _course() -> Iterator[AnyPanel]:
    yield lines(
        Spot(
            at=(0, 20, 12, 8),
            title="Incidents that go on",
            description="Open and acknowledged incidents by severity. Dashed lines are deployments.",
        ),
        [over_time(query, name, ref) for name, ref, query in _by_severity(_INCIDENTS, LIVE)],
        Lines(colors=words.SEVERITIES, stacked=True),
    )
    yield lines(
        Spot(
            at=(12, 20, 12, 8),
            title="Subjects by what is known of them",
            description="Every subject is passed, failed or unknown. A gap means that nobody was looking.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        [over_time(f"sum by (state) ({state(_SUBJECTS)})", "{{state}}")],
        Lines(colors=words.COVERAGE, stacked=True),
    )


def _whose_turn() -> Iterator[AnyPanel]:
    by = "alertname, alertstate, severity, target"
    yield listing(
        Spot(
            at=(0, 28, 10, 9),
            title="Alerts",
            description="What Prometheus' rules for pgvigil say, without the Watchdog, which always fires. "
            "Names lead to the runbook. Empty while no rule is pending or firing, or when no rules are "
            "loaded.",
        ),
        [
            Column(title="Severity", query=faults.ranked(by, _alerts), words=faults.SEVERITY_WORDS, width=90),
            Column(title="Alert", label="alertname", link=RUNBOOK_OF_ROW),
            Column(title="State", label="alertstate", width=90, words=(words.coloured(_ALERT_STATES),)),
            Column(title="Target", label="target", width=110),
            Column(title="Alerts", query=f"count by ({by}) ({_alerts()})", width=80),
        ],
        sort=[("State", False), ("Severity", True)],
        hidden=["severity"],
        empty="No alert is pending or firing, or no rules are loaded.",
    )
    yield listing(
        Spot(
            at=(10, 28, 14, 9),
            title="Coverage by check",
            description="What is known by each check of each target, and how old the oldest result is. "
            "Ages in intervals above three are overdue. Checks lead to the target's page.",
            links=[runbook("PgvigilCheckNotCompleting")],
        ),
        [
            Column(title="Target", label="target", width=110),
            Column(title="Check", label="check", link=target_of_row()),
            *_coverage_columns(),
            Column(title="Oldest", query=f"max by (target, check) ({age()})", unit="s", width=90),
            Column(
                title="Intervals",
                query=f"max by (target, check) ({lag()})",
                decimals=1,
                width=90,
                colors=words.thresholds((0, words.PLAIN), (3, words.UNKNOWN)),
            ),
        ],
        sort=[("Unknown", True), ("Failed", True)],
        empty="No check is known.",
    )


def _alerts(severity: str = "") -> str:
    """Select alerts of a severity, or all, but for the one that always fires."""
    narrowed = f', severity="{severity}"' if severity else ""
    return f'ALERTS{{alertname=~"Pgvigil.+", alertname!="PgvigilWatchdog"{narrowed}}}'


_ALERT_STATES = {"firing": words.CRITICAL, "pending": words.WARNING}


def _coverage_columns() -> Iterator[Column]:
    for name, color in words.COVERAGE.items():
        counted = f"sum by (target, check) ({state(_SUBJECTS, state=name)})"
        many = None if name == "passed" else words.thresholds((0, words.PLAIN), (1, color))
        yield Column(title=name.capitalize(), query=counted, width=90, colors=many)
