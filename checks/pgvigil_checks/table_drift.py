"""Compares the two tables of an entity pair, row by row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from pgvigil.catalog import Catalog, Table, TableKind
from pgvigil.check import (
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Problem,
    Row,
    Skipped,
    Subject,
    Verdict,
)
from pgvigil_checks import table_drift_query as query
from pgvigil_checks import table_drift_report as report
from pgvigil_checks.across import examine
from pgvigil_checks.changes import changed_constraints
from pgvigil_checks.foreign_parts import why_unexaminable
from pgvigil_checks.planning import distrust_estimates
from pgvigil_checks.table_drift_expression_values import settle
from pgvigil_checks.table_drift_figures import Figures, read_figures
from pgvigil_checks.table_drift_model import EntityPair
from pgvigil_checks.table_drift_notes import notes, referenced_by
from pgvigil_checks.table_drift_pairs import fit, fit_left, named
from pgvigil_checks.table_drift_settings import Pair, TableDriftParams
from pgvigil_checks.table_drift_split import parts_of


class TableDrift(Check[TableDriftParams]):
    """Finds where two tables that hold the same entity disagree.

    Proves: in one snapshot, exactly how many rows only the left has, only the right has, and both have but
        with different values; by column, which side of changed rows is newer, and how far numbers drifted.
        Also reports columns that are compared with nothing, types that differ, and which tables reference
        which side.

        - Rows belong together by the pair's key: columns, or expressions over them; without one, by the
          primary key that both tables have. A row with a NULL in its key has no identity: it is reported as
          such, and neither compared nor counted as left or right only.
        - A key that a side holds more than once is reported as duplicate, and its rows are not compared with
          anything, since nobody can say with which. They still count as left or right only when the other
          side has no such key at all: the drift counts rows; its sample and query show such a key once, with
          the number of its `copies`.
        - NULL equals NULL. Otherwise PostgreSQL's own equality of the type decides, under the column's
          collation where both sides have the same, byte by byte where they differ. Of two numeric types the
          less exact decides, json is compared as jsonb, and types without an equality (point, xml) as text.
        - The same holds for what expressions compute, but for numbers of two types that would meet with loss,
          such as a double and a numeric: they leave the pair unknown until one side is cast. So does an
          expression that is no value of a single row (unnest, max).
        - In samples and queries the key has its own names; what is said beside it takes an underscore when
          called alike (`side_`).

        A pair with a `right_target` lives in two databases, of which there is no common snapshot:

        - It is compared by checksums of ranges of its key, then of buckets, then by single keys, all of them
          of texts that stand for the values whatever the servers' versions, collations and settings. Equal
          checksums of unequal buckets have odds of one in 2^64 each.
        - Strings are equal by their bytes. What has no such text (types of extensions, money, a
          nondeterministic collation) leaves the pair unknown, and says so.
        - A key that differs is looked at twice more within the run, and counts only if neither side was ever
          seen to hold what the other one held before.
    Cost: reads both tables once, sorted by the key or through an index on it, and joins them. Large tables
        with an index on the key are joined by ranges of it, side by side in as many sessions as the budget
        has to spare, all on one snapshot. pgvigil itself keeps nothing but counts. Each kind of fault that is
        there costs about one more such pass, for its samples.

        Between two databases every row of both is hashed, in chunks with a short snapshot each, both sides at
        once and each within its own target's budget; where no index of both sides has the key in one order,
        in one query a side. What differs is read once more; pgvigil holds some ten thousand keys at the most.
        While nothing is written to a side's server its checksums are kept for `full_every`, and only the
        other side is read, if that.
    False positives: rows on their way from one table to the other in separate transactions show as drift; an
        incident opens after two runs in a row for that reason, a tolerance such as 15m on a timestamp
        forgives more, and up to a `budget` of rows the pair passes. Between two databases what is copied
        within two seconds is forgiven anyway. A surrogate key or a column that each side fills by itself
        belongs into `ignore`. Indexes are trusted: duplicates that a corrupt unique
        index let in are not looked for, and rows that a corrupt index has lost may seem missing; amcheck's
        bt_index_check tells.
    Remedy: decide which table is the truth, bring the other in line with it (the finding's query lists the
        rows), and let one of them become a view of the other, or be written in the same transaction. Give the
        key a unique constraint and NOT NULL on both sides. Of two databases, mend what copies the rows.
    """

    name = "table_drift"
    params_type = TableDriftParams

    def discover(self, catalog: Catalog) -> Discovery:
        """Return the configured pairs."""
        subjects: list[Subject] = []
        problems: list[Problem] = []
        seen: set[Hashable] = set()
        for index, pair in enumerate(self.params.pairs):
            name = named(pair)
            if _sides(pair) in seen:
                problems.append(Problem(("pairs", index), "this pair is already there", name))
                continue
            seen.add(_sides(pair))
            fitted = _fit_here(pair, index, catalog)
            if isinstance(fitted, Problem):
                problems.append(fitted)
            elif isinstance(fitted, Table):
                # What is in flight between two databases, one look cannot tell from drift for certain.
                reason = why_unexaminable(catalog, fitted)
                subjects.append(Subject(name, (index, pair), confirm=2, unexaminable=reason, walks=(fitted,)))
            else:
                # Writers may keep the two in step by separate transactions.
                reason = why_unexaminable(catalog, fitted.left, fitted.right)
                both = (fitted.left, fitted.right)
                # What an expression or a view calls has a say as well, which may change without a write.
                more = fitted.computed or any(table.kind is TableKind.VIEW for table in both)
                reads, rows = (None, both) if more else (both, ())
                subjects.append(Subject(name, fitted, confirm=2, unexaminable=reason, reads=reads, rows=rows))
        return Discovery(tuple(subjects), tuple(problems))

    def misfits(self, catalog: Catalog, peer: Callable[[str], Catalog]) -> tuple[Problem, ...]:
        """Return what does not fit of the pairs whose right table lives in another target."""
        found = (
            fit(pair, index, catalog, peer(pair.right_target))
            for index, pair in enumerate(self.params.pairs)
            if pair.right_target and isinstance(fit_left(pair, index, catalog), Table)
        )
        return tuple(one for one in found if isinstance(one, Problem))

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Compare the two tables; sample only what is at fault."""
        if not isinstance(subject.payload, EntityPair):
            return _across(context, *subject.payload)
        pair = settle(context, subject.payload)
        if isinstance(pair, Skipped):
            return pair
        distrust_estimates(context, pair.left, pair.right)
        parts, why = parts_of(context, pair)
        figures = read_figures(context, pair, parts)
        findings = tuple(_findings(context, pair, parts, figures))
        # All was read in one snapshot: what holds in the end held before.
        otherwise = changed_constraints(context, pair.left, pair.right)
        if otherwise is not None:
            return otherwise
        return Examined(
            findings=findings,
            rows_examined=figures.left_rows + figures.right_rows,
            strategy="full_join_split" if len(parts) > 1 else "full_join",
            explain=why,
            measures={
                "left_only": figures.left_only,
                "right_only": figures.right_only,
                "changed": figures.changed,
                "budget_rows": pair.budget,
            },
        )


