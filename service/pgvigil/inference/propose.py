"""Proposes relations: candidates by names and values, weighed by statistics and a sample, and chosen from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pgvigil.catalog import Catalog, Column, RelationName, Table
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.by_value import ByValue
from pgvigil.inference.candidate import Candidate
from pgvigil.inference.choose import chosen
from pgvigil.inference.circumstances import Circumstances
from pgvigil.inference.comparable import part_family
from pgvigil.inference.composites import composite_candidates
from pgvigil.inference.habit import Habits
from pgvigil.inference.landscape import Landscape, tables_of
from pgvigil.inference.pairs_keys import is_called_a_key
from pgvigil.inference.polymorphic import doubt, pairs_of, polymorphic_candidates
from pgvigil.inference.proposal import ProposedRelation
from pgvigil.inference.referred import referred
from pgvigil.inference.sampling import Sampler
from pgvigil.inference.singles import candidates_of
from pgvigil.inference.values import Values
from pgvigil.inference.verify import verified

# What keys are mostly compared as; the name of a kind beside a polymorphic reference is one of these as well.
_ALWAYS = frozenset({"integer", "text", "uuid"})


def propose_relations(
    catalog: Catalog,
    statistics: Statistics | None = None,
    sampler: Sampler | None = None,
    known: Iterable[RelationName] = (),
    rejected: Collection[RelationName] = (),
) -> tuple[ProposedRelation, ...]:
    """Propose the relations that seem to hold in the watched schemas though nobody declared them, best first.

    `known` are those that somebody configured or adopted: their columns have a parent. `rejected` ones are
    never proposed again, but others of the same columns may be. Without `statistics` and `sampler` names and
    keys decide alone. Each proposal is more likely than not, by pgvigil's own reckoning. Raises what the
    sampler's queries raise, but for what may not be read or takes too long.
    """
    held = {*known, *(key.relation for key in catalog.foreign_keys)}
    found = candidates(catalog, statistics, sampler, held)
    return tuple(chosen((one for one in found if one.relation not in rejected), held))


def candidates(
    catalog: Catalog,
    statistics: Statistics | None = None,
    sampler: Sampler | None = None,
    known: Iterable[RelationName] = (),
) -> list[Candidate]:
    """Return all that was thought of, likely or not, with the reasons: what the weights are fitted to."""
    landscape = Landscape(catalog, known)
    around, values = Circumstances(landscape), Values(landscape, statistics)

    spoken = list(_by_name(landscape, around, statistics))
    habits = Habits(spoken)

    def judged(found: Iterable[Candidate], likely: Iterable[Candidate] = ()) -> list[Candidate]:
        weighed = [one.with_reasons((*habits.reasons(one), *values.reasons(one))) for one in found]
        weighed = referred(weighed, landscape.held, likely)
        return weighed if sampler is None else verified(weighed, sampler, values, statistics)

    named = judged(spoken)
    likely = [one for one in named if one.log_odds > 0]
    by_value = ByValue(landscape, around, values, likely, sampler=sampler is not None)
    return [*named, *judged(_by_value(landscape, by_value, likely), likely)]


def relevant_columns(catalog: Catalog) -> set[tuple[int, int]]:
    """Return the columns, as (table's oid, number), whose statistics inference wants.

    Amounts and times are no keys, and no references, but where a key has one like them.
    """
    tables = tables_of(catalog)
    in_keys = _ALWAYS.union(part_family(column) for table in tables for column in _key_columns(table))
    return {
        (table.oid, column.number)
        for table in tables
        for column in table.columns
        if (kind := part_family(column))
        and (kind in in_keys or column.category in "ES" or is_called_a_key(column))
    }


def _key_columns(table: Table) -> Iterator[Column]:
    names = {name for key in table.keys for name in key.columns}
    return (column for column in table.columns if column.name in names)


def _by_name(
    landscape: Landscape, around: Circumstances, statistics: Statistics | None
) -> Iterator[Candidate]:
    for table in landscape.tables:
        doubts = dict(doubt(landscape, table, statistics))
        for column in table.columns:
            against = [doubts[column.name]] if column.name in doubts else []
            found = candidates_of(landscape, around, table, column, statistics)
            yield from (one.with_reasons(against) for one in found) if against else found
    yield from composite_candidates(landscape)
    yield from polymorphic_candidates(landscape, statistics)


def _by_value(landscape: Landscape, by_value: ByValue, likely: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield what values alone lead to, for the columns whose names led to nothing likely."""
    settled = {(one.child.oid, one.columns) for one in likely}
    for table in landscape.tables:
        several = {column.name for column, _ in pairs_of(landscape, table)}
        for column in table.columns:
            unsettled = (table.oid, (column.name,)) not in settled and column.name not in several
            if unsettled and landscape.may_refer(table, column):
                yield from by_value.candidates(table, column)
