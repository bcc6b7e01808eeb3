"""What `orphan_rows` says of the rows that it finds: titles, samples, evidence, remedies."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from psycopg import sql

from pgvigil.catalog import KEPT_SCHEMA
from pgvigil.check import Context, Finding, Severity
from pgvigil_checks.orphans.planning import Way, fetch_without
from pgvigil_checks.orphans.strategy import query
from pgvigil_checks.references import Reference


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of rows at fault: the condition that tells them, and what to say of them."""

    code: str
    condition: sql.Composed
    title: str
    remedy: str
    """What mends it without a loss."""


def orphans(reference: Reference, count: int) -> Fault:
    """Return the fault of rows whose parent does not exist."""
    condition = reference.orphan
    return Fault(
        code="orphans",
        condition=condition,
        title=f"{_rows(count)} of {reference.child} without a parent in {reference.parent}",
        remedy=f"Restore the missing rows of {reference.parent}.",
    )


def partial_nulls(reference: Reference, count: int) -> Fault:
    """Return the fault of rows that MATCH FULL forbids."""
    condition = reference.partial
    return Fault(
        code="partial_nulls",
        condition=condition,
        title=f"{_rows(count)} of {reference.child} with a MATCH FULL reference that is NULL in part",
        remedy="Complete the references.",
    )


def _rows(count: int) -> str:
    return f"{count} row{'s' if count > 1 else ''}"


def _let_go(reference: Reference, fault: Fault, rows: object) -> str:
    """Say how to set the references to NULL, or delete the rows where that can't be; a copy is kept first."""
    nullable = [child.name for child, _ in reference.columns if not child.not_null]
    if len(nullable) == len(reference.columns) and not any(child.generated for child, _ in reference.columns):
        # A column may refer twice, to two columns of the parent, but be set only once.
        columns = dict.fromkeys(nullable)
        nulls = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in columns)
        what = f"Else set the references to NULL, which keeps the rows of {reference.child}"
        change = sql.SQL("UPDATE {} AS c SET {}").format(reference.child_rows, nulls)
    else:
        cascade = "what refers to them ON DELETE CASCADE goes too, without a copy"
        what = f"Else DELETE THE ROWS of {reference.child}, as their references cannot be NULL ({cascade})"
        change = sql.SQL("DELETE FROM {} AS c").format(reference.child_rows)
    # Both see one snapshot, so that nothing goes without being copied; what fails undoes all of it.
    block = query("let_go.sql").format(
        schema=sql.Identifier(KEPT_SCHEMA),
        copy=sql.Identifier(KEPT_SCHEMA, f"{fault.code}_{_mark(reference, rows)}"),
        child=reference.child_rows,
        change=change,
        fault=fault.condition,
    )
    how = f"A copy goes to the schema {KEPT_SCHEMA}, which is not watched; all of it is done, or nothing"
    return f"{what}. {how}:\n{block.as_string()};"


def _mark(reference: Reference, rows: object) -> str:
    """Return what neither another relation has in the name of its copy, nor other rows of this one."""
    pairs = [(child.name, parent.name) for child, parent in reference.columns]
    told = ascii((str(reference.child), str(reference.parent), pairs, rows))
    return sha256(told.encode()).hexdigest()[:12]


def finding(
    context: Context, reference: Reference, fault: Fault, count: int, among: sql.Composed | None
) -> Finding:
    """Return a finding with its sample; `among` narrows down where the rows are, if that is known."""
    rows = _rows_at_fault(reference, fault.condition)
    context.pause()
    sampled = rows if among is None else _rows_at_fault(reference, _both(among, fault.condition))
    limited = sql.SQL("{} LIMIT {}").format(sampled, sql.Literal(context.sample))
    # The server expects many rows at fault, and to have the few of a sample at once by looking for each.
    without: tuple[Way, ...] = ("nestloop",) if among is None and not reference.period else ()
    sample = tuple(fetch_without(context, limited, *without))
    return Finding(
        code=fault.code,
        severity=Severity.CRITICAL,
        title=fault.title,
        count=count,
        remedy=f"{fault.remedy} {_let_go(reference, fault, (count, sample))}",
        evidence_sql=f"{rows.as_string()};",
        sample=sample,
    )


def _rows_at_fault(reference: Reference, condition: sql.Composed) -> sql.Composed:
    return query("rows.sql").format(
        columns=sql.SQL(", ").join(sql.Identifier("c", name) for name in reference.naming_columns),
        child=reference.child_rows,
        fault=condition,
    )


def _both(first: sql.Composed, second: sql.Composed) -> sql.Composed:
    return sql.SQL("{} AND {}").format(first, second)
