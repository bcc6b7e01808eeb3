"""Whether the keys and NOT NULL constraints that the catalog knows are still in force, as of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from pgvigil.catalog import Table
from pgvigil.check import Context, Query, Row, Skipped, load_sql


def changed_constraints(context: Context, *tables: Table) -> Skipped | None:
    """Tell which table lost a key or NOT NULL that the catalog knows; None when all are still in force."""
    return why_changed(context.fetch(changed_constraints_query(*tables)))


def changed_constraints_query(*tables: Table) -> Query:
    """Return the query of `changed_constraints`, whose rows `why_changed` understands."""
    keys = [
        (str(table), index.oid)
        for table in tables
        for index in table.indexes
        if index.name in {key.index for key in table.keys}
    ]
    columns = [(table, column.number) for table in tables for column in table.columns if column.not_null]
    return load_sql("pgvigil_checks", "changes_constraints.sql").format(
        key_tables=sql.Literal([name for name, _ in keys]),
        keys=sql.Literal([oid for _, oid in keys]),
        column_tables=sql.Literal([str(table) for table, _ in columns]),
        oids=sql.Literal([table.oid for table, _ in columns]),
        numbers=sql.Literal([number for _, number in columns]),
    )


def why_changed(rows: Sequence[Row]) -> Skipped | None:
    """Tell which table is not what the catalog says; None when they all are."""
    return Skipped(f"{rows[0]['name']} was changed while pgvigil looked at it") if rows else None
