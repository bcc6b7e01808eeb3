"""References in SQL: which child rows refer to something, and which parent row they refer to.

Equality is decided as the server's own triggers do: by the operators of the key, with their casts, under the
collation of the parent's column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from pgvigil.catalog import Column, ForeignKey, Match, Operator, Table, TableKind
from pgvigil_checks.relations import Relation, column_pairs
from pgvigil_checks.samples import key_columns

# format_type() writes these without their length, and would mean a length of one if they were read back.
_UNBOUNDED = {"character": "pg_catalog.bpchar", "bit": 'pg_catalog."bit"'}

_AND, _OR, _COMMA = sql.SQL(" AND "), sql.SQL(" OR "), sql.SQL(", ")


def table_name(table: Table) -> sql.Composed:
    """Write the qualified name of a table."""
    return sql.SQL("{}").format(sql.Identifier(table.schema, table.name))


def cast_to(type_name: str) -> sql.SQL:
    """Write a cast to a type that `format_type` named; no length or precision is lost."""
    element = type_name.removesuffix("[]")
    array = type_name[len(element) :]
    return sql.SQL(f"::{_UNBOUNDED.get(element, element)}{array}")


@dataclass(frozen=True)
class Reference:
    """Child columns that refer to parent columns; child rows are `c` and parent rows `p` in what it writes.

    `only` leaves out the rows of inheriting tables, as declared keys do. `period` says that the last column
    is the period of a temporal key.
    """

    child: Table
    parent: Table
    columns: tuple[tuple[Column, Column], ...]
    operators: tuple[Operator, ...]
    match: Match
    period: bool
    only: bool

    @classmethod
    def declared(cls, key: ForeignKey) -> Reference:
        """Return the reference that a foreign key declares."""
        pairs = column_pairs(key.child, key.child_columns, key.parent, key.parent_columns)
        return cls(key.child, key.parent, tuple(pairs), key.operators, key.match, key.period, only=True)

    @classmethod
    def configured(cls, relation: Relation, operators: tuple[Operator, ...]) -> Reference:
        """Return the reference that a person wrote: tables mean what they mean in a SELECT."""
        pairs = tuple(relation.column_pairs())
        return cls(relation.child, relation.parent, pairs, operators, Match.SIMPLE, period=False, only=False)

    @property
    def child_columns(self) -> tuple[str, ...]:
        """The names of the referencing columns."""
        return tuple(child.name for child, _ in self.columns)

    @property
    def naming_columns(self) -> tuple[str, ...]:
        """The columns that name a child row and what it refers to; its key's come first, if it has one."""
        return tuple(dict.fromkeys((*key_columns(self.child), *self.child_columns)))

    @cached_property
    def child_rows(self) -> sql.Composed:
        """The child's rows, for FROM."""
        return self._rows(self.child)

    @cached_property
    def parent_rows(self) -> sql.Composed:
        """The parent's rows, for FROM."""
        return self._rows(self.parent)

    @cached_property
    def refers(self) -> sql.Composed:
        """Whether a child row refers to anything: none of its columns is NULL."""
        return _AND.join(self._null_tests("IS DISTINCT FROM"))

    @cached_property
    def partial(self) -> sql.Composed:
        """Whether a child row is at odds with MATCH FULL: some of its columns are NULL, but not all."""
        if self.match is not Match.FULL or len(self.columns) == 1:
            return sql.SQL("{}").format(sql.SQL("false"))
        some = _OR.join(self._null_tests("IS NOT DISTINCT FROM"))
        not_all = _OR.join(self._null_tests("IS DISTINCT FROM"))
        return sql.SQL("({}) AND ({})").format(some, not_all)

    @cached_property
    def equal(self) -> sql.Composed:
        """Whether a parent row has the key that a child row refers to (a period: whether they overlap)."""
        pairs = zip(self.columns, self.operators, strict=True)
        return _AND.join(_comparison(child, parent, operator) for (child, parent), operator in pairs)

    @cached_property
    def orphan(self) -> sql.Composed:
        """Whether a child row refers to something that does not exist."""
        return sql.SQL("{} AND NOT EXISTS (SELECT FROM {} AS p WHERE {}{})").format(
            self.refers, self.parent_rows, self.equal, self._covered
        )

    @property
    def _covered(self) -> sql.Composed:
        """The demand that the parents' periods together cover the child's, as the server's trigger has it."""
        if not self.period:
            return sql.Composed([])
        child, parent = self.columns[-1]
        return sql.SQL(" HAVING {} OPERATOR(pg_catalog.<@) pg_catalog.range_agg({})").format(
            sql.Identifier("c", child.name), sql.Identifier("p", parent.name)
        )

    def _rows(self, table: Table) -> sql.Composed:
        only = self.only and table.kind is not TableKind.PARTITIONED
        return sql.SQL("{}{}").format(sql.SQL("ONLY " if only else ""), table_name(table))

    def _null_tests(self, test: str) -> Sequence[sql.Composed]:
        # Not IS NULL: a composite value that is there, but whose fields are all NULL, is NULL to that.
        return [
            sql.SQL("{} {} NULL").format(sql.Identifier("c", child.name), sql.SQL(test))
            for child, _ in self.columns
        ]


def _comparison(child: Column, parent: Column, operator: Operator) -> sql.Composed:
    """Compare as RI_Initial_Check() of the server does: casts where types differ, the parent's collation."""
    symbol = sql.SQL(operator.name)
    collate = sql.Composed([])
    if parent.collation != child.collation:
        collate = sql.SQL(" COLLATE {}").format(sql.Identifier(*(parent.collation or child.collation or ())))
    return sql.SQL("{} OPERATOR({}.{}) {}{}").format(
        _operand("p", parent, operator.left),
        sql.Identifier(operator.schema),
        symbol,
        _operand("c", child, operator.right),
        collate,
    )


def _operand(alias: str, column: Column, type_name: str | None) -> sql.Composed:
    # A polymorphic operator takes the column as it is, but not always through a domain.
    wanted = type_name or column.base_type
    cast = sql.SQL("") if column.type == wanted else cast_to(wanted)
    return sql.SQL("{}{}").format(sql.Identifier(alias, column.name), cast)
