"""How an incident lives: what a run, a person or the end of its subject changes.

Everything here is pure: no clock, no I/O. `step` takes the incidents of one subject and one run of it, and
gives back the incidents that changed and the events that tell why. The order of runs is the order in which
they are given, never that of their timestamps, so that a clock that jumps confuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pgvigil.check import Finding, fingerprint
from pgvigil.incident.model import Event, EventKind, Incident, Mark, Resolution, State, Transition
from pgvigil.run import Run

Change = tuple[Incident, tuple[Event, ...]]

_NOTHING = Transition()


def step(incidents: Iterable[Incident], run: Run, new_id: Callable[[], str]) -> Transition:
    """Apply one run to the incidents of its subject.

    `incidents` are those of the run's target, check and subject; resolved ones are left alone. `new_id` names
    a new incident.
    """
    live = {incident.fingerprint: incident for incident in incidents if incident.live}
    if not live and not run.findings:
        return _NOTHING
    if not run.outcome.completed:
        return _transition(_unexamined(incident, run) for incident in live.values())
    faults = _faults(run)
    return _transition(_examined(live, faults, run, new_id))


GONE = "the subject is gone from the catalog, or is no longer asked for"


def vanished(
    incidents: Iterable[Incident], at: datetime, why: Callable[[str], str] = lambda _: GONE
) -> Transition:
    """Close the live incidents of subjects that are gone from the catalog; `why` says why, by subject."""
    return _transition(
        _close(incident, at, Resolution.VANISHED, EventKind.VANISHED, why(incident.subject))
        for incident in incidents
        if incident.live
    )


def renamed(incidents: Iterable[Incident], subject: str, at: datetime) -> Transition:
    """Let incidents go on under the new name of their subject; those that are over say nothing of it."""
    return _transition(
        (
            replace(one, subject=subject),
            (Event(one.id, EventKind.RENAMED, at, f"the subject was {one.subject}"),) if one.live else (),
        )
        for one in incidents
    )


def accepted(incidents: Iterable[Incident], mark: Mark) -> Transition:
    """Note that what is seen of a subject was accepted as right; the next run no longer sees a fault."""
    return _transition(
        (one, (Event(one.id, EventKind.ACCEPTED, mark.at, "what was seen is right from now on", mark.who),))
        for one in incidents
        if one.live
    )


def acknowledge(incident: Incident, mark: Mark) -> Transition:
    """Note that somebody takes care of a live incident."""
    return _transition([_marked(replace(incident, acknowledged=mark), EventKind.ACKNOWLEDGED, mark)])


def mute(incident: Incident, mark: Mark) -> Transition:
    """Keep a live incident from notifying anybody, until the mark's time."""
    return _transition([_marked(replace(incident, muted=mark), EventKind.MUTED, mark)])


def unmute(incident: Incident, mark: Mark) -> Transition:
    """Lift the mute of an incident."""
    return _transition([_marked(replace(incident, muted=None), EventKind.UNMUTED, mark)])


def _transition(changes: Iterable[Change]) -> Transition:
    done = list(changes)
    return Transition(
        tuple(incident for incident, _ in done), tuple(event for _, events in done for event in events)
    )


def _faults(run: Run) -> dict[str, Finding]:
    """Return the run's faults by fingerprint; findings of one code are one fault, their counts add up."""
    faults: dict[str, Finding] = {}
    for finding in run.findings:
        name = fingerprint(run.check, run.subject, finding.code)
        if (known := faults.get(name)) is not None:
            worst = max(known, finding, key=lambda one: one.severity.rank)
            faults[name] = replace(worst, count=known.count + finding.count)
        else:
            faults[name] = finding
    return faults


def _examined(
    live: dict[str, Incident], faults: dict[str, Finding], run: Run, new_id: Callable[[], str]
) -> Iterator[Change]:
    for name, finding in faults.items():
        known = live.get(name)
        yield _begun(finding, run, new_id()) if known is None else _seen_again(known, finding, run)
    for name, incident in live.items():
        if name not in faults:
            yield _gone(incident, run)


