"""Indexes along which a big child can be walked in chunks, and the queries of one chunk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from psycopg import sql

from pgvigil.catalog import Column, Operator, Table, TableKind
from pgvigil.check import Bound, Context, Pace, Query
from pgvigil_checks.orphans.bits import Bits, gather_in_chunks, not_unique, spans
from pgvigil_checks.orphans.facts import Facts, gather_facts
from pgvigil_checks.orphans.strategy import query
from pgvigil_checks.references import Reference, cast_to
from pgvigil_checks.samples import key_columns

MOST_LOST = 1_000
"""Keys of orphans that one chunk returns at the most."""

# Below this a single query is over before anybody notices it.
_FEWEST_ROWS = 200_000
# With each chunk the bits are sent to the server, 2 MB at the most.
_WIDEST = 1 << 24
# Gathering a key costs about as much as the look-ups that it saves for so many rows.
_WORTH = 0.5
_COMMA = sql.SQL(", ")

Place = tuple[str, ...]
"""Where a row stands in an index: the text of each of the path's columns."""

Parent = tuple[int, str]
"""Whose keys they are: a table, by oid, and the name of its column."""


class Path(ABC):
    """An index along which the child is walked."""

    name: str
    columns: tuple[str, ...]
    bits: Bits | None = None
    """What tells of most rows that they have a parent, once `prepare` has gathered it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.reference = facts.reference

    # Not abstract: a path that has nothing to gather is whole without it, and must not have to say so.
    def prepare(  # noqa: B027 -- a hook that does nothing by default
        self, context: Context, known: dict[Parent, Bits], pace: Pace
    ) -> None:
        """Gather what makes the chunks cheaper, at a pace; `known` is what was gathered for other paths."""

    @abstractmethod
    def chunk(self, last: Place, rows: int) -> Query:
        """Return the query of the next `rows` rows behind `last`."""

    def useless(self) -> Query:
        """Return the query that has a row where the index is none any more that can be walked."""
        return sql.SQL("SELECT WHERE false")

    def at(self, places: Sequence[Place]) -> sql.Composed:
        """Return the condition that a row stands at one of these places."""
        columns = _named(self.reference.child, self.columns)
        rows = _COMMA.join(sql.SQL("({})").format(_values(columns, key)) for key in places)
        return sql.SQL("({}) IN ({})").format(_names("c", columns), rows)


class ByKey(Path):
    """Along a unique key of the child: any reference, a look-up in the parent for every row without bits."""

    name = "walk_key"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.columns = key_columns(self.reference.child)

    @property
    def key(self) -> tuple[Column, ...]:
        """The key's columns."""
        return _named(self.reference.child, self.columns)

    @property
    def sifts(self) -> bool:
        """Whether to gather the parent's keys spares more look-ups than it costs."""
        facts = self.facts
        near = spans(facts, _WIDEST) and facts.ends is not None
        return near and facts.children >= _WORTH * facts.parents

    def prepare(self, context: Context, known: dict[Parent, Bits], pace: Pace) -> None:
        """Gather the parent's keys, where that is worth it."""
        if not self.sifts:
            return
        ((column, key),) = self.reference.columns
        parent = self.reference.parent.oid, key.name
        bits = known.get(parent) or gather_in_chunks(context, self.facts, pace)
        if bits:
            known[parent] = bits
            self.bits = replace(bits, column=column)

    def useless(self) -> Query:
        """Return the query that has a row where the key is not unique any more."""
        return not_unique(self.reference.child, self.columns)

    def chunk(self, last: Place, rows: int) -> Query:
        """Return the query of the next `rows` rows behind `last`."""
        reference = self.reference
        orphan = reference.orphan
        if self.bits:
            orphan = sql.SQL("{} AND {}").format(self.bits.lacking(), orphan)
        columns = dict.fromkeys((*self.columns, *reference.child_columns))
        text = query("walk_rows.sql").format(
            columns=_COMMA.join(sql.Identifier("c", name) for name in columns),
            rows=sql.Literal(rows),
            partial=reference.partial,
            orphan=orphan,
            most=sql.Literal(MOST_LOST),
            **self.order(last),
        )
        return Bound(text, self.bits.beside) if self.bits else text

    def order(self, last: Place) -> dict[str, sql.Composed]:
        """Return what a query of the rows behind `last` is made of."""
        key = [sql.Identifier("c", name) for name in self.columns]
        return {
            "child": self.reference.child_rows,
            "after": _behind("c", self.key, last),
            "key": _COMMA.join(key),
            "last": _COMMA.join(sql.SQL("{}::text").format(one) for one in key),
            "last_first": _COMMA.join(sql.SQL("{} DESC").format(one) for one in key),
        }


