"""Records of the store in the words of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pgvigil.incident import Incident
from pgvigil.standing import standing
from pgvigil.store import History, StoredRun
from pgvigil.web.api.answers import Answer, EventAnswer, HistoryAnswer, IncidentAnswer, MarkAnswer, RunAnswer


def incident(one: Incident, now: datetime) -> IncidentAnswer:
    """Say what is known of an incident; `now` tells whether a mute still holds."""
    return IncidentAnswer(**_incident(one, now))


def history(found: History, now: datetime) -> HistoryAnswer:
    """Say all that is known of an incident, with its evidence."""
    finding = found.incident.finding
    return HistoryAnswer(
        **_incident(found.incident, now),
        remedy=finding.remedy,
        evidence_sql=finding.evidence_sql,
        sample=[dict(row) for row in finding.sample],
        details=dict(finding.details),
        events=[EventAnswer.model_validate(event) for event in found.events],
    )


def run(stored: StoredRun) -> RunAnswer:
    """Say what is known of a run."""
    return RunAnswer(id=stored.id, **_fields(stored.run, RunAnswer))


def _incident(one: Incident, now: datetime) -> dict[str, Any]:
    said = {
        "code": one.finding.code,
        "title": one.finding.title,
        "standing": standing(one, now),
        "acknowledged": one.acknowledged and MarkAnswer.model_validate(one.acknowledged),
        "muted": one.muted and MarkAnswer.model_validate(one.muted),
    }
    return {**_fields(one, IncidentAnswer), **said}


def _fields(record: object, answer: type[Answer]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in answer.model_fields if hasattr(record, name)}
