"""What an Alertmanager is told of an incident: labels, annotations and times of its v2 API. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from pgvigil.check import Severity
from pgvigil.incident import Incident, Mark, Resolution
from pgvigil.standing import Marked, Standing, standing
from pgvigil.store import Labels

Alert: TypeAlias = dict[str, Any]
"""An alert in the form of the API."""

ALERTS: Mapping[str, tuple[str, str]] = {
    "orphan_rows": ("PgvigilOrphanRows", "Child rows refer to parents that do not exist"),
    "foreign_keys": ("PgvigilForeignKeyNotProtecting", "A foreign key does not protect as it should"),
    "table_drift": ("PgvigilDriftAboveBudget", "Two tables that hold the same entity disagree"),
}
"""Name and summary of the alert of each check, the same as in the alerting rules."""

NOTES: Mapping[str, tuple[str, str]] = {
    "foreign_keys": ("PgvigilForeignKeyNote", "A foreign key could be better"),
}
"""Those of its notes (severity info), where they have an alert of their own."""

OTHER_ALERT = ("PgvigilCheckFailing", "A check has found a fault")
"""Those of every other check."""

# Enough to understand a fault with; the page of the incident has the rest.
_LONGEST_LINE = 500
_LONGEST_TEXT = 4000

_ENDS = {
    Resolution.HEALED: "a completed run no longer saw it",
    Resolution.VANISHED: "its subject is gone from the catalog, or no longer watched",
    Resolution.UNCONFIRMED: "it was gone before it was confirmed",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How alerts are written.

    `url` is the console's, `samples` how many sample keys they show (0 for none), `hold` for how long they
    hold unless they are sent again, `labels` are added to every one.
    """

    url: str
    samples: int = 5
    hold: timedelta = timedelta(hours=4)
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """The time by our clock, and by the Alertmanager's, as far as it is known."""

    ours: datetime
    theirs: datetime


def alert_name(check: str, severity: Severity = Severity.CRITICAL) -> str:
    """Return the name of the alert that tells of a check's incidents of a severity."""
    return _named(check, severity)[0]


def severity_told(incident: Marked, severity: Severity, now: datetime) -> Severity | None:
    """Return the severity under which an incident is to be firing; None when it is not to be.

    An acknowledged incident goes on firing: somebody takes care of it, and it is not over.
    """
    firing = standing(incident, now) in (Standing.OPEN, Standing.ACKNOWLEDGED)
    return severity if firing else None


def labels_of(incident: Incident, form: Form) -> dict[str, str]:
    """Return the labels of an incident's alert, which are its identity."""
    labels = {
        **form.labels,
        "alertname": alert_name(incident.check, incident.severity),
        "severity": incident.severity.value,
        "target": incident.target,
        "check": incident.check,
        "subject": incident.subject,
        "code": incident.finding.code,
    }
    # Alertmanager takes an empty label away; it would never be found again under what is kept here.
    return {name: text for name, value in labels.items() if (text := clean(value))}


def firing(incident: Incident, labels: Labels, form: Form, moment: Moment) -> Alert:
    """Return the alert of an incident that goes on."""
    finding = incident.finding
    annotations = {
        "description": _description(incident, moment.ours),
        "remedy": _cut(finding.remedy, _LONGEST_TEXT),
        "evidence_sql": _evidence(finding.evidence_sql, _page(incident, form)),
        "sample": _sample(incident, form.samples),
    }
    starts = min(incident.opened_at or incident.first_seen, moment.ours)
    # By the clock that is ahead: no clock that is set wrong makes an alert end that is sent again in time.
    ends = max(moment.ours, moment.theirs) + form.hold
    return _alert(incident, labels, annotations, form, (starts, ends))


