"""Which columns of two tables hold the same, by their names and by how their values agree on matched rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgvigil.catalog import Column, Table
from pgvigil.inference.pairs_agreement import Agreement, agreement
from pgvigil.inference.pairs_keys import KeyMapping
from pgvigil.inference.pairs_names import column_stems, is_mark, likeness
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
# A column of the same name whose values hardly ever agree is filled by each side for itself.
_HARDLY_EVER = 0.05


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
            return kappa >= _AGREES or self.agreement.share >= _HARDLY_EVER
        if self.likeness >= _SOMEWHAT_ALIKE:
            return kappa >= _AGREES
        return kappa >= _AGREES_BEYOND_DOUBT and self.agreement.chance <= _COMMON_CHANCE

    @property
    def at_odds(self) -> bool:
        """Whether the names say that they hold the same, and the values that they do not."""
        return self.agreement is not None and self.likeness == 1 and not self.holds


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What is compared with what; `at_odds` are columns of one name that never agree.

    `coverage` is the share that the mapped columns have of those with contents of the side that has fewer.
    """

    columns: tuple[Mapped, ...]
    at_odds: tuple[Mapped, ...]
    coverage: float

    @property
    def contents(self) -> tuple[Mapped, ...]:
        """The mapped columns that say something of the entity."""
        return tuple(
            one for one in self.columns if not is_mark(one.left.name) and not is_mark(one.right.name)
        )


def compared_columns(table: Table, key: Columns) -> Columns:
    """Return the columns of a table that a comparison could look at: no key of it, and nothing computed."""
    known = {column.name for column in key}
    known.update(*(one.columns for one in table.keys if one.primary and len(one.columns) == 1))
    found = [column for column in table.columns if column.name not in known and not column.generated]
    return tuple(found[:MOST_COLUMNS])


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
    return ColumnMapping(tuple(in_order), mapping.at_odds, coverage)


def _every(
    left: Table, right: Table, sides: tuple[Columns, Columns], matched: Matched | None
) -> Iterator[Mapped]:
    there = [(place, column, column_stems(column.name, right)) for place, column in enumerate(sides[1])]
    for here, one in enumerate(sides[0]):
        names = column_stems(one.name, left)
        for place, other, other_names in there:
            if family(one) == family(other):
                alike = 1.0 if one.name == other.name else likeness(names, other_names)
                seen = _agreement(one, other, matched, (here, place))
                yield Mapped(one, other, alike, seen)


def _agreement(
    left: Column, right: Column, matched: Matched | None, places: tuple[int, int]
) -> Agreement | None:
    # The texts of json and jsonb differ by blanks, whatever is in them.
    if matched is None or (family(left) is Kind.JSON and left.base_type != right.base_type):
        return None
    here, there = places
    values = [(row[0][here], row[1][there]) for row in matched.rows]
    return agreement([one for one, _ in values], [other for _, other in values], family(left))


def _each_once(found: Iterable[Mapped]) -> Iterator[Mapped]:
    left, right = set(), set()
    for one in found:
        if one.left.name not in left and one.right.name not in right:
            left.add(one.left.name)
            right.add(one.right.name)
            yield one


def _surest(one: Mapped) -> tuple[float, bool, int, int]:
    return -one.weight, one.left.name != one.right.name, one.left.number, one.right.number
