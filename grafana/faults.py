"""What several dashboards show of incidents: the table of them, with what makes each worth a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grafana import words
from grafana.links import incidents_of_row
from grafana.promql import INCIDENT, fault_age, state
from grafana.tables import Column

VIOLATIONS = "pgvigil_incident_violations"
FIRST_SEEN = "pgvigil_incident_first_seen_timestamp_seconds"

SEVERITY_WORDS = (words.RANKED,)
STATE_WORDS = (words.coloured(words.STATES),)
NEW_WORDS = (words.said({"1": ("new", words.WARNING), "0": ("before", words.PLAIN)}),)


def last_deployment() -> str:
    """Return when each target was last deployed, in Unix seconds."""
    return f"max by (job, target) ({state('pgvigil_deployment_timestamp_seconds')})"


def _by_incident(vector: str) -> str:
    return f"max by ({INCIDENT}) ({vector})"


def ranked(by: str, of_severity: Callable[[str], str]) -> str:
    """Return how serious series are, as a number to sort by; `of_severity` selects those of a severity."""
    each = (f"{of_severity(name)} * 0 + {rank}" for name, rank in words.RANKS.items())
    return f"max by ({by}) ({' or '.join(each)})"


def _rank(*matchers: str) -> str:
    return ranked(INCIDENT, lambda severity: state(VIOLATIONS, *matchers, severity=severity))


def columns(*matchers: str, check: str | None = None) -> Sequence[Column]:
    """Return the columns of a table of incidents; without Check when all are of this `check`."""
    since = f"{state(FIRST_SEEN, *matchers)} > bool on (job, target) group_left () {last_deployment()}"
    every = [
        Column(title="Severity", query=_rank(*matchers), words=SEVERITY_WORDS, width=90),
        Column(title="State", label="state", words=STATE_WORDS, width=120),
        Column(title="Target", label="target", width=100),
        Column(title="Check", label="check", width=110),
        Column(title="Subject", label="subject", link=incidents_of_row(check)),
        Column(title="Fault", label="code", width=150),
        Column(title="At fault", query=_by_incident(state(VIOLATIONS, *matchers)), width=90),
        Column(title="For", query=_by_incident(fault_age(*matchers)), unit="s", width=100),
        Column(title="Deployment", query=_by_incident(since), words=NEW_WORDS, width=105, missing="no mark"),
    ]
    return [column for column in every if check is None or column.title != "Check"]


def hidden(check: str | None = None) -> Sequence[str]:
    """Return the labels of incidents that get no column of their own."""
    return ["severity"] if check is None else ["severity", "check"]


WORST_FIRST = [("Severity", True), ("For", False)]
