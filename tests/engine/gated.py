"""A check that sees every change of its tables, behind the change gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from pgvigil.check import Check, Discovery, Examined, Finding, Params, Severity, Subject
from tests.engine.world import World, watch_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgvigil.catalog import Catalog, Table
    from pgvigil.check import Context, Verdict
    from pgvigil.clock import Clock
    from pgvigil.store import Store

QUIET = {
    # Nothing but the test writes: neither checkpoints and autovacuum by the clock, nor records for standbys.
    "autovacuum": "off",
    "checkpoint_timeout": "1d",
    "max_prepared_transactions": "20",
    "max_wal_senders": "0",
    "wal_level": "minimal",
}

# Every row, as text, takes part, and with it every column and its type.
_CONTENT = """
SELECT count(*) AS rows, coalesce(sum(abs(hashtextextended(t::text, 0) % 1000000007)), 0)::bigint AS content,
       count(*) FILTER (WHERE id < 0) AS faults
FROM {} AS t
"""


class Content(Check[Params]):
    """Tells what each table holds; a row with a negative id is a fault."""

    name = "content"

    def __init__(self, params: Params | None = None, *, confirm: int = 1) -> None:
        super().__init__(params or Params())
        self.confirm = confirm

    def discover(self, catalog: Catalog) -> Discovery:
        tables = [table for table in catalog.watched_tables() if table.column("id")]
        return Discovery(tuple(map(self.subject, tables)))

    def subject(self, table: Table) -> Subject:
        return Subject(str(table), table, confirm=self.confirm, reads=(table,))

    def run(self, context: Context, subject: Subject) -> Verdict:
        table = subject.payload
        (row,) = context.fetch(sql.SQL(_CONTENT).format(sql.Identifier(table.schema, table.name)))
        fault = Finding(
            code="negative",
            severity=Severity.CRITICAL,
            title="Negative",
            count=row["faults"] or 1,
            remedy="Mend.",
        )
        return Examined(
            findings=(fault,) if row["faults"] else (),
            measures={"rows": row["rows"], "content": row["content"]},
        )


class GatedWorld(World):
    """An engine behind the gate on one database, and what its ticks did."""

    def __init__(
        self,
        store: Store,
        dsn: str,
        check: Check[Params] | None = None,
        *,
        full_every: float | None = 86_400.0,
        clock: Clock | None = None,
    ) -> None:
        self.check = check or Content()
        watch = replace(watch_of(dsn, self.check, clock=clock), full_every=full_every)  # type: ignore[arg-type]
        super().__init__(store, [watch], clock)

    def ticked(self) -> dict[str, str]:
        """Tick, and return by subject whether it was `examined` or `spared`."""
        before = {stored.id for stored in self.store.runs()}
        spared = self.counted("pgvigil_runs_spared_total")
        self.engine.tick("main", self.check.name)
        examined = {stored.run.subject for stored in self.store.runs() if stored.id not in before}
        known = [key[2] for key in self.store.view().subjects]
        assert self.counted("pgvigil_runs_spared_total") - spared == len(known) - len(examined)
        return {name: "examined" if name in examined else "spared" for name in known}

    def held(self) -> dict[str, Mapping[str, int]]:
        """Return what is known of each subject, by name."""
        return {key[2]: status.measures for key, status in self.store.view().subjects.items()}


def content(connection: psycopg.Connection, name: str) -> dict[str, int]:
    """Return what a table really holds."""
    connection.execute("SET timezone = 'UTC'")
    schema, table = name.split(".")
    row = connection.execute(sql.SQL(_CONTENT).format(sql.Identifier(schema, table))).fetchone()
    assert row is not None
    return {"rows": row[0], "content": row[1]}
