"""What the catalog says of a foreign key: constraints that do not protect, and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from psycopg import sql

from pgvigil.catalog import Catalog, Column, ForeignKey, TableKind, qualified, quote
from pgvigil.catalog.indexing import is_indexed
from pgvigil.check import Finding, JsonValue, Severity, load_sql
from pgvigil_checks.relations import column_pairs

_MOST_NAMED = 3


def unprotected(key: ForeignKey, sample: int) -> Iterator[Finding]:
    """Yield what keeps the constraint from protecting; each is critical and counts the one constraint.

    `sample` is how many objects a finding may name at the most.
    """
    finding = partial(_critical, key, sample)
    name = quote(key.name)
    mend = f"Delete or mend the rows that orphan_rows reports, then ALTER TABLE {key.child}"
    if not key.enforced:
        words = "is NOT ENFORCED: nothing keeps rows without a parent out"
        yield finding("not_enforced", words, f"{mend} ALTER CONSTRAINT {name} ENFORCED;")
    elif not key.validated:
        words = "is NOT VALID: rows from before it was added were never checked"
        yield finding("not_valid", words, f"{mend} VALIDATE CONSTRAINT {name};")
    if key.enforced and key.missing_triggers:
        yield _missing_triggers(key, sample)
    yield from _idle_triggers(key, sample)
    if not key.index_valid:
        yield _unfit_index(key, sample)


def _missing_triggers(key: ForeignKey, sample: int) -> Finding:
    unseen = [f"{event} of {table}" for table, event in key.missing_triggers]
    more = ", …" if len(unseen) > _MOST_NAMED else ""
    return _critical(
        key,
        sample,
        "triggers_missing",
        f"has lost triggers: nothing looks at {', '.join(unseen[:_MOST_NAMED])}{more}",
        f"Drop the constraint and add it again: ALTER TABLE {key.child} DROP CONSTRAINT {quote(key.name)};",
        details={"unseen": unseen[:sample]},
    )


def _unfit_index(key: ForeignKey, sample: int) -> Finding:
    consequence = "the parent's key may have duplicates, and look-ups may miss rows"
    if key.index_name:
        index = qualified(key.parent.schema, key.index_name)
        words = f"refers to the index {index}, which is invalid, or invalid in a partition: {consequence}"
        remedy = f"Remove duplicates of the parent's key, then REINDEX INDEX CONCURRENTLY {index};"
    else:
        columns = ", ".join(map(quote, key.parent_columns))
        words = f"refers to a unique index that does not exist: {consequence}"
        remedy = (
            f"Remove duplicates of the parent's key, ALTER TABLE {key.parent} ADD UNIQUE ({columns}); "
            "then drop the constraint and add it again."
        )
    return _critical(key, sample, "index_invalid", words, remedy, evidence="foreign_keys_index.sql")


_ENABLE = "As a superuser: ALTER TABLE {table} ENABLE TRIGGER {trigger}; and so on for each of the evidence."

# By what the catalog says of a trigger (TriggerState.enabled): the code, words and remedy of its finding.
_IDLE = {
    "D": ("triggers_disabled", "disabled", _ENABLE),
    "R": ("triggers_replica_only", "set to fire on replicas only", _ENABLE),
    "O": (
        "triggers_silenced",
        "silenced by session_replication_role = replica, in which this database's sessions begin",
        (
            "Take the setting back where it is (ALTER DATABASE … or ALTER ROLE ALL RESET "
            "session_replication_role; postgresql.conf), and end the sessions that began with it."
        ),
    ),
    "N": (
        "triggers_forgotten",
        "on a table that does not know of them (pg_class.relhastriggers is false)",
        "Create any trigger on {table} and drop it again: that makes the server look for triggers there.",
    ),
}


def _idle_triggers(key: ForeignKey, sample: int) -> Iterator[Finding]:
    for enabled, (code, words, remedy) in _IDLE.items():
        idle = [trigger for trigger in key.idle_triggers if trigger.enabled == enabled]
        if idle:
            yield _critical(
                key,
                sample,
                code,
                f"has {len(idle)} of {key.triggers} triggers {words}: rows pass unchecked",
                remedy.format(table=idle[0].table, trigger=quote(idle[0].name))
                + " orphan_rows reports what came in meanwhile: VALIDATE CONSTRAINT does nothing where the "
                "key is marked valid.",
                evidence="foreign_keys_triggers.sql",
                details={"triggers": [f"{one.table}/{quote(one.name)}" for one in idle[:sample]]},
            )


def notes(catalog: Catalog, key: ForeignKey, sample: int) -> Iterator[Finding]:
    """Yield what is worth knowing, and no fault; `sample` is as above."""
    if not is_indexed(catalog, key.child, key.child_columns):
        columns = ", ".join(map(quote, key.child_columns))
        # A partitioned table's indexes can't be built concurrently.
        how = "" if key.child.kind is TableKind.PARTITIONED else " CONCURRENTLY"
        yield Finding(
            code="unindexed",
            severity=Severity.INFO,
            title=f"No index of {key.child} leads with {columns}: a parent's deletion reads the whole table",
            count=1,
            remedy=f"CREATE INDEX{how} ON {key.child} ({columns});",
            evidence_sql=_evidence(key, "foreign_keys_indexes.sql"),
            sample=({"table": str(key.child), "constraint": key.name, "columns": columns},)[:sample],
        )
    differing = [
        (child, parent)
        for child, parent in column_pairs(key.child, key.child_columns, key.parent, key.parent_columns)
        if child.type != parent.type
    ]
    if differing:
        yield _types_differ(key, differing, sample)


def _types_differ(key: ForeignKey, differing: list[tuple[Column, Column]], sample: int) -> Finding:
    words = ", ".join(
        f"{child.name} is {child.type}, {parent.name} {parent.type}" for child, parent in differing
    )
    child, parent = differing[0]
    return Finding(
        code="types_differ",
        severity=Severity.INFO,
        title=f"The types of the key's columns differ: {words}",
        count=len(differing),
        remedy="If the table can be rewritten: "
        f"ALTER TABLE {key.child} ALTER COLUMN {quote(child.name)} TYPE {parent.type};",
        evidence_sql=_evidence(key, "foreign_keys_types.sql"),
        sample=tuple(
            {
                "constraint": key.name,
                "column": child.name,
                "type": child.type,
                "parent_column": parent.name,
                "parent_type": parent.type,
            }
            for child, parent in differing[:sample]
        ),
        details={child.name: {"child": child.type, "parent": parent.type} for child, parent in differing},
    )


def _critical(
    key: ForeignKey,
    sample: int,
    code: str,
    words: str,
    remedy: str,
    *,
    evidence: str = "foreign_keys_constraint.sql",
    details: Mapping[str, JsonValue] | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=Severity.CRITICAL,
        title=f"The foreign key {quote(key.name)} {words}",
        count=1,
        remedy=remedy,
        evidence_sql=_evidence(key, evidence),
        sample=({"table": str(key.child), "constraint": key.name},)[:sample],
        details=details or {},
    )


def _evidence(key: ForeignKey, name: str) -> str:
    query = load_sql("pgvigil_checks", name).format(
        child=sql.Literal(str(key.child)), name=sql.Literal(key.name)
    )
    return f"{query.as_string()};"
