"""What has to be said to one Alertmanager about one incident, from what is so and what it may hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgvigil.check import Severity
from pgvigil.notify.alerts import Alert, Form, Moment, ended, firing, labels_of, severity_told
from pgvigil.store import Delivery, Labels


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, and what the Alertmanager may hold before and after it was accepted.

    `severity` is that under which the incident is firing then, None when it is not.
    """

    incident: str
    ends: tuple[Alert, ...]
    fires: tuple[Alert, ...]
    before: tuple[Labels, ...]
    after: tuple[Labels, ...]
    severity: Severity | None

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """What to send: the ends first, as the same alert may begin anew."""
        return (*self.ends, *self.fires)

    @property
    def over_at(self) -> datetime | None:
        """When the last of the ends is; nothing has ended before the Alertmanager's clock has passed it."""
        return max((datetime.fromisoformat(end["endsAt"]) for end in self.ends), default=None)


def compose(
    delivery: Delivery, recurrences: Sequence[Delivery], form: Form, moment: Moment, *, heard: bool = True
) -> Message:
    """Return what to say about an incident.

    `recurrences` are the open incidents of the same fault: one may have the labels of the incident that is
    over, and must not end with it. `heard` is false when the Alertmanager surely never got what it may hold
    by the delivery: it is not told of the end of what it never knew.
    """
    incident = delivery.incident
    held = delivery.labels if heard else ()
    severity = severity_told(incident, incident.severity, moment.ours)
    wanted = (labels_of(incident, form),) if severity else ()
    over = [labels for labels in held if labels not in wanted]
    # What fires under another incident is that one's to end; until it is known to be its own, it stays ours.
    taken = [labels for labels in over if _fires(labels, recurrences, form, moment)]
    kept = tuple(labels for labels in taken if not any(labels in one.labels for one in recurrences))
    return Message(
        incident=incident.id,
        ends=tuple(ended(incident, labels, form, moment) for labels in over if labels not in taken),
        fires=tuple(firing(incident, labels, form, moment) for labels in wanted),
        before=_together(held, wanted),
        after=_together(kept, wanted),
        severity=severity,
    )


def _fires(labels: Labels, recurrences: Sequence[Delivery], form: Form, moment: Moment) -> bool:
    """Tell whether one of the incidents is to be firing under these labels."""
    return any(
        severity_told(one.incident, one.incident.severity, moment.ours)
        and labels_of(one.incident, form) == labels
        for one in recurrences
    )


def _together(some: tuple[Labels, ...], more: tuple[Labels, ...]) -> tuple[Labels, ...]:
    return (*some, *(labels for labels in more if labels not in some))