class ByReference(Path):
    """Along the referencing column: each value is looked for once, and the heap may not have to be read."""

    name = "walk_values"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        ((self._child, self._parent),) = self.reference.columns
        self.columns = (self._child.name,)

    def chunk(self, last: Place, rows: int) -> Query:
        """Return the query of the next `rows` rows behind `last`."""
        value = sql.SQL("c.value")
        return query("walk_values.sql").format(
            column=sql.Identifier(self._child.name),
            child=self.reference.child_rows,
            parent=self.reference.parent_rows,
            after=_behind("c", (self._child,), last),
            after_parent=_behind("p", (self._parent,), last, (self._child,)),
            equal=sql.SQL("{} = {}").format(sql.Identifier("p", self._parent.name), value),
            rows=sql.Literal(rows),
            most=sql.Literal(MOST_LOST),
        )


def takes_long(child: Table) -> bool:
    """Tell whether a child is so big that somebody may notice how long one query takes to read it."""
    return (child.rows_estimate or 0) >= _FEWEST_ROWS


def path_of(context: Context, reference: Reference) -> Path | None:
    """Return the index along which a reference's child is to be walked; None when one query is to do."""
    child = reference.child
    if context.chunk_seconds is None or not takes_long(child):
        return None
    if child.kind not in (TableKind.TABLE, TableKind.PARTITIONED):
        return None
    if not reference.only and child.has_children:
        return None  # a key is unique within each table alone
    if any(operator.left not in (None, parent.type) for (_, parent), operator in _compared(reference)):
        return None  # a parent's value that is cast is in no index
    facts = gather_facts(context, reference)
    if not facts.parent.orders:
        return None
    # A walk goes on behind the text of a value.
    if facts.alike and facts.single and facts.child.orders and reference.columns[0][0].faithful:
        return ByReference(facts)
    return ByKey(facts) if has_key(context, child) else None


def has_key(context: Context, child: Table) -> bool:
    """Tell whether a table has a key that is unique in this snapshot, and can be walked."""
    names = key_columns(child)
    if not names or not all(map(_leads_on, _named(child, names))):
        return False
    return not context.fetch(not_unique(child, names))


def _leads_on(column: Column) -> bool:
    # An index may tell values from each other that are equal by their column's collation.
    return column.faithful and column.deterministic and "." not in column.base_type


def _compared(reference: Reference) -> Iterator[tuple[tuple[Column, Column], Operator]]:
    return zip(reference.columns, reference.operators, strict=True)


def _named(table: Table, names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(column for name in names if (column := table.column(name)))


def _behind(
    alias: str, columns: Sequence[Column], last: Sequence[str], types: Sequence[Column] | None = None
) -> sql.Composed:
    """Write the condition that a row comes behind the last one that was read; `types` are those of `last`."""
    if not last:
        return sql.SQL("{} IS NOT NULL").format(sql.Identifier(alias, columns[0].name))
    return sql.SQL("({}) > ({})").format(_names(alias, columns), _values(types or columns, last))


def _names(alias: str, columns: Sequence[Column]) -> sql.Composed:
    return _COMMA.join(sql.Identifier(alias, column.name) for column in columns)


def _values(columns: Sequence[Column], values: Sequence[str]) -> sql.Composed:
    return _COMMA.join(
        sql.SQL("{}{}").format(sql.Literal(value), cast_to(column.base_type))
        for value, column in zip(values, columns, strict=True)
    )
