"""What the log tells of incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pgvigil.incident import Event, EventKind, Incident
from pgvigil.logs import get_logger
from pgvigil.store import LiveIncident, Synced

_TOLD = {
    EventKind.OPENED: "incident opened",
    EventKind.RESOLVED: "incident resolved",
    EventKind.VANISHED: "incident vanished with its subject",
}

log = get_logger(__name__)


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


def tell_of_subjects(target: str, check: str, synced: Synced) -> None:
    """Log which subjects are gone, and why, and which go on under another name."""
    for subject, why in synced.vanished.items():
        log.info("subject vanished", target=target, check=check, subject=subject, why=why)
    for old, new in synced.renamed.items():
        log.info("subject renamed", target=target, check=check, subject=new, was=old)
