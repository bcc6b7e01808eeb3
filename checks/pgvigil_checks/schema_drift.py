"""The check `schema_drift`: schemas that are no longer as they were accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from pydantic import Field

from pgvigil.catalog import (
    Catalog,
    SchemaState,
    Scope,
    compare_schemas,
    constraints_query,
    made_state,
    quote,
    unquote,
)
from pgvigil.check import (
    Batch,
    Check,
    Context,
    Discovery,
    Examined,
    Params,
    Subject,
    Verdict,
)
from pgvigil.timing import Interval
from pgvigil_checks.schema_drift_findings import ALL_SCHEMAS, changed_schemas, changed_tables
from pgvigil_checks.schema_drift_news import News

Payload: TypeAlias = str | None
"""A schema; None for all of them together."""

# Of everything, whatever is watched: what moves out of sight is not gone.
_EVERYTHING = Scope()


class SchemaDriftParams(Params):
    """Settings of `schema_drift`."""

    announced: Interval = Field(
        default=timedelta(hours=1),
        description="For how long after a deployment was marked a change counts as announced by it, and is "
        "taken less seriously.",
    )


class SchemaDrift(Check[SchemaDriftParams]):
    """Schemas that are no longer as they were accepted.

    Proves: that a schema is as it was accepted: by a person (`pgvigil schema accept`, or a click in the
        console), or before that by the first look. One subject more tells of schemas that are gone as a
        whole.

        - Compared are tables, views, columns, types, NOT NULL, identities, constraints, unique indexes
          (partial ones and those of expressions as well), row-level security, UNLOGGED and owners.
        - A table, column or protection that is gone is critical, what is different a warning, what is new a
          note. What changed within an hour after a deployment was marked (`announced`) is a step less
          serious.
        - A column that was dropped and added again is a warning, for its values are gone; a table that was is
          none, for rebuilds do that every night.
        - What was renamed is followed by its oid, or its number in the table; a table that became a partition
          is told as attached.
        - The expressions of CHECK, EXCLUDE, unique indexes and generated columns are compared within a major
          version of PostgreSQL, and as long as the table, the columns that they read, and the functions and
          types that they use, are the same ones: not after these were made anew, as by a restore.
        - Not looked at: defaults, privileges, policies, comments, triggers, functions, sequences, domains,
          the labels of enums, inheritance, the text of views, other indexes, operator classes and collations
          of indexes, and partitions, which come and go. What an older pgvigil did not look at is compared
          once the schema is accepted anew.
    Cost: one query of pg_constraint and pg_index for all schemas together; the rest is in the catalog that
        every check uses.
    False positives: a deployment that nobody marked, or accepted. What was read before and after a change
        that was made at that moment is taken back by the next run, before an incident opens.
    Remedy: accept the schema as it is, if that was meant; else restore what is gone, or undo the change. The
        finding says what was there before; of an expression (of a CHECK, say) only the columns that it read,
        so keep the schema's source at hand.
    """

    name = "schema_drift"
    params_type = SchemaDriftParams
    needs_store = True

    def discover(self, catalog: Catalog) -> Discovery:
        """Return every schema in scope, and what stands for all of them."""
        watched = [schema for schema in catalog.schemas if catalog.scope.watches(schema)]
        subjects = [Subject(quote(schema), schema, confirm=2) for schema in watched]
        return Discovery((Subject(ALL_SCHEMAS, None, confirm=2), *subjects))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Compare one schema, or which there are, with what is accepted."""
        return self._compared(context, subject, _state(context))

    def batches(self, subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
        """Look at all together: one query tells of all."""
        return (subjects,)

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
        """Compare each with what is accepted."""
        state = _state(context)
        return {one.name: self._compared(context.of(one), one, state) for one in subjects}

    def _compared(self, context: Context, subject: Subject, state: SchemaState) -> Verdict:
        news = News(context.memory, context.deployed_seconds, self.params.announced.total_seconds())
        schema: Payload = subject.payload
        if schema is None:
            return _schemas(context, news)
        now = state.of_schema(schema)
        seen = now.to_json()
        if context.accepted is None:
            return Examined(seen=seen, strategy="first look", rows_examined=0)
        accepted = SchemaState.from_json(context.accepted)
        changes = compare_schemas(accepted, _followed(accepted, now, state))
        findings = changed_tables(context, schema, changes, news)
        return Examined(findings=findings, seen=seen, strategy="catalog", memory=news.memory)


def _state(context: Context) -> SchemaState:
    return made_state(context.catalog, context.fetch(constraints_query()), _EVERYTHING)


def _followed(accepted: SchemaState, now: SchemaState, state: SchemaState) -> SchemaState:
    """Return a schema as it is now, with the accepted tables of it that were moved to others."""
    accepted_oids = {table.oid for table in accepted.tables}
    here = {table.table_name for table in now.tables} | {table.oid for table in now.tables}
    moved = [
        table
        for table in state.tables
        if table.oid in accepted_oids and not here & {table.table_name, table.oid}
    ]
    return replace(now, tables=(*now.tables, *moved))


def _schemas(context: Context, news: News) -> Verdict:
    scope = context.catalog.scope
    watched = [schema for schema in context.catalog.schemas if scope.watches(schema)]
    if context.accepted is None:
        return Examined(seen={"schemas": watched}, strategy="first look")
    known = context.accepted.get("schemas")
    accepted = [str(one) for one in (known if isinstance(known, list) else ())]
    # What came later has been accepted by its own first look, or by a person.
    later = {unquote(name) for name in context.accepted_subjects if name != ALL_SCHEMAS}.difference(accepted)
    # What the settings leave out by now is not gone.
    expected = [one for one in (*accepted, *sorted(later)) if scope.watches(one)]
    gone = [one for one in expected if one not in watched]
    new = [one for one in watched if one not in accepted]
    return Examined(
        findings=changed_schemas(context, gone, new, news),
        seen={"schemas": watched, **({"gone": gone} if gone else {})},
        gone=tuple(map(quote, gone)),
        strategy="catalog",
        memory=news.memory,
    )
