"""What writes the known subjects: those that a discovery found, and the end of those that it did not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, union, update

from pgvigil.incident import Event, Incident, vanished
from pgvigil.store import noting
from pgvigil.store.codec import check_of_row, row_of_status, status_of_row
from pgvigil.store.database import batches
from pgvigil.store.recording import add_check, live_incidents, save
from pgvigil.store.schema import acceptances, addresses, checks, deployments, subjects, targets
from pgvigil.store.status import CheckStatus, CoverageState, SubjectStatus
from pgvigil.store.view import CheckKey, Delta, LiveIncident, SubjectKey


@dataclass(frozen=True, slots=True)
class Synced:
    """What a discovery changed: names that are new, names that are gone, and the incidents' events."""

    added: tuple[str, ...]
    vanished: tuple[str, ...]
    events: tuple[Event, ...]


def sync(
    connection: Connection, check: CheckStatus, names: Iterable[str], now: datetime
) -> tuple[Synced, Delta]:
    """Make the names the known subjects of a check, and its interval the known one."""
    add_check(connection, check.target, check.name)
    changed = connection.execute(
        update(checks)
        .filter_by(target=check.target, name=check.name)
        .values(interval_seconds=check.interval_seconds, discovered_at=check.discovered_at)
        .returning(checks)
    )
    check = check_of_row(changed.mappings().one())
    known = _known(connection, check.target, check.name)
    found = dict.fromkeys(names)
    added = [
        SubjectStatus(target=check.target, check=check.name, name=name) for name in found if name not in known
    ]
    for batch in batches(added):
        # RETURNING makes one statement of the batch on both databases.
        connection.execute(insert(subjects).returning(subjects.c.id), [row_of_status(one) for one in batch])
    gone = {name: key for name, key in known.items() if name not in found}
    events, ended = _end(connection, (check.target, check.name), gone, now)
    synced = Synced(tuple(one.name for one in added), tuple(gone), events)
    return synced, Delta(
        checks=[check],
        subjects=added,
        incidents=ended.incidents,
        gone_subjects=ended.gone_subjects,
    )


def reach(connection: Connection, target: str, address: str) -> tuple[bool, Delta]:
    """Note the address of a target; at a new one, nothing that passed is known to be so any more.

    What failed goes on doing so until it is examined, and every check is due.
    """
    before = connection.scalar(select(addresses.c.digest).filter_by(target=target))
    if before == address:
        return False, Delta()
    connection.execute(delete(addresses).filter_by(target=target))
    connection.execute(insert(addresses).values(target=target, digest=address))
    if before is None:
        return True, Delta()
    noting.forget(connection, target)
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
    """Forget the checks that are no longer configured, their subjects, and targets without a check."""
    listed = connection.execute(select(checks.c.target, checks.c.name)).all()
    gone_checks = [(target, name) for target, name in listed if (target, name) not in configured]
    incidents: list[Incident | LiveIncident] = []
    gone_subjects: list[SubjectKey] = []
    for target, name in gone_checks:
        _, ended = _end(connection, (target, name), _known(connection, target, name), now)
        incidents += ended.incidents
        gone_subjects += ended.gone_subjects
        connection.execute(delete(checks).filter_by(target=target, name=name))
    kept = {target for target, _ in configured}
    named = union(select(targets.c.name), select(deployments.c.target))
    gone_targets = [name for name in connection.scalars(named) if name not in kept]
    connection.execute(delete(targets).where(targets.c.name.in_(gone_targets)))
    connection.execute(delete(deployments).where(deployments.c.target.in_(gone_targets)))
    for table in (addresses, acceptances):
        connection.execute(delete(table).where(table.c.target.not_in(kept)))
    return Delta(
        incidents=incidents, gone_subjects=gone_subjects, gone_checks=gone_checks, gone_targets=gone_targets
    )


def _known(connection: Connection, target: str, check: str) -> dict[str, int]:
    query = (
        select(subjects.c.name, subjects.c.id).filter_by(target=target, check=check).order_by(subjects.c.id)
    )
    return dict(map(tuple, connection.execute(query)))


def _end(
    connection: Connection, check: CheckKey, gone: dict[str, int], now: datetime
) -> tuple[tuple[Event, ...], Delta]:
    """Remove subjects with their runs, and close their incidents."""
    incidents: list[Incident] = []
    events: list[Event] = []
    for batch in batches(gone):
        known = live_incidents(connection, *check, batch)
        transition = vanished(known, now)
        save(connection, transition, known)
        incidents += transition.incidents
        events += transition.events
        connection.execute(delete(subjects).where(subjects.c.id.in_([gone[name] for name in batch])))
    return tuple(events), Delta(incidents=incidents, gone_subjects=[(*check, name) for name in gone])
