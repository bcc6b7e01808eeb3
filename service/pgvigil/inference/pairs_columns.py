"""Which columns of two tables hold the same, by their names and by how their values agree on matched rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import eq

from pgvigil.catalog import Column, Table
from pgvigil.inference.pairs_agreement import Agreement, Values, agreement
from pgvigil.inference.pairs_keys import KeyMapping
from pgvigil.inference.pairs_names import Stems, column_stems, is_mark, likeness
from pgvigil.inference.pairs_sampling import Columns, Matched
from pgvigil.inference.pairs_values import Kind, family

MOST_COLUMNS = 60
"""How many columns of a side are looked at."""

# Without values to go by, names must be this alike; with them, less or not at all.
_ALIKE = 0.6
_SOMEWHAT_ALIKE = 0.3
_AGREES = 0.5
_AGREES_BEYOND_DOUBT = 0.8
# Values that chance makes equal this often prove no column of another name.
_COMMON_CHANCE = 0.3
# Columns of one name that agree no more than by chance are filled by each side for itself.
_BEYOND_CHANCE = 0.2
# Unless nearly all values are the same one, of which chance says nothing.
_NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Mapped:
    """A column of the left table and one of the right, how alike their names are, and how their values agree.

    `agreement` is None where no values were seen.
    """

    left: Column
    right: Column
    likeness: float
    agreement: Agreement | None

    @property
    def weight(self) -> float:
        """How much speaks for it."""
        if self.agreement is None:
            return self.likeness / 2
        return (3 * self.agreement.kappa + self.likeness) / 4

    @property
    def holds(self) -> bool:
        """Whether the two hold the same, as far as is known."""
        if self.agreement is None:
            return self.likeness >= _ALIKE
        kappa = self.agreement.kappa
        if self.left.name == self.right.name or self.likeness == 1:
            return kappa >= _BEYOND_CHANCE or self.agreement.share >= _NEARLY_ALL
        if self.likeness >= _SOMEWHAT_ALIKE:
            return kappa >= _AGREES
        return kappa >= _AGREES_BEYOND_DOUBT and self.agreement.chance <= _COMMON_CHANCE

    @property
    def at_odds(self) -> bool:
        """Whether the names say that they hold the same, and the values that they do not."""
        return self.agreement is not None and self.likeness == 1 and not self.holds


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What is compared with what; `at_odds` are columns of one name that agree no more than by chance.

    `coverage` is the share that the mapped columns have of those with contents of the side that has fewer.
    `identity` is the primary key of both sides where another key matches the rows, and it is the same in
    them: it speaks neither for the pair nor against it, and has to be compared.
    """

    columns: tuple[Mapped, ...]
    at_odds: tuple[Mapped, ...]
    coverage: float
    identity: Mapped | None = None

    @property
    def contents(self) -> tuple[Mapped, ...]:
        """The mapped columns that say something of the entity."""
        return tuple(
            one for one in self.columns if not is_mark(one.left.name) and not is_mark(one.right.name)
        )

    @property
    def compared(self) -> tuple[Mapped, ...]:
        """All that is to be compared, in the order of the left table."""
        found = self.columns if self.identity is None else (self.identity, *self.columns)
        return tuple(sorted(found, key=lambda one: one.left.number))

    @property
    def agree(self) -> bool:
        """Whether the contents of the matched rows are the same, but for a few that have drifted."""
        odd = any(not is_mark(one.left.name) for one in self.at_odds)
        return not odd and mean_kappa(self) >= _AGREES_BEYOND_DOUBT


def compared_columns(table: Table, key: Columns) -> Columns:
    """Return the columns of a table that a comparison could look at: no key of it, and nothing computed."""
    known = {column.name for column in key}
    known.update(*(one.columns for one in table.keys if one.primary and len(one.columns) == 1))
    found = [column for column in table.columns if column.name not in known and not column.generated]
    return tuple(found[:MOST_COLUMNS])


def sampled_columns(left: Table, right: Table, key: KeyMapping) -> tuple[Columns, Columns]:
    """Return the columns of both sides whose values are wanted: those, and the primary key behind them."""
    one, other = _identity(left, right, key)
    return (*compared_columns(left, key.left), *one), (*compared_columns(right, key.right), *other)


def possible_coverage(left: Table, right: Table, key: KeyMapping) -> float:
    """Return the coverage that a mapping could have at most, by the kinds of values on both sides."""
    sides = [
        Counter(family(one) for one in compared_columns(table, columns) if not is_mark(one.name))
        for table, columns in ((left, key.left), (right, key.right))
    ]
    fewest = min(side.total() for side in sides)
    return (sides[0] & sides[1]).total() / fewest if fewest else 0.0


