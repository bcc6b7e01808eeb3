"""The check `orphan_rows`: child rows whose parent does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql
from pydantic import Field

from pgvigil.catalog import Catalog, ForeignKey, Operator
from pgvigil.check import (
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Params,
    Problem,
    Severity,
    Skipped,
    Subject,
    Verdict,
    load_sql,
)
from pgvigil_checks.changes import changed
from pgvigil_checks.foreign_parts import why_unexaminable
from pgvigil_checks.planning import distrust_estimates
from pgvigil_checks.references import Reference
from pgvigil_checks.relations import Relation, RelationField, find_relations

Payload: TypeAlias = ForeignKey | Relation


class OrphanRowsParams(Params):
    """Settings of `orphan_rows`."""

    relations: tuple[RelationField, ...] = Field(
        default=(),
        description="Relations that the database does not declare, each "
        "`schema.child(column, …) -> schema.parent(column, …)`; declared foreign keys are examined anyway.",
    )


class OrphanRows(Check[OrphanRowsParams]):
    """Child rows whose parent does not exist, counted exactly.

    Proves: for every declared foreign key, valid or not, and every configured relation, that each row of the
        child refers to a row of the parent, in one snapshot. A key that is marked valid is examined as well:
        loads with session_replication_role = replica, disabled triggers and restores violate it unnoticed.
        Rows are matched as the server's own triggers match them: by the operators of the key, with their
        casts and the parent's collation. A reference with a NULL refers to nothing; under MATCH FULL one that
        is NULL in part is a fault of its own. In a temporal key the parents' periods together must cover the
        child's. A declared key leaves out inheriting tables on both sides, as the server does. In a
        configured relation tables mean what they mean in a SELECT, with inheriting tables; views may take
        part; columns whose types differ are compared as a foreign key would, else as the child's type. One
        that is declared as well is a second subject if there are inheriting tables, which its key leaves out.
        Indexes are trusted: one that lost entries may hide rows, or the parent of a row (amcheck tells).
        Columns whose comparison depends on the session, such as on its TimeZone, are unknown.
    Cost: the child is read twice and the parent once or through its index: seconds for millions of rows. When
        there are orphans, one more pass for the sample.
    False positives: for declared keys none, but where domains give their columns collations that differ: the
        server's triggers may then judge a row otherwise than its query behind VALIDATE, which is asked here.
        For configured relations rows may be in flight between two transactions: an incident opens after the
        second failing run. Tables that are deliberately loaded children first need a higher `confirm`.
    Remedy: restore the missing parents, or delete the orphans or set their references to NULL; then protect
        the relation with a foreign key that is valid and whose triggers are enabled.
    """

    name = "orphan_rows"
    params_type = OrphanRowsParams

    def discover(self, catalog: Catalog) -> Discovery:
        """Return every declared foreign key in scope and every configured relation."""
        wanted = find_relations(catalog, self.params.relations, "relations")
        keys = {key.oid: key for key in (*catalog.watched_foreign_keys(), *wanted.declared)}
        subjects = [Subject(key.subject, key, confirm=1) for key in keys.values()]
        problems = list(wanted.problems)
        for relation in (*wanted.undeclared, *wanted.wider):
            reason = _incomparable(relation)
            if reason:
                position = self.params.relations.index(relation.name)
                problems.append(Problem(("relations", position), reason, relation.subject))
                continue
            unexaminable = why_unexaminable(catalog, relation.child, relation.parent)
            subjects.append(Subject(relation.subject, relation, confirm=2, unexaminable=unexaminable))
        return Discovery(tuple(subjects), tuple(problems))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Count the orphans of one relation, and sample them if there are any."""
        payload: Payload = subject.payload
        distrust_estimates(context, payload.child, payload.parent)
        if isinstance(payload, ForeignKey):
            reference = Reference.declared(payload)
        else:
            operators = _operators(context, payload)
            if isinstance(operators, Skipped):
                return operators
            reference = Reference.configured(payload, operators)
        return _unstable(reference) or _examine(context, reference)


# PostgreSQL's own types are comparable with others of these categories (pg_type.typcategory) at the most.
_CATEGORIES_OF_ONE_KIND = frozenset("NSDVIZ")


def _incomparable(relation: Relation) -> str:
    """Say which columns no operator can compare, where that is plain from their types; else empty."""
    for child, parent in relation.column_pairs():
        same = child.base_type == parent.base_type
        for column in (child, parent):
            if not column.comparable:
                return f"column {column.name} has the type {column.type}, which knows no equality"
        # What an extension's types can be compared with is known to the server alone: run() asks it.
        ours = "." in child.base_type or "." in parent.base_type
        kin = child.category == parent.category and child.category in _CATEGORIES_OF_ONE_KIND
        if not (same or ours or kin or {child.category, parent.category} <= set("SZ")):
            return (
                f"{child.name} is {child.type} but {parent.name} is {parent.type}: no operator of PostgreSQL "
                "compares them; convert one of the columns, or relate through a view that casts it"
            )
    return ""


