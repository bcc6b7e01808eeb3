"""What `schema_drift` says of changes: one finding for what is gone, what is different, and what is new."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from psycopg import sql

from pgvigil.catalog import Change, ChangeKind, Part, quote
from pgvigil.check import Context, Finding, Severity, load_sql
from pgvigil_checks.schema_drift_news import News

ALL_SCHEMAS = "all schemas"
"""The subject that stands for which schemas there are. A schema of this name would be quoted."""

_MOST_TOLD = 200


def changed_tables(
    context: Context, schema: str, changes: Sequence[Change], news: News
) -> tuple[Finding, ...]:
    """Return what became of a schema."""
    lost = [one for one in changes if one.loses]
    new = [one for one in changes if one.kind is ChangeKind.ADDED]
    different = [one for one in changes if not one.loses and one.kind is not ChangeKind.ADDED]
    return tuple(_findings(context, schema, {"lost": lost, "changed": different, "new": new}, news))


def changed_schemas(
    context: Context, gone: Sequence[str], new: Sequence[str], news: News
) -> tuple[Finding, ...]:
    """Return which schemas are gone, and which are new."""
    findings = []
    if gone:
        announced = news.announced(f"schema {one} removed" for one in gone)
        findings.append(_of_schemas(context, "schemas_lost", gone, _SEVERITIES["lost"][announced]))
    if new:
        findings.append(_of_schemas(context, "schemas_new", new, Severity.INFO))
    return tuple(findings)


_SEVERITIES = {
    "lost": (Severity.CRITICAL, Severity.WARNING),
    "changed": (Severity.WARNING, Severity.INFO),
    "new": (Severity.INFO, Severity.INFO),
}
"""How bad it is: unannounced, and announced by a deployment."""


def _findings(
    context: Context, schema: str, changes: dict[str, list[Change]], news: News
) -> Iterator[Finding]:
    for code, some in changes.items():
        if some:
            announced = code != "new" and news.announced(some)
            yield _finding(context, schema, code, some, announced=announced)


def _finding(
    context: Context, schema: str, code: str, changes: Sequence[Change], *, announced: bool
) -> Finding:
    tables = sorted({str(change.table) for change in changes})
    evidence = load_sql("pgvigil_checks", "schema_drift_evidence.sql").format(tables=sql.Literal(tables))
    told = [str(change) for change in changes[:_MOST_TOLD]]
    return Finding(
        code=code,
        severity=_SEVERITIES[code][announced],
        title=_title(schema, code, changes),
        count=len(changes),
        remedy=f"{_accepting(context.target, quote(schema))}\n{_UNDO[code]}",
        evidence_sql=f"{evidence.as_string()};",
        sample=tuple({"change": one} for one in told[: context.sample]),
        details={"changes": told, "announced by a deployment": announced},
    )


_UNDO = {
    "lost": "Else restore what is gone, or declare it again; what was there before is in the sample, but for "
    "expressions.",
    "changed": "Else change it back; what was there before is in the sample, but for expressions.",
    "new": "Else find out who made it, and drop it.",
}


_SAID = {"lost": "Gone from", "changed": "Not as accepted in", "new": "New in"}
_FOREMOST = (Part.TABLE, Part.COLUMN, Part.CONSTRAINT)


def _title(schema: str, code: str, changes: Sequence[Change]) -> str:
    """Name what weighs most: a table before its columns, a column before what protects it."""
    foremost = min(changes, key=_rank)
    more = f", and {len(changes) - 1:,} more" if len(changes) > 1 else ""
    return f"{_SAID[code]} schema {quote(schema)}: {foremost.what}{more}"


def _rank(change: Change) -> int:
    return _FOREMOST.index(change.part) if change.part in _FOREMOST else len(_FOREMOST)


def _accepting(target: str, subject: str) -> str:
    """Say how to accept a subject, in words for a shell: any name may be that of a schema."""
    command = shlex.join(["pgvigil", "schema", "accept", "--target", target, subject])
    return f"If it was meant so, accept what is there: {command}"


def _of_schemas(context: Context, code: str, schemas: Sequence[str], severity: Severity) -> Finding:
    names = ", ".join(map(quote, schemas[:10])) + (" and more" if len(schemas) > 10 else "")
    word, verb = ("Schemas", "are") if len(schemas) > 1 else ("Schema", "is")
    evidence = load_sql("pgvigil_checks", "schema_drift_schemas.sql").format(
        schemas=sql.Literal(list(schemas))
    )
    gone = code == "schemas_lost"
    return Finding(
        code=code,
        severity=severity,
        title=f"{word} {names} {verb} {'gone' if gone else 'new'}",
        count=len(schemas),
        remedy=f"{_accepting(context.target, ALL_SCHEMAS)}\n"
        + ("Else restore it from a backup." if gone else "Else find out who made it, and drop it."),
        evidence_sql=f"{evidence.as_string()};",
        sample=tuple({"schema": quote(one)} for one in schemas[: context.sample]),
        details={
            "changes": [
                f"schema {quote(one)} {'removed' if gone else 'added'}" for one in schemas[:_MOST_TOLD]
            ]
        },
    )
