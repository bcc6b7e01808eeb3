"""Entity pairs: tables that seem to hold the same entity, proposed with a key, columns and the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pgvigil.catalog import Catalog, RelationName, Table, TableName
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.pairs_candidates import candidate_tables
from pgvigil.inference.pairs_columns import map_columns, possible_coverage, sampled_columns
from pgvigil.inference.pairs_judgement import LEAST, Observed, judge, keys_differ
from pgvigil.inference.pairs_keys import KeyMapping, Keys
from pgvigil.inference.pairs_references import References
from pgvigil.inference.pairs_sampling import Matched, PairSampler, Side
from pgvigil.inference.pairs_sides import fresher, referenced
from pgvigil.inference.proposal import ProposedPair

_SOME_COLUMNS = 2
_SOME_COVERAGE = 0.5
# Rows that the primary key matches, of those that any key does: where it is surely the key of both.
_NEARLY_ALL = 0.9


def propose_pairs(
    catalog: Catalog,
    statistics: Statistics | None = None,
    sampler: PairSampler | None = None,
    known: Iterable[RelationName] = (),
) -> tuple[ProposedPair, ...]:
    """Return the tables that seem to hold the same entity, the likeliest pair first.

    Without `statistics` and `sampler` it goes by names and types alone, and nothing is likely. `known` are
    relations besides the declared ones, configured or inferred: they tell which side others refer to. Raises
    what the sampler's fetch raises, but for queries that the server refused or broke off.
    """
    references = References(catalog, known)
    proposer = _Proposer(catalog, statistics, sampler, references, Keys(references, statistics))
    found = [one for tables in candidate_tables(catalog) for one in proposer.proposed(*tables)]
    return tuple(sorted(found, key=lambda one: (-one.probability, str(one.left), str(one.right))))


@dataclass(frozen=True, slots=True)
class _Proposer:
    """Looks at two tables after the other; where there is no sampler, at their names."""

    catalog: Catalog
    statistics: Statistics | None
    sampler: PairSampler | None
    references: References
    keys: Keys

    def proposed(self, left: Table, right: Table) -> Iterator[ProposedPair]:
        """Yield the proposal, by the key that speaks for it best, if there is one."""
        if self._is_empty(left) or self._is_empty(right):
            return
        observations = [self._observed(left, right, key) for key in self.keys.mappings(left, right)]
        found = [(one, _pair(one, *judged)) for one in observations if (judged := judge(one)) is not None]
        best = _best([one for one in found if one[1].probability >= LEAST])
        if best is not None:
            yield self._with_sides(best, (left, right))

    def _observed(self, left: Table, right: Table, key: KeyMapping) -> Observed:
        zones = self._are_in_different_zones(left, right)
        observed = Observed(left, right, key, map_columns(left, right, key), zones=zones)
        sampler = self._sampler_of(observed)
        if sampler is None:
            return observed
        sketches = sampler.sketch(left, key.left), sampler.sketch(right, key.right)
        observed = replace(observed, sketches=sketches)
        matched = None if keys_differ(observed) else _matched(sampler, observed)
        if matched is None:
            return observed
        return replace(observed, matched=matched, columns=map_columns(left, right, key, matched))

    def _sampler_of(self, observed: Observed) -> PairSampler | None:
        """Return what may read the tables, if they may be read, and are worth it."""
        if not (self._is_readable(observed.left) and self._is_readable(observed.right)):
            return None
        return self.sampler if _is_worth_reading(observed) else None

    def _is_readable(self, table: Table) -> bool:
        known = self.statistics.tables.get(table.oid) if self.statistics else None
        return known is None or known.readable

    def _is_empty(self, table: Table) -> bool:
        """Tell whether a table has no rows by the server's counters; a look at it tells for sure."""
        if self.sampler is not None:
            return False
        known = self.statistics.tables.get(table.oid) if self.statistics else None
        return known is not None and known.live_rows == 0 and table.pages == 0 and not table.rows_estimate

    def _are_in_different_zones(self, left: Table, right: Table) -> bool:
        zones = self.catalog.scope.zones
        return left.schema != right.schema and left.schema in zones and right.schema in zones

    def _with_sides(self, pair: ProposedPair, tables: tuple[Table, Table]) -> ProposedPair:
        side, refers = referenced(tables, self.references)
        newer, written = fresher(tables, self.statistics, self.sampler)
        evidence = (*pair.evidence, *(words for words in (refers, written) if words))
        return replace(pair, referenced=side, fresher=newer, evidence=evidence)


def _is_worth_reading(observed: Observed) -> bool:
    """Tell whether names give a reason to look at values: a serial number that both have gives none."""
    columns = observed.columns
    if observed.key.surrogate:
        return len(columns.contents) >= _SOME_COLUMNS and columns.coverage >= _SOME_COVERAGE
    return possible_coverage(observed.left, observed.right, observed.key) >= _SOME_COVERAGE


def _matched(sampler: PairSampler, observed: Observed) -> Matched | None:
    """Sample the side that has fewer rows, if they can be looked up in the other, or else the larger one."""
    key = observed.key
    columns = sampled_columns(observed.left, observed.right, key)
    left, right = Side(observed.left, key.left, columns[0]), Side(observed.right, key.right, columns[1])
    for one, other in sorted(((left, right), (right, left)), key=lambda sides: sides[0].rows):
        found = sampler.matched(one, other)
        if found is not None:
            return found if one is left else found.turned()
    return None


def _best(found: Sequence[tuple[Observed, ProposedPair]]) -> ProposedPair | None:
    """Return the proposal by the primary key of both sides, if the rows bear it out, or the likeliest.

    What people declared says who a row is, though names that happen to tell rows apart may seem likelier.
    Where each side numbers its rows by itself, the rows of one number have nothing in common.
    """
    most = max((_matching(one) for one, _ in found), default=0)
    for one, pair in found:
        if one.key.primary and one.columns.agree and _matching(one) >= _NEARLY_ALL * most:
            return pair
    return max((pair for _, pair in found), key=lambda pair: pair.probability, default=None)


def _matching(observed: Observed) -> int:
    """Count the rows of the sample that the key has matched."""
    return len(observed.matched.rows) if observed.matched else 0


def _pair(observed: Observed, probability: float, evidence: tuple[str, ...]) -> ProposedPair:
    left, right, columns = observed.left, observed.right, observed.columns.compared
    return ProposedPair(
        left=TableName(left.schema, left.name),
        right=TableName(right.schema, right.name),
        probability=probability,
        key={one.name: other.name for one, other in zip(observed.key.left, observed.key.right, strict=True)},
        columns={one.left.name: one.right.name for one in columns},
        evidence=evidence,
        tolerance={
            one.left.name: one.agreement.tolerance
            for one in columns
            if one.agreement is not None and one.agreement.tolerance is not None
        },
    )
