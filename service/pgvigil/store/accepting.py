"""What is accepted as right of subjects: what writes and reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Update, delete, insert, select, update

from pgvigil.check import State
from pgvigil.errors import UsageError
from pgvigil.run import Run
from pgvigil.store.codec import digest
from pgvigil.store.columns import as_json
from pgvigil.store.schema import acceptances as table
from pgvigil.store.schema import equals
from pgvigil.store.view import SubjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What is accepted of a subject: since when, and by whom; None where it is what the first look saw.

    `seen` stands for what the last completed run saw, which is what a person may accept; it `differs` when
    that run found a fault in it. Of a subject that is `gone`, another one tells: to accept that takes it out.
    """

    target: str
    check: str
    subject: str
    accepted_at: datetime
    accepted_by: str | None
    seen: str
    seen_at: datetime
    differs: bool
    gone: bool = False


def keep(connection: Connection, runs: Iterable[Run]) -> None:
    """Keep what runs have seen; of a subject that nobody has seen before it is what is accepted."""
    for run in runs:
        if run.seen is None or not run.outcome.completed:
            continue
        key = run.target, run.check, run.subject
        written = sha256((as_json(run.seen) or "").encode()).hexdigest()[:32]
        known = connection.execute(_one(key).with_for_update()).mappings().one_or_none()
        now = {"seen_digest": written, "differs": False, "gone": list(run.gone) or None}
        if known is None:
            row = {
                "target": run.target,
                "check": run.check,
                "digest": digest(run.subject),
                "subject": run.subject,
                "accepted": run.seen,
                "accepted_digest": written,
                "accepted_at": run.finished_at,
                "seen_at": run.finished_at,
                **now,
            }
            connection.execute(insert(table).values(row))
            continue
        same = written == known["accepted_digest"]
        now["differs"] = not same and bool(run.findings)
        if any(known[name] != value for name, value in now.items()):
            seen = None if same else run.seen
            connection.execute(_changing(key).values(seen=seen, seen_at=run.finished_at, **now))


def accepted_states(connection: Connection, target: str, check: str) -> dict[str, State]:
    """Return what is accepted of a check, by subject."""
    query = select(table.c.subject, table.c.accepted).filter_by(target=target, check=check)
    return dict(map(tuple, connection.execute(query)))


def list_acceptances(connection: Connection, target: str | None, check: str | None) -> list[Acceptance]:
    """Return what is accepted, by target, check and subject."""
    query = select(*_BRIEF).order_by(table.c.target, table.c.check, table.c.subject)
    for column, value in ((table.c.target, target), (table.c.check, check)):
        if value is not None:
            query = query.where(equals(column, value))
    rows = connection.execute(query).mappings().all()
    gone = {(row["target"], row["check"], name) for row in rows for name in row["gone"] or ()}
    return [_of_row(row, gone=(row["target"], row["check"], row["subject"]) in gone) for row in rows]


def find(connection: Connection, key: SubjectKey) -> Acceptance | None:
    """Return what is accepted of a subject, None where nothing can be."""
    row = connection.execute(_one(key)).mappings().one_or_none()
    return _of_row(row, gone=_who_tells_the_end(connection, key) is not None) if row else None


_BRIEF = [column for column in table.c if column.name not in {"accepted", "seen", "digest"}]


def accept(connection: Connection, key: SubjectKey, who: str, at: datetime, seen: str | None) -> Acceptance:
    """Accept what the last completed run saw.

    What is gone by that is taken out. Raises UsageError when that is accepted already, or is no longer what
    `seen` stands for.
    """
    row = connection.execute(_one(key).with_for_update()).mappings().one_or_none()
    if row is None:
        raise UsageError(f"nothing is known of {key[2]} that could be accepted")
    if teller := _who_tells_the_end(connection, key):
        raise UsageError(f"{key[2]} is gone: to take it out, accept {teller}")
    if seen not in {None, row["seen_digest"]}:
        raise UsageError(f"{key[2]} has changed again since you looked: see what differs now, then accept")
    if row["seen_digest"] == row["accepted_digest"]:
        raise UsageError(f"{key[2]} is as it was accepted: there is nothing to accept")
    word = {"accepted_by": who, "accepted_at": at, "differs": False, "gone": None}
    accepting = _changing(key).values(
        accepted=table.c.seen, accepted_digest=table.c.seen_digest, seen=None, **word
    )
    connection.execute(accepting)
    for name in row["gone"] or ():
        connection.execute(delete(table).filter_by(target=key[0], check=key[1], digest=digest(name)))
    return _of_row({**row, **word})


def _who_tells_the_end(connection: Connection, key: SubjectKey) -> str | None:
    """Return the subject whose last run found that this one is gone, None where none did."""
    target, check, subject = key
    asked = equals(table.c.target, target), equals(table.c.check, check)
    query = select(table.c.subject, table.c.gone).where(*asked, table.c.gone.is_not(None))
    return next((teller for teller, gone in connection.execute(query) if subject in gone), None)


def _one(key: SubjectKey) -> Select[Any]:
    target, check, subject = key
    asked = equals(table.c.target, target), equals(table.c.check, check)
    # What somebody asks for may be no text that could be stored, and then matches nothing.
    storable = subject.encode(errors="replace").decode()
    return select(*_BRIEF).where(*asked, table.c.digest == digest(storable))


def _changing(key: SubjectKey) -> Update:
    target, check, subject = key
    return update(table).filter_by(target=target, check=check, digest=digest(subject))


def _of_row(row: RowMapping | Mapping[str, Any], *, gone: bool = False) -> Acceptance:
    return Acceptance(
        target=row["target"],
        check=row["check"],
        subject=row["subject"],
        accepted_at=row["accepted_at"],
        accepted_by=row["accepted_by"],
        seen=row["seen_digest"],
        seen_at=row["seen_at"],
        differs=row["differs"] and not gone,
        gone=gone,
    )
