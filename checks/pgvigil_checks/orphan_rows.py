"""The check `orphan_rows`: child rows whose parent does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from psycopg import sql
from pydantic import Field

from pgvigil.catalog import Catalog, ForeignKey, Operator, TableKind
from pgvigil.check import (
    Batch,
    Check,
    Context,
    Discovery,
    Named,
    Params,
    Problem,
    Skipped,
    Subject,
    Verdict,
    load_sql,
)
from pgvigil_checks.foreign_parts import why_unexaminable
from pgvigil_checks.orphans import NoneFinishedError, Plan, make_plan
from pgvigil_checks.orphans.batch import small_together, still_small
from pgvigil_checks.orphans.changed import (
    FEW_KEYS,
    LOOK_UP,
    keys_written,
    look_again,
    lost_now,
    remembered,
    written,
)
from pgvigil_checks.orphans.paths import path_of
from pgvigil_checks.orphans.several import big_together, examine_together, is_big
from pgvigil_checks.orphans.verdict import How, examined, is_trusted
from pgvigil_checks.orphans.walk import Walked, walk
from pgvigil_checks.planning import distrust_estimates
from pgvigil_checks.references import Reference
from pgvigil_checks.relations import Relation, RelationField, find_relations

Payload: TypeAlias = ForeignKey | Relation

# One snapshot is fine for what takes no longer than a scan of so many rows: about a tenth of a second.
_SHORT = 1_600_000


class OrphanRowsParams(Params):
    """Settings of `orphan_rows`."""

    relations: tuple[RelationField, ...] = Field(
        default=(),
        description="Relations that the database does not declare, each "
        "`schema.child(column, …) -> schema.parent(column, …)`; declared foreign keys are examined anyway.",
    )

    def named(self) -> tuple[Named, ...]:
        """Return the children and the parents."""
        return tuple(
            Named(("relations", index), table)
            for index, one in enumerate(self.relations)
            for table in (one.child, one.parent)
        )


class OrphanRows(Check[OrphanRowsParams]):
    """Child rows whose parent does not exist, counted exactly.

    Proves: for every declared foreign key, valid or not, and every configured relation, that each row of the
        child refers to a row of the parent, in one snapshot.

        - Keys that are marked valid are examined as well: loads with session_replication_role = replica,
          disabled triggers and restores violate them unnoticed.
        - Rows are matched as the server's own triggers match them: by the operators of the key, with their
          casts and the parent's collation. Indexes are trusted: one that lost entries may hide rows, or the
          parent of a row (amcheck tells).
        - A reference with a NULL refers to nothing; under MATCH FULL one that is NULL in part is a fault of
          its own. In a temporal key the parents' periods together must cover the child's.
        - A declared key leaves out inheriting tables on both sides, as the server does. In a configured
          relation tables mean what they mean in a SELECT, with inheriting tables, and views may take part.
          One that is declared as well is a second subject if there are inheriting tables.
        - Columns of a configured relation whose types differ are compared as a foreign key would, else as the
          child's type. Those whose comparison depends on the session, such as on its TimeZone, are unknown.
    Cost: the cheapest of several exact ways, from a few look-ups in indexes (dense integer keys, few values)
        to reading both tables and joining them; see explain.

        - What takes longer than about 0.1 s in a child of more than 200,000 rows is walked instead, in chunks
          of `budget.chunk`, each in a short snapshot with a rest behind it: along the index of its
          referencing column, or along its primary key, with a bit in memory for each key of the parent
          (integers, 2 MB at the most) or a look-up for each row. Relations of integers that have one child
          share its scan or walk. Each row is judged against the parents of that moment, so counts are exact
          where nobody writes meanwhile.
        - Without such an index, where its texts may be those of other values (EUC_JP and its like, damaged
          text), and to see that a fault is gone, one snapshot is held for the whole scan: seconds for
          millions of rows, by as many sessions as the budget has to spare. There the bits for integer keys
          may take 8 MB for each relation.
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
        subjects = [
            Subject(
                key.subject,
                key,
                confirm=1,
                reads=(key.child, key.parent),
                objects=(key, key.child, key.parent),
            )
            for key in keys.values()
        ]
        problems = list(wanted.problems)
        for relation in (*wanted.undeclared, *wanted.wider):
            reason = _incomparable(relation)
            if reason:
                position = self.params.relations.index(relation.name)
                problems.append(Problem(("relations", position), reason, relation.subject))
                continue
            unexaminable = why_unexaminable(catalog, relation.child, relation.parent)
            both = (relation.child, relation.parent)
            # What a view calls has a say as well, and may change its mind without a write.
            views = any(table.kind is TableKind.VIEW for table in both)
            reads, rows = (None, both) if views else (both, ())
            subjects.append(
                Subject(
                    relation.subject, relation, confirm=2, unexaminable=unexaminable, reads=reads, rows=rows
                )
            )
        return Discovery(tuple(subjects), tuple(problems))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Count the orphans of one relation, and sample them if there are any."""
        payload: Payload = subject.payload
        distrust_estimates(context, payload.child, payload.parent)
        reference = reference_of(context, payload)
        if isinstance(reference, Skipped):
            return reference
        return _unstable(reference) or examine(context, reference)

    def batches(self, subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
        """Look at small relations together, and at those of one big child."""
        batches = [list(batch) for batch in small_together(subjects)]
        yield from (batch for batch in batches if len(batch) > 1)
        yield from big_together(batch[0] for batch in batches if len(batch) == 1)

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
        """Read a big child once for all; else examine those that are as small as they were side by side."""
        if is_big(subjects[0]):
            each = [(one, reference_of(context.of(one), one.payload)) for one in subjects]
            return examine_together(context, [(o, r) for o, r in each if not isinstance(r, Skipped)])
        return context.side_by_side(self.run, still_small(context, subjects))


def reference_of(context: Context, payload: Payload) -> Reference | Skipped:
    """Return what a subject's key declares, or its relation means, in SQL."""
    if isinstance(payload, ForeignKey):
        return Reference.declared(payload)
    operators = _operators(context, payload)
    return operators if isinstance(operators, Skipped) else Reference.configured(payload, operators)


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


