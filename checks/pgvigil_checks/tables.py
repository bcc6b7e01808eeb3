"""The check `tables`: every table can be read, and its unique indexes are in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from pgvigil.catalog import Catalog, Index, Table, TableKind, qualified
from pgvigil.check import (
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Params,
    Severity,
    Skipped,
    Subject,
    Verdict,
    load_sql,
)
from pgvigil_checks.foreign_parts import why_unexaminable
from pgvigil_checks.references import table_name

_TOGETHER = 100


class Tables(Check[Params]):
    """Tables that pgvigil cannot read, and unique indexes that are not in force.

    Proves: that the role may read the table in full (SELECT is granted on all of it, no row-level security
        policy stands in the way), and that no unique index of it or of its partitions is invalid. An index
        that a failed CREATE UNIQUE INDEX CONCURRENTLY left behind looks like a guarantee and gives none.
    Cost: one row of the table, and one look at the locks when there is an invalid index.
    False positives: none; while an index may still be under construction the table is unknown. An index that
        a watched foreign key refers to is left to the check foreign_keys.
    Remedy: grant SELECT (and BYPASSRLS where there are policies); remove duplicates and REINDEX the index
        CONCURRENTLY, or drop it.
    """

    name = "tables"
    params_type = Params

    def discover(self, catalog: Catalog) -> Discovery:
        """Return every table that is watched; partitions are judged with their root."""
        return Discovery(
            tuple(
                Subject(
                    str(table),
                    payload=table,
                    unexaminable=why_unexaminable(catalog, table),
                    objects=(table,),
                )
                for table in catalog.watched_tables()
            )
        )

    def batches(self, subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
        """Look at many together: a row of each is next to nothing."""
        return (subjects[at : at + _TOGETHER] for at in range(0, len(subjects), _TOGETHER))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Read one row, and look for unique indexes that are not in force."""
        table: Table = subject.payload
        query = load_sql("pgvigil_checks", "tables_read.sql")
        first = context.fetch(query.format(table=table_name(table), oid=sql.Literal(table.oid)))[0]
        if not first["in_full"]:
            return Skipped("only some of its columns may be read: grant SELECT on the table")
        read = first["rows"]
        invalid = _invalid_unique_indexes(context.catalog, table)
        if not invalid:
            return Examined(rows_examined=read, strategy="first row")
        owners = sorted({owner.oid for owner, _ in invalid})
        if context.fetch(load_sql("pgvigil_checks", "tables_maintained.sql"), {"tables": owners}):
            return Skipped("a unique index is invalid, and may be under construction at the moment")
        finding = _finding(invalid, context.sample)
        return Examined(findings=(finding,), rows_examined=read, strategy="first row")


def _invalid_unique_indexes(catalog: Catalog, table: Table) -> list[tuple[Table, Index]]:
    """Return the invalid unique indexes of a table and its partitions, but for those of watched keys."""
    referenced = {(key.parent.oid, key.index_name) for key in catalog.watched_foreign_keys()}
    return [
        (owner, index)
        for owner in _with_partitions(catalog, table)
        for index in owner.indexes
        if index.unique and not index.valid and (owner.oid, index.name) not in referenced
    ]


def _with_partitions(catalog: Catalog, root: Table) -> list[Table]:
    if root.kind is not TableKind.PARTITIONED:
        return [root]
    tree = [root]
    for table in tree:
        tree += [part for part in catalog.tables if part.partition_of == table.oid]
    return tree


def _finding(invalid: list[tuple[Table, Index]], sample: int) -> Finding:
    names = [qualified(owner.schema, index.name) for owner, index in invalid]
    some = "a unique index is" if len(names) == 1 else f"{len(names)} unique indexes are"
    return Finding(
        code="unique_not_in_force",
        severity=Severity.WARNING,
        title=f"{some} invalid: duplicates are possible",
        count=len(names),
        remedy="\n".join(
            f"REINDEX INDEX CONCURRENTLY {name};  -- after its duplicates are removed; or drop it"
            for name in names
        ),
        evidence_sql=_evidence(invalid),
        sample=tuple({"index": name} for name in names[:sample]),
    )


def _evidence(invalid: list[tuple[Table, Index]]) -> str:
    oids = ", ".join(str(index.oid) for _, index in invalid)
    return (
        "SELECT indrelid::regclass AS table, indexrelid::regclass AS index, indisvalid, indisready\n"
        f"FROM pg_catalog.pg_index\nWHERE indexrelid IN ({oids})"
    )
