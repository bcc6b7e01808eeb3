"""What writes the known subjects: those that a discovery found, and the end of those that it did not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, delete, insert, select, union, update

from pgvigil.incident import GONE, Event, Incident, vanished
from pgvigil.store import noting
from pgvigil.store.codec import check_of_row, row_of_status, status_of_row
from pgvigil.store.database import batches
from pgvigil.store.recording import add_check, live_incidents, save
from pgvigil.store.renaming import keep_lineages, rename, renames
from pgvigil.store.schema import (
    addresses,
    checks,
    deployments,
    proposals,
    subjects,
    targets,
)
from pgvigil.store.status import CheckStatus, CoverageState, SubjectStatus
from pgvigil.store.view import CheckKey, Delta, LiveIncident, SubjectKey

Why: TypeAlias = Callable[[str], str]
"""Says why a subject is gone, by its lineage; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a discovery changed: names that are new, names that are gone, and the incidents' events.

    `vanished` says why of each that is gone, `renamed` has the new names by the old ones.
    """

    added: tuple[str, ...]
    vanished: Mapping[str, str]
    renamed: Mapping[str, str]
    events: tuple[Event, ...]


def sync(
    connection: Connection, check: CheckStatus, found: Mapping[str, str], now: datetime, why: Why
) -> tuple[Synced, Delta]:
    """Make `found` the known subjects of a check, with their lineages, and its interval the known one."""
    add_check(connection, check.target, check.name)
    changed = connection.execute(
        update(checks)
        .filter_by(target=check.target, name=check.name)
        .values(interval_seconds=check.interval_seconds, discovered_at=check.discovered_at)
        .returning(checks)
    )
    check = check_of_row(changed.mappings().one())
    key = check.target, check.name
    known = _known(connection, *key)
    new_names = renames({name: text for name, (_, text) in known.items()}, found)
    taken = set(new_names.values())
    gone = {
        name: one
        for name, one in known.items()
        if name not in new_names and (name not in found or name in taken)
    }
    reasons = {name: why(text) or GONE for name, (_, text) in gone.items()}
    ended_events, ended = _end(connection, key, {name: one[0] for name, one in gone.items()}, now, reasons)
    numbered = {known[old][0]: (old, new) for old, new in new_names.items()}
    renamed_events, moved = rename(connection, key, numbered, now)
    kept = {new_names.get(name, name): one for name, one in known.items() if name not in gone}
    keep_lineages(
        connection,
        {number: found[name] for name, (number, text) in kept.items() if found[name] not in {"", text}},
    )
    added = [
        SubjectStatus(target=check.target, check=check.name, name=name) for name in found if name not in kept
    ]
    _add(connection, added, found)
    synced = Synced(tuple(one.name for one in added), reasons, new_names, (*ended_events, *renamed_events))
    return synced, Delta(
        checks=[check],
        subjects=[*moved.subjects, *added],
        incidents=[*ended.incidents, *moved.incidents],
        gone_subjects=[*ended.gone_subjects, *moved.gone_subjects],
    )


def _add(connection: Connection, added: Iterable[SubjectStatus], lineages: Mapping[str, str]) -> None:
    for batch in batches(added):
        rows = [row_of_status(one) | {"lineage": lineages[one.name]} for one in batch]
        # RETURNING makes one statement of the batch on both databases.
        connection.execute(insert(subjects).returning(subjects.c.id), rows)


def reach(connection: Connection, target: str, address: str) -> tuple[bool, Delta]:
    """Note the address of a target; at a new one, nothing that passed is known to be so any more.

    What failed goes on doing so until it is examined, and every check is due.
    """
    before = connection.scalar(select(addresses.c.digest).filter_by(target=target))
    if before == address:
        return False, Delta()
    connection.execute(delete(addresses).filter_by(target=target))
    connection.execute(insert(addresses).values(target=target, digest=address))
    # There the same oids are those of something else.
    connection.execute(update(proposals).filter_by(target=target).values(traces=None))
    if before is None:
        return True, Delta()
    noting.forget(connection, target)
    connection.execute(update(subjects).filter_by(target=target).values(lineage=""))
    doubted = (
        update(subjects)
        .filter_by(target=target, state=CoverageState.PASSED.value)
        .values(state=CoverageState.UNKNOWN.value)
        .returning(subjects)
    )
    due = update(checks).filter_by(target=target).values(swept_at=None).returning(checks)
    return True, Delta(
        subjects=[status_of_row(row) for row in connection.execute(doubted).mappings()],
        checks=[check_of_row(row) for row in connection.execute(due).mappings()],
    )


def swept(connection: Connection, target: str, check: str, began_at: datetime) -> Delta:
    """Note that a sweep came to its end."""
    ended = update(checks).filter_by(target=target, name=check).values(swept_at=began_at).returning(checks)
    return Delta(checks=[check_of_row(row) for row in connection.execute(ended).mappings()])


def retire(connection: Connection, configured: Collection[CheckKey], now: datetime) -> Delta:
    """Forget the checks that are no longer configured, their subjects, and targets without a check.

    What people decided and accepted is kept: a target that is left out today may be back tomorrow.
    """
    listed = connection.execute(select(checks.c.target, checks.c.name)).all()
    gone_checks = [(target, name) for target, name in listed if (target, name) not in configured]
    incidents: list[Incident | LiveIncident] = []
    gone_subjects: list[SubjectKey] = []
    for target, name in gone_checks:
        known = {one: number for one, (number, _) in _known(connection, target, name).items()}
        reasons = dict.fromkeys(known, "its check is no longer configured")
        _, ended = _end(connection, (target, name), known, now, reasons)
        incidents += ended.incidents
        gone_subjects += ended.gone_subjects
        connection.execute(delete(checks).filter_by(target=target, name=name))
    kept = {target for target, _ in configured}
    named = union(select(targets.c.name), select(deployments.c.target))
    gone_targets = [name for name in connection.scalars(named) if name not in kept]
    connection.execute(delete(targets).where(targets.c.name.in_(gone_targets)))
    connection.execute(delete(deployments).where(deployments.c.target.in_(gone_targets)))
    connection.execute(delete(addresses).where(addresses.c.target.not_in(kept)))
    undecided = proposals.c.target.not_in(kept), proposals.c.decision.is_(None)
    connection.execute(delete(proposals).where(*undecided))
    return Delta(
        incidents=incidents, gone_subjects=gone_subjects, gone_checks=gone_checks, gone_targets=gone_targets
    )


def _known(connection: Connection, target: str, check: str) -> dict[str, tuple[int, str]]:
    """Return the numbers and lineages of a check's subjects."""
    query = (
        select(subjects.c.name, subjects.c.id, subjects.c.lineage)
        .filter_by(target=target, check=check)
        .order_by(subjects.c.id)
    )
    return {name: (number, text) for name, number, text in connection.execute(query)}


def _end(
    connection: Connection,
    check: CheckKey,
    gone: Mapping[str, int],
    now: datetime,
    reasons: Mapping[str, str],
) -> tuple[tuple[Event, ...], Delta]:
    """Remove subjects with their runs, and close their incidents."""
    incidents: list[Incident] = []
    events: list[Event] = []
    for batch in batches(gone):
        known = live_incidents(connection, *check, batch)
        transition = vanished(known, now, lambda name: reasons[name])
        save(connection, transition, known)
        incidents += transition.incidents
        events += transition.events
        connection.execute(delete(subjects).where(subjects.c.id.in_([gone[name] for name in batch])))
    return tuple(events), Delta(incidents=incidents, gone_subjects=[(*check, name) for name in gone])