def examine(context: Context, reference: Reference) -> Verdict:
    """Judge by what was written since the last run, where that is known and cheaper; else every row."""
    known = written(context, reference)
    keys = keys_written(context, reference, *known) if known else None
    if keys is None:
        return examine_all(context, reference, remember=known is not None)
    memory = context.memory
    if len(keys) > FEW_KEYS:
        try:
            plan = make_plan(context, reference).up_to(LOOK_UP * len(keys))
            return judge(context, reference, plan, remember=True)
        except NoneFinishedError as tried:
            memory = {**memory, **tried.memory}
    seen = look_again(context, reference, keys)
    if seen is None:
        return examine_all(context, reference, remember=True)
    judged = "1 key was" if seen.judged == 1 else f"{seen.judged:,} keys were"
    why = f"changed_keys: {judged} written or without a parent before"
    how = How("changed_keys", why, seen.among, {**memory, **remembered(seen.lost)})
    return examined(context, reference, Walked(seen.judged, seen.orphans), how)


def examine_all(context: Context, reference: Reference, *, remember: bool = False) -> Verdict:
    """Judge every row of the child: a big one in chunks, unless indexes tell sooner; in one snapshot else.

    With `remember` the orphans are noted for a run that goes by what was written.
    """
    path = path_of(context, reference)
    plan = make_plan(context, reference, path.facts if path else None)
    if path:
        try:
            return judge(context, reference, plan.up_to(_SHORT), remember=remember)
        except NoneFinishedError as tried:
            memory = {**context.memory, **tried.memory}
        answer = walk(context, [path])
        walked = answer[0] if answer else None
        if walked and is_trusted(context, walked):
            lost = path.at(walked.lost) if walked.lost else None
            why = f"{path.name}: the child is walked in short snapshots, for its size: {walked.figures}"
            whole = remember and not walked.cut
            memory.update(lost_now(context, reference, walked.orphans, lost, remember=whole))
            return examined(context, reference, walked, How(path.name, why, lost, memory))
        plan = make_plan(context, reference)  # what held in that snapshot need not hold in the next one
    return judge(context, reference, plan, remember=remember)


def judge(context: Context, reference: Reference, plan: Plan, *, remember: bool = False) -> Verdict:
    """Judge every row of the child as planned, in the snapshot in which that was planned."""
    result = plan.carry_out(context)
    counted = result.counted
    seen = Walked(counted.rows, counted.orphans, counted.partial)
    lost = lost_now(context, reference, counted.orphans, counted.among, remember=remember)
    how = How(result.strategy, result.explain, counted.among, {**result.memory, **lost})
    return examined(context, reference, seen, how)
