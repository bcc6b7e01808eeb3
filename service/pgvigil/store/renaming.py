"""What gives subjects their new names: they keep their runs, their notes and their incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from pgvigil.catalog import oids
from pgvigil.incident import Event, Incident, State, renamed
from pgvigil.store.codec import digest, incident_of_row, status_of_row
from pgvigil.store.database import batches
from pgvigil.store.recording import save
from pgvigil.store.schema import incidents, subjects
from pgvigil.store.view import CheckKey, Delta


def renames(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Return the new names of subjects by the old ones; both are given with their lineages.

    A subject is the same when its lineage has the same oids. Where several have, nobody knows which is which.
    """
    before = _by_oids((name, text) for name, text in known.items() if found.get(name) != text)
    after = _by_oids((name, text) for name, text in found.items() if known.get(name) != text)
    pairs = ((name, after[key]) for key, name in before.items() if key in after)
    return {old: new for old, new in pairs if old != new}


def rename(
    connection: Connection, check: CheckKey, names: Mapping[int, tuple[str, str]], now: datetime
) -> tuple[tuple[Event, ...], Delta]:
    """Give subjects, by their numbers, their new names in the place of the old ones; two may swap theirs."""
    if not names:
        return (), Delta()
    events, moved = _rename_incidents(connection, check, dict(names.values()), now)
    for number in names:
        connection.execute(update(subjects).filter_by(id=number).values(digest=f"renaming {number}"))
    rows = []
    for number, (_, new) in names.items():
        change = update(subjects).filter_by(id=number).values(name=new, digest=digest(new))
        rows.append(connection.execute(change.returning(subjects)).mappings().one())
    gone = [(*check, old) for old, _ in names.values()]
    return events, Delta(subjects=[status_of_row(row) for row in rows], incidents=moved, gone_subjects=gone)


def keep_lineages(connection: Connection, lineages: Mapping[int, str]) -> None:
    """Write down what subjects are made of, by their numbers."""
    change = update(subjects).where(subjects.c.id == bindparam("number")).values(lineage=bindparam("text"))
    for batch in batches([{"number": number, "text": text} for number, text in lineages.items()]):
        connection.execute(change, batch)


def _by_oids(subjects: Iterable[tuple[str, str]]) -> dict[object, str]:
    """Return subjects by what their lineage says whatever their names; of those with the same, none."""
    found: dict[object, list[str]] = {}
    for name, text in subjects:
        if text:
            found.setdefault(oids(text), []).append(name)
    return {key: names[0] for key, names in found.items() if len(names) == 1}


def _rename_incidents(
    connection: Connection, check: CheckKey, names: Mapping[str, str], now: datetime
) -> tuple[tuple[Event, ...], list[Incident]]:
    events: list[Event] = []
    changed: list[Incident] = []
    known = _incidents(connection, check, names)
    # Under names that no fault has, so that two may swap theirs.
    live = [one.id for some in known.values() for one in some if one.state is not State.RESOLVED]
    for batch in batches(live):
        aside = update(incidents).where(incidents.c.id.in_(batch)).values(fingerprint=incidents.c.id)
        connection.execute(aside)
    for old, some in known.items():
        transition = renamed(some, names[old], now)
        save(connection, transition, some)
        events += transition.events
        changed += transition.incidents
    return tuple(events), changed


def _incidents(connection: Connection, check: CheckKey, names: Iterable[str]) -> dict[str, list[Incident]]:
    """Return all incidents of some subjects, those that are over, too; locked against other writers."""
    found: dict[str, list[Incident]] = {}
    for batch in batches(names):
        query = (
            select(incidents)
            .where(incidents.c.target == check[0], incidents.c.check == check[1])
            .where(incidents.c.digest.in_([digest(name) for name in batch]))
            .with_for_update()
        )
        for row in connection.execute(query).mappings():
            found.setdefault(row["subject"], []).append(incident_of_row(row))
    return found