def _sides(pair: Pair) -> Hashable:
    """Return what two pairs of the same tables have in common."""
    if pair.right_target is not None or pair.left == pair.right:
        return pair.left, pair.right_target, pair.right if pair.right_target else object()
    return frozenset((pair.left, pair.right))


def _fit_here(pair: Pair, index: int, catalog: Catalog) -> EntityPair | Table | Problem:
    """Fit a pair to the catalog; of one whose right table lives in another target, the left table."""
    return fit_left(pair, index, catalog) if pair.right_target else fit(pair, index, catalog)


def _across(context: Context, index: int, pair: Pair) -> Verdict:
    """Compare with a table of another target."""
    peer = context.peer(pair.right_target or "")
    fitted = fit(pair, index, context.catalog, peer.catalog)
    return Skipped(str(fitted.message)) if isinstance(fitted, Problem) else examine(context, peer, fitted)


def _findings(
    context: Context, pair: EntityPair, parts: Sequence[EntityPair], figures: Figures
) -> Iterator[Finding]:
    if figures.drifted > pair.budget:
        rows, evidence = _rows_at_fault(context, pair, parts, figures)
        yield report.drift(pair, figures, referenced_by(pair, context.catalog), rows, evidence)
    if any(figures.duplicate_keys.values()):
        rows, evidence = _by_side(context, pair, query.duplicates, figures.duplicate_keys)
        yield report.duplicates(pair, figures, rows, evidence)
    if any(figures.null_keys.values()):
        rows, evidence = _by_side(context, pair, query.null_keys, figures.null_keys)
        yield report.null_keys(pair, figures, rows, evidence)
    yield from notes(pair, context.catalog, context.sample)


def _rows_at_fault(
    context: Context, pair: EntityPair, parts: Sequence[EntityPair], figures: Figures
) -> tuple[list[Row], str]:
    """Return a sample of the rows that drifted, and the query that shows them all."""
    # Equal columns have nothing to add: the query stays short, however wide the tables are.
    columns = [column for column in pair.columns if column.left.name in figures.changed_by_column]
    rows: list[Row] = []
    for part, drifted in zip(parts, figures.drifted_by_part, strict=True):
        if drifted and len(rows) < context.sample:
            context.pause()
            sampling = query.rows(part, columns, query.aliases(pair))
            rows += context.fetch(query.at_most(sampling, context.sample - len(rows)))
    return rows, query.evidence(pair, query.rows(pair, columns, query.labels(pair)))


def _by_side(
    context: Context, pair: EntityPair, compose: query.OfSide, counts: Mapping[str, int]
) -> tuple[list[Row], str]:
    """Return a sample of what is at fault on either side, left first, and the query that shows all of it."""
    sides = [side for side, count in counts.items() if count]
    rows: list[Row] = []
    for side in sides:
        context.pause()
        sampling = compose(pair, side, query.aliases(pair))
        rows += context.fetch(query.at_most(sampling, context.sample - len(rows)))
    return rows, query.evidence(pair, *(compose(pair, side, query.labels(pair)) for side in sides))