def ended(incident: Incident, labels: Labels, form: Form, moment: Moment) -> Alert:
    """Return the alert of an incident that is over or muted, or that has other labels by now."""
    end = _end(incident, moment.ours)
    annotations = {"description": f"{_headline(incident)}.\n{end}", "end": end}
    # An end that lies in the Alertmanager's future does not end the alert. Full seconds, as its answer has.
    ends = min(_ended_at(incident, moment.ours), moment.ours, moment.theirs).replace(microsecond=0)
    starts = min(incident.opened_at or incident.first_seen, ends)
    return _alert(incident, labels, annotations, form, (starts, ends))


def clean(text: str) -> str:
    """Replace what no receiver can take: NUL, and halves of characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _named(check: str, severity: Severity) -> tuple[str, str]:
    """Return name and summary of an alert."""
    note = NOTES.get(check) if severity is Severity.INFO else None
    return note or ALERTS.get(check, OTHER_ALERT)


def _alert(
    incident: Incident,
    labels: Labels,
    annotations: Mapping[str, str],
    form: Form,
    times: tuple[datetime, datetime],
) -> Alert:
    page = _page(incident, form)
    every = {
        # By its labels: they tell which severity it had when it was sent.
        "summary": _named(incident.check, Severity(labels["severity"]))[1],
        **annotations,
        "runbook_url": f"{form.url}/runbooks/{labels['alertname']}",
        "incident_url": page,
    }
    starts, ends = times
    return {
        "labels": dict(labels),
        "annotations": {name: clean(text) for name, text in every.items() if text},
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat(),
        "generatorURL": page,
    }


def _page(incident: Incident, form: Form) -> str:
    return f"{form.url}/incidents/{incident.id}"


def _description(incident: Incident, now: datetime) -> str:
    finding = incident.finding
    since, seen = _stamp(incident.opened_at or incident.first_seen), _stamp(incident.last_seen)
    sentences = [f"{_headline(incident)}. Count {finding.count:,}, open since {since}, last seen {seen}."]
    if incident.unexamined_since is not None:
        reason = _cut(incident.unexamined_reason or "", _LONGEST_LINE)
        sentences.append(f"Could not be examined again since {_stamp(incident.unexamined_since)}: {reason}.")
    if incident.acknowledged is not None and incident.acknowledged.holds(now):
        sentences.append(f"Acknowledged by {_word(incident.acknowledged)}.")
    return "\n".join(sentences)


def _end(incident: Incident, now: datetime) -> str:
    if incident.resolved_at is not None and incident.resolution is not None:
        return f"Over since {_stamp(incident.resolved_at)}: {_ENDS[incident.resolution]}."
    if incident.muted is not None and incident.muted.holds(now):
        return f"Muted by {_word(incident.muted)}. The fault is still there."
    return "Goes on under other labels."


def _ended_at(incident: Incident, now: datetime) -> datetime:
    """Return since when an incident is not firing under some labels."""
    if incident.resolved_at is not None:
        return incident.resolved_at
    return incident.muted.at if incident.muted is not None and incident.muted.holds(now) else now


def _headline(incident: Incident) -> str:
    title = _cut(incident.finding.title, _LONGEST_LINE).rstrip(".")
    return f"{incident.target}: {_cut(incident.subject, _LONGEST_LINE)}: {title}"


def _word(mark: Mark) -> str:
    until = f" until {_stamp(mark.until)}" if mark.until else ""
    why = f": {_cut(mark.why, _LONGEST_LINE)}" if mark.why else ""
    return f"{_cut(mark.who, _LONGEST_LINE)}{until}{why}"


def _evidence(query: str, page: str) -> str:
    if len(query) <= _LONGEST_TEXT:
        return query
    return f"{query[:_LONGEST_TEXT]}\n-- cut off here; the whole query is on {page}"


def _sample(incident: Incident, most: int) -> str:
    """Write sample keys, one row a line, as many as fit."""
    rows = incident.finding.sample[:most]
    lines = [_cut(json.dumps(row, ensure_ascii=False, default=str), _LONGEST_LINE) for row in rows]
    while sum(map(len, lines)) > _LONGEST_TEXT:
        lines.pop()
    return "\n".join(lines)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
