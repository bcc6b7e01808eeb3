"""A plugin as anybody may write it."""

from __future__ import annotations

from psycopg import sql
from pydantic import Field

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Context, Discovery, Examined, Finding, Params, Severity, Subject

print("a plugin may be talkative")  # noqa: T201 - it is what a test looks for


class EmptyTablesParams(Params):
    """Settings of empty_tables."""

    at_least: int = Field(default=1, ge=1, description="The number of rows that a table must have.")


class EmptyTables(Check[EmptyTablesParams]):
    """Finds tables without rows.

    Proves: that every watched table has at least as many rows as it should.
    Cost: reads that many rows of each table.
    False positives: tables that are meant to be empty.
    Remedy: load the table.
    """

    name = "empty_tables"
    params_type = EmptyTablesParams

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery(tuple(Subject(str(table), payload=table) for table in catalog.watched_tables()))

    def run(self, context: Context, subject: Subject) -> Examined:
        table = sql.Identifier(subject.payload.schema, subject.payload.name)
        query = sql.SQL("SELECT count(*) AS rows FROM (SELECT FROM {} LIMIT {}) AS t")
        rows = context.fetch(query.format(table, self.params.at_least))[0]["rows"]
        if rows >= self.params.at_least:
            return Examined(rows_examined=rows)
        lacking = Finding(
            code="too_few",
            severity=Severity.WARNING,
            title="too few rows",
            count=self.params.at_least - rows,
            remedy="load the table",
        )
        return Examined(findings=(lacking,), rows_examined=rows)