def _operators(context: Context, relation: Relation) -> tuple[Operator, ...] | Skipped:
    """Ask the server for the operators that a foreign key would use."""
    query = load_sql("pgvigil_checks", "orphan_rows_operators.sql").format(
        parent=sql.Literal(relation.parent.oid),
        child=sql.Literal(relation.child.oid),
        parent_columns=sql.Literal(list(relation.name.parent_columns)),
        child_columns=sql.Literal(list(relation.name.child_columns)),
    )
    rows = context.fetch(query)
    if len(rows) < len(relation.name.child_columns):
        return Skipped("its tables were changed while pgvigil looked at them")
    operators = []
    for row, (child, parent) in zip(rows, relation.column_pairs(), strict=True):
        if row["operator"] is None:
            return Skipped(
                f"no operator compares {child.name} ({child.type}) with {parent.name} ({parent.type})"
            )
        operators.append(
            Operator(
                row["schema"],
                row["operator"],
                row["left_type"],
                row["right_type"],
                immutable=row["immutable"],
            )
        )
    return tuple(operators)


def _unstable(reference: Reference) -> Skipped | None:
    """Say which columns are compared in one way by this session, and maybe in another by the next."""
    for (child, parent), operator in zip(reference.columns, reference.operators, strict=True):
        if not operator.immutable:
            return Skipped(
                f"how {child.name} ({child.type}) compares with {parent.name} ({parent.type}) depends on the "
                "session, on its TimeZone for instance: each may see other orphans"
            )
    return None


@dataclass(frozen=True, slots=True)
class _Fault:
    """One kind of rows at fault: the condition that tells them, and what to say of them."""

    code: str
    condition: sql.Composed
    title: str
    remedy: str


def _examine(context: Context, reference: Reference) -> Verdict:
    """Judge every row of the child by an anti-join."""
    counts = context.fetch(
        load_sql("pgvigil_checks", "orphan_rows_count.sql").format(
            partial=reference.partial, orphan=reference.orphan, child=reference.child_rows
        )
    )[0]
    otherwise = changed(context, reference.child, reference.parent)
    if otherwise is not None:
        return otherwise
    findings = [
        _finding(context, reference, fault, count)
        for fault, count in (
            (_orphans(reference, counts["orphans"]), counts["orphans"]),
            (_partial_nulls(reference, counts["partial"]), counts["partial"]),
        )
        if count
    ]
    return Examined(findings=tuple(findings), rows_examined=counts["rows"], strategy="anti_join")


def _orphans(reference: Reference, count: int) -> _Fault:
    condition = reference.orphan
    return _Fault(
        code="orphans",
        condition=condition,
        title=f"{_rows(count)} of {reference.child} without a parent in {reference.parent}",
        remedy=(
            f"Restore the missing rows of {reference.parent}, or keep a copy of what refers to them and let "
            f"go of the references: {_let_go(reference, condition)}"
        ),
    )


def _partial_nulls(reference: Reference, count: int) -> _Fault:
    condition = reference.partial
    return _Fault(
        code="partial_nulls",
        condition=condition,
        title=f"{_rows(count)} of {reference.child} with a MATCH FULL reference that is NULL in part",
        remedy="Complete the references, or keep a copy of the rows and let go of them: "
        f"{_let_go(reference, condition)}",
    )


def _rows(count: int) -> str:
    return f"{count} row{'s' if count > 1 else ''}"


def _let_go(reference: Reference, condition: sql.Composed) -> str:
    """Write the statement that sets the references to NULL, or deletes the rows where that can't be."""
    nullable = [child.name for child, _ in reference.columns if not child.not_null]
    if len(nullable) == len(reference.columns) and not any(child.generated for child, _ in reference.columns):
        # A column may refer twice, to two columns of the parent, but be set only once.
        columns = dict.fromkeys(nullable)
        nulls = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in columns)
        statement = sql.SQL("UPDATE {} AS c SET {} WHERE {};").format(reference.child_rows, nulls, condition)
    else:
        statement = sql.SQL("DELETE FROM {} AS c WHERE {};").format(reference.child_rows, condition)
    return statement.as_string()


def _finding(context: Context, reference: Reference, fault: _Fault, count: int) -> Finding:
    query = load_sql("pgvigil_checks", "orphan_rows_rows.sql").format(
        columns=sql.SQL(", ").join(sql.Identifier("c", name) for name in reference.naming_columns),
        child=reference.child_rows,
        fault=fault.condition,
    )
    context.pause()
    limited = sql.SQL("{} LIMIT {}").format(query, sql.Literal(context.sample))
    return Finding(
        code=fault.code,
        severity=Severity.CRITICAL,
        title=fault.title,
        count=count,
        remedy=fault.remedy,
        evidence_sql=f"{query.as_string()};",
        sample=tuple(context.fetch(limited)),
    )
