"""What `schema_drift` says of changes: one finding for what is gone, what is different, and what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import sql

from pgvigil.catalog import Change, ChangeKind, quote
from pgvigil.check import Finding, Severity, load_sql
from pgvigil_checks.schema_drift_news import News

_MOST_TOLD = 200

_ACCEPT = "If it was meant so, accept the schema as it is: pgvigil schema accept"


def changed_tables(schema: str, changes: Sequence[Change], news: News, sample: int) -> tuple[Finding, ...]:
    """Return what became of a schema."""
    lost = [one for one in changes if one.loses]
    new = [one for one in changes if one.kind is ChangeKind.ADDED]
    different = [one for one in changes if not one.loses and one.kind is not ChangeKind.ADDED]
    return tuple(_findings(schema, {"lost": lost, "changed": different, "new": new}, news, sample))


def changed_schemas(gone: Sequence[str], new: Sequence[str], news: News, sample: int) -> tuple[Finding, ...]:
    """Return which schemas are gone, and which are new."""
    findings = []
    if gone:
        announced = news.announced(f"schema {one} removed" for one in gone)
        findings.append(_of_schemas("schemas_lost", gone, _SEVERITIES["lost"][announced], sample))
    if new:
        findings.append(_of_schemas("schemas_new", new, Severity.INFO, sample))
    return tuple(findings)


_SEVERITIES = {
    "lost": (Severity.CRITICAL, Severity.WARNING),
    "changed": (Severity.WARNING, Severity.INFO),
    "new": (Severity.INFO, Severity.INFO),
}
"""How bad it is: unannounced, and announced by a deployment."""


def _findings(schema: str, changes: dict[str, list[Change]], news: News, sample: int) -> Iterator[Finding]:
    for code, some in changes.items():
        if some:
            announced = code != "new" and news.announced(some)
            yield _finding(schema, code, some, announced, sample)


def _finding(schema: str, code: str, changes: Sequence[Change], announced: bool, sample: int) -> Finding:
    tables = sorted({str(change.table) for change in changes})
    evidence = load_sql("pgvigil_checks", "schema_drift_evidence.sql").format(tables=sql.Literal(tables))
    told = [str(change) for change in changes[:_MOST_TOLD]]
    return Finding(
        code=code,
        severity=_SEVERITIES[code][announced],
        title=_title(schema, code, len(changes)),
        count=len(changes),
        remedy=f"{_ACCEPT} {quote(schema)}\n{_UNDO[code]}",
        evidence_sql=f"{evidence.as_string()};",
        sample=tuple({"change": one} for one in told[:sample]),
        details={"changes": told, "announced by a deployment": announced},
    )


_UNDO = {
    "lost": "Else restore what is gone, or declare it again; what was there before is in the sample.",
    "changed": "Else change it back; what was there before is in the sample.",
    "new": "Else find out who made it, and drop it.",
}


def _title(schema: str, code: str, count: int) -> str:
    parts = f"{count:,} parts" if count > 1 else "1 part"
    verb = "are" if count > 1 else "is"
    said = {"lost": "gone", "changed": "not as accepted", "new": "new"}[code]
    return f"{parts} of schema {quote(schema)} {verb} {said}"


def _of_schemas(code: str, schemas: Sequence[str], severity: Severity, sample: int) -> Finding:
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
        remedy=f"{_ACCEPT} 'all schemas'\n"
        + ("Else restore it from a backup." if gone else "Else find out who made it, and drop it."),
        evidence_sql=f"{evidence.as_string()};",
        sample=tuple({"schema": quote(one)} for one in schemas[:sample]),
    )
