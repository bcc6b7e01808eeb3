"""Whether tables are still what the catalog says, which was read at the start of the sweep."""

from __future__ import annotations

from psycopg import sql

from pgvigil.catalog import Table
from pgvigil.check import Context, Skipped, load_sql


def changed(context: Context, *tables: Table) -> Skipped | None:
    """Tell that what was just read is not what the catalog meant; None when it is.

    To be asked after the tables were read. They are locked since then: what holds now held at the reading.
    """
    rows = context.fetch(
        load_sql("pgvigil_checks", "changes.sql").format(
            oids=sql.Literal([table.oid for table in tables]),
            names=sql.Literal([str(table) for table in tables]),
            kinds=sql.Literal([str(table.kind) for table in tables]),
            parents=sql.Literal([table.has_children for table in tables]),
        )
    )
    return Skipped(f"{rows[0]['name']} was changed while pgvigil looked at it") if rows else None