def map_columns(left: Table, right: Table, key: KeyMapping, matched: Matched | None = None) -> ColumnMapping:
    """Give each column its best counterpart, the surest first."""
    sides = compared_columns(left, key.left), compared_columns(right, key.right)
    found = list(_every(left, right, sides, matched))
    holding = sorted((one for one in found if one.holds), key=_surest)
    columns = tuple(_each_once(holding))
    mapping = ColumnMapping(columns, tuple(one for one in found if one.at_odds), 0.0)
    fewest = min(sum(not is_mark(column.name) for column in side) for side in sides)
    coverage = min(1.0, len(mapping.contents) / fewest) if fewest else 0.0
    in_order = sorted(columns, key=lambda one: one.left.number)
    return ColumnMapping(
        tuple(in_order), mapping.at_odds, coverage, _same_identity(left, right, key, matched)
    )


def mean_kappa(columns: ColumnMapping) -> float:
    """Return how the contents agree; what is mostly equal by chance counts less."""
    seen = [one.agreement for one in columns.contents if one.agreement is not None]
    whole = sum(1 - one.chance for one in seen)
    return sum((1 - one.chance) * max(one.kappa, 0.0) for one in seen) / whole if whole else 0.0


def _identity(left: Table, right: Table, key: KeyMapping) -> tuple[Columns, Columns]:
    """Return the primary key of both sides, if it is one column of one name, and no part of the key."""
    one, other = _numbering(left), _numbering(right)
    if one is None or other is None or one in key.left or other in key.right:
        return (), ()
    same = one.name == other.name and family(one) == family(other)
    return ((one,), (other,)) if same else ((), ())


def _numbering(table: Table) -> Column | None:
    primary = next((one.columns for one in table.keys if one.primary), ())
    return table.column(primary[0]) if len(primary) == 1 else None


def _same_identity(left: Table, right: Table, key: KeyMapping, matched: Matched | None) -> Mapped | None:
    one, other = _identity(left, right, key)
    if not one or matched is None:
        return None
    here, there = ([row[side][-1] for row in matched.rows] for side in (0, 1))
    # Taken for texts: numbers that come near each other name other rows.
    seen = agreement(here, there, Kind.TEXT)
    same = seen is not None and min(seen.share, seen.kappa) >= _AGREES_BEYOND_DOUBT
    return Mapped(one[0], other[0], 1.0, seen) if same else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A column, what its values are, the stems of its name, and its values on the matched rows, if any."""

    column: Column
    kind: Kind | str
    stems: Stems
    values: Values | None


def _every(
    left: Table, right: Table, sides: tuple[Columns, Columns], matched: Matched | None
) -> Iterator[Mapped]:
    """Yield the columns that could hold the same: those of like names, and those whose values are equal."""
    there = list(_seen(right, sides[1], [row[1] for row in matched.rows] if matched else None))
    for one in _seen(left, sides[0], [row[0] for row in matched.rows] if matched else None):
        for other in there:
            if one.kind == other.kind:
                alike = 1.0 if one.column.name == other.column.name else likeness(one.stems, other.stems)
                if alike >= _SOMEWHAT_ALIKE or _mostly_equal(one, other):
                    yield Mapped(one.column, other.column, alike, _agreement(one, other))


def _seen(table: Table, columns: Columns, rows: Sequence[Values] | None) -> Iterator[_Seen]:
    for place, column in enumerate(columns):
        values = None if rows is None else [row[place] for row in rows]
        yield _Seen(column, family(column), column_stems(column.name, table), values)


def _mostly_equal(one: _Seen, other: _Seen) -> bool:
    if not one.values or not other.values:
        return False
    equal: int = sum(map(eq, one.values, other.values))
    return equal >= _AGREES_BEYOND_DOUBT * len(one.values)


def _agreement(one: _Seen, other: _Seen) -> Agreement | None:
    types = {one.column.base_type, other.column.base_type}
    # The texts of json and jsonb differ by blanks, whatever is in them.
    if one.values is None or other.values is None or (one.kind is Kind.JSON and len(types) > 1):
        return None
    return agreement(one.values, other.values, one.kind)


def _each_once(found: Iterable[Mapped]) -> Iterator[Mapped]:
    left, right = set(), set()
    for one in found:
        if one.left.name not in left and one.right.name not in right:
            left.add(one.left.name)
            right.add(one.right.name)
            yield one


def _surest(one: Mapped) -> tuple[float, bool, int, int]:
    return -one.weight, one.left.name != one.right.name, one.left.number, one.right.number
