"""What the log tells of incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from pgvigil.incident import Event, EventKind, Incident
from pgvigil.store import LiveIncident

_TOLD = {
    EventKind.OPENED: "incident opened",
    EventKind.RESOLVED: "incident resolved",
    EventKind.VANISHED: "incident vanished with its subject",
}

log = structlog.get_logger(__name__)


def tell(events: Iterable[Event], incidents: Mapping[str, Incident | LiveIncident]) -> None:
    """Log where an incident began or ended; never what the rows hold."""
    for event in events:
        if event.kind in _TOLD and (incident := incidents.get(event.incident)):
            log.info(
                _TOLD[event.kind],
                target=incident.target,
                check=incident.check,
                subject=incident.subject,
                severity=incident.severity,
                count=incident.count,
                id=incident.id,
            )
