"""The check `foreign_keys`: foreign keys that do not protect, point at the wrong table, or are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from psycopg import sql
from pydantic import Field

from pgvigil.catalog import Catalog, ForeignKey, TableKind, quote
from pgvigil.check import (
    Batch,
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Params,
    Problem,
    Severity,
    Subject,
    Verdict,
    load_sql,
)
from pgvigil_checks.foreign_keys_parents import unsuspected, wrong_parent
from pgvigil_checks.foreign_keys_state import notes, unprotected
from pgvigil_checks.relations import Relation, RelationField, find_relations

Payload: TypeAlias = ForeignKey | Relation

_TOGETHER = 200


class ForeignKeysParams(Params):
    """Settings of `foreign_keys`."""

    expected: tuple[RelationField, ...] = Field(
        default=(),
        description="Relations that the database must declare as foreign keys, each "
        "`schema.child(column, …) -> schema.parent(column, …)`.",
    )


class ForeignKeys(Check[ForeignKeysParams]):
    """Foreign keys that do not protect, point at the wrong table, or are missing.

    Proves: that every declared key is enforced, validated, has all of its triggers, firing for ordinary
        sessions, and refers to a valid index, the clones on partitions included (critical); that it does not
        point at a table in a deprecated schema, or at an empty one while the child's references, or for a key
        into another schema all the rows, are in a table of the same entity (warning); and that every key of
        the `expected` list is declared (warning). Notes (info), which fail no run: referencing columns
        without an index, columns whose types differ. Whether the rows keep to a key is told by orphan_rows.
    Cost: none but the catalog for most keys. For a key whose parent has a likely twin: the first row of the
        parent, and only if it is empty a look for the child's references in the twin.
    False positives: a key that is NOT VALID while its validation is still under way. A parent in another
        schema that is new and still empty, while a table of the same name and key elsewhere has rows.
    Remedy: mend the orphans, then validate, enforce or enable what is off; reindex; point the key at the
        right table; add the missing key as NOT VALID and validate it. Each finding has the statement.
    """

    name = "foreign_keys"
    params_type = ForeignKeysParams

    def discover(self, catalog: Catalog) -> Discovery:
        """Return every declared key in scope, and every expected one, declared or not."""
        wanted = find_relations(catalog, self.params.expected, "expected")
        keys = {key.oid: key for key in (*catalog.watched_foreign_keys(), *wanted.declared)}
        subjects = [Subject(key.subject, key, objects=(key, key.child, key.parent)) for key in keys.values()]
        problems = list(wanted.problems)
        for relation in wanted.undeclared:
            misfit = _never_a_key(relation)
            if misfit:
                position = self.params.expected.index(relation.name)
                problems.append(Problem(("expected", position), misfit, str(relation.name)))
            else:
                subjects.append(Subject(str(relation.name), relation))
        return Discovery(tuple(subjects), tuple(problems))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Judge one key by the catalog, and by whether the parent and its twins have rows."""
        payload: Payload = subject.payload
        wrong = wrong_parent(context, payload) if isinstance(payload, ForeignKey) else None
        return _judged(context, payload, wrong)

    def batches(self, subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
        """Look at many together: most keys need no query, or the first row of their parent.

        Those of one parent come one after the other, so that it is opened once: what a session must learn of
        a table takes longer than to look for a row in it.
        """
        by_parent: defaultdict[int, list[Subject]] = defaultdict(list)
        for one in subjects:
            by_parent[one.payload.parent.oid].append(one)
        ordered = [one for keys in by_parent.values() for one in keys]
        return (ordered[at : at + _TOGETHER] for at in range(0, len(ordered), _TOGETHER))

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
        """Judge many keys by one query, but for those whose parent is empty: their twins may be big."""
        keys = {one.name: one.payload for one in subjects if isinstance(one.payload, ForeignKey)}
        sound = unsuspected(context, keys)
        return {
            one.name: _judged(context, one.payload, None)
            for one in subjects
            if one.name in sound or one.name not in keys
        }


def _judged(context: Context, payload: Payload, wrong: Finding | None) -> Examined:
    if isinstance(payload, Relation):
        return Examined(findings=(_missing(payload, context.sample),), strategy="catalog")
    findings = [*unprotected(payload, context.sample), *notes(context.catalog, payload, context.sample)]
    return Examined(findings=(*findings, *filter(None, (wrong,))), strategy="catalog")


_KIND_NAMES = {
    TableKind.FOREIGN: "foreign table",
    TableKind.VIEW: "view",
    TableKind.MATERIALIZED_VIEW: "materialized view",
}


def _never_a_key(relation: Relation) -> str:
    """Say why no foreign key can ever be declared between the two; empty when one can."""
    for table in (relation.child, relation.parent):
        if table.kind in _KIND_NAMES:
            return f"{table} is a {_KIND_NAMES[table.kind]}: it can have no foreign key"
    return ""


def _missing(relation: Relation, sample: int) -> Finding:
    name = relation.name
    columns, parent_columns = (
        ", ".join(map(quote, side)) for side in (name.child_columns, name.parent_columns)
    )
    evidence = load_sql("pgvigil_checks", "foreign_keys_keys.sql").format(child=sql.Literal(str(name.child)))
    return Finding(
        code="missing",
        severity=Severity.WARNING,
        title=f"The expected foreign key from {name.child} to {name.parent} is not declared",
        count=1,
        remedy=f"ALTER TABLE {name.child} ADD FOREIGN KEY ({columns}) "
        f"REFERENCES {name.parent} ({parent_columns}) NOT VALID; "
        "then mend the rows without a parent, and VALIDATE CONSTRAINT.",
        evidence_sql=f"{evidence.as_string()};",
        sample=({"table": str(name.child), "columns": columns, "references": str(name.parent)},)[:sample],
    )