def _begun(finding: Finding, run: Run, name: str) -> Change:
    incident = Incident(
        id=name,
        target=run.target,
        check=run.check,
        subject=run.subject,
        finding=finding,
        state=State.SUSPECT,
        first_seen=run.finished_at,
        last_seen=run.finished_at,
        worst_count=finding.count,
    )
    if run.confirm <= 1:
        return _opened(incident, run)
    text = f"{_sighting(finding)}, 1 of {run.confirm} runs in a row"
    return incident, (Event(name, EventKind.SUSPECTED, run.finished_at, text),)


def _seen_again(known: Incident, finding: Finding, run: Run) -> Change:
    incident = replace(
        known,
        finding=finding,
        first_seen=min(known.first_seen, run.finished_at),
        last_seen=run.finished_at,
        worst_count=max(known.worst_count, finding.count),
        sightings=known.sightings + 1,
        consecutive=known.consecutive + 1,
        unexamined_since=None,
        unexamined_reason=None,
    )
    events = _severity_events(known, incident, run)
    if incident.state is State.SUSPECT and incident.consecutive >= run.confirm:
        incident, opened = _opened(incident, run)
        return incident, (*events, *opened)
    reconfirmed = Event(incident.id, EventKind.RECONFIRMED, run.finished_at, _sighting(finding))
    return incident, (*events, reconfirmed)


def _opened(incident: Incident, run: Run) -> Change:
    text = _sighting(incident.finding)
    opened = replace(incident, state=State.OPEN, opened_at=run.finished_at)
    return opened, (Event(incident.id, EventKind.OPENED, run.finished_at, text),)


def _severity_events(before: Incident, after: Incident, run: Run) -> tuple[Event, ...]:
    change = after.severity.rank - before.severity.rank
    if change == 0:
        return ()
    kind = EventKind.ESCALATED if change > 0 else EventKind.EASED
    return (Event(after.id, kind, run.finished_at, f"{before.severity} -> {after.severity}"),)


def _gone(incident: Incident, run: Run) -> Change:
    if incident.state is State.SUSPECT:
        text = "not seen again by a completed run before it was confirmed"
        return _close(incident, run.finished_at, Resolution.UNCONFIRMED, EventKind.SUSPECT_DROPPED, text)
    text = "no longer seen by a completed run"
    return _close(incident, run.finished_at, Resolution.HEALED, EventKind.RESOLVED, text)


def _close(incident: Incident, at: datetime, resolution: Resolution, kind: EventKind, text: str) -> Change:
    closed = replace(
        incident,
        state=State.RESOLVED,
        resolution=resolution,
        resolved_at=max(at, incident.last_seen, incident.opened_at or incident.last_seen),
        consecutive=0,
        unexamined_since=None,
        unexamined_reason=None,
    )
    return closed, (Event(incident.id, kind, at, text),)


def _unexamined(incident: Incident, run: Run) -> Change:
    """Remember that the fault could not be looked at; one event for a row of such runs."""
    reason = run.error or str(run.outcome)
    since = incident.unexamined_since or run.finished_at
    changed = replace(incident, unexamined_since=since, unexamined_reason=reason)
    if incident.unexamined_since is not None:
        return changed, ()
    return changed, (Event(incident.id, EventKind.COULD_NOT_EXAMINE, run.finished_at, reason),)


def _marked(incident: Incident, kind: EventKind, mark: Mark) -> Change:
    if not incident.live:
        raise ValueError(f"incident {incident.id} is resolved")
    until = f"until {mark.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if mark.until else ""
    text = ": ".join(part for part in (until, mark.why) if part)
    return incident, (Event(incident.id, kind, mark.at, text, who=mark.who),)


def _sighting(finding: Finding) -> str:
    return f"{finding.title} ({finding.count:,})"
