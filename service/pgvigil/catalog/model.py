"""The catalog: an immutable picture of a target, read from pg_catalog in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from pgvigil.catalog.names import RelationName, TableName, qualified, quote
from pgvigil.catalog.scope import Scope
from pgvigil.patterns import matches


class TableKind(StrEnum):
    """What pg_class.relkind says, in words."""

    TABLE = "table"
    PARTITIONED = "partitioned"
    FOREIGN = "foreign"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized_view"


# What keeps its rows itself, so that they change by its WAL alone.
_STORED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.MATERIALIZED_VIEW)


class Match(StrEnum):
    """How a foreign key treats NULLs (pg_constraint.confmatchtype)."""

    SIMPLE = "s"
    FULL = "f"
    PARTIAL = "p"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Types are written as `format_type` writes them with only pg_catalog in the search path.

    `base_type` is the type under all domains, without its modifier. `collation` is (schema, name) of a
    collatable column, else None; `deterministic` says whether equal means byte-equal under it. `not_null` is
    what a validated constraint says. `comparable` tells whether values have an equality operator (json, xml,
    point, and what contains them, have none). `faithful` tells whether values come back as they were once
    they have been text on the client (see `may_be_damaged`). `filled` tells whether the server gives a value
    where none was given: a default, an identity or a generated one. `identity` is pg_attribute.attidentity:
    `a` always, `d` by default, else empty.
    """

    name: str
    number: int
    type: str
    base_type: str
    category: str
    not_null: bool
    collation: tuple[str, str] | None
    deterministic: bool
    comparable: bool
    faithful: bool
    generated: bool
    filled: bool = False
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A unique or primary key in force: valid, not partial, no expressions. Columns are in index order."""

    index: str
    columns: tuple[str, ...]
    primary: bool
    nulls_not_distinct: bool


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `columns` are the key columns in order, None where there is an expression."""

    oid: int
    name: str
    columns: tuple[str | None, ...]
    method: str
    unique: bool
    valid: bool
    partial: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table, foreign table or view.

    `rows_estimate` is pg_class.reltuples (None when never analysed), `pages` counts 8 kB blocks. Of a
    partitioned table both are sums over the partitions of which they are known; the rows are None, never 0,
    where some are not. `partition_of` is the oid of the direct parent of a partition (a partition whose
    DETACH CONCURRENTLY has begun is none any more); `inherits` the oids of the parents in plain inheritance.
    `has_children` tells whether any table inherits from this one in that way. `logged` is False for an
    unlogged table, whose rows leave no trace in the WAL. `file` is pg_class.relfilenode: another one after
    the table was rewritten. `row_security_forced` tells whether its owner is subject to it as well.
    """

    oid: int
    schema: str
    name: str
    kind: TableKind
    owner: str
    partition_of: int | None
    inherits: tuple[int, ...]
    has_children: bool
    logged: bool
    file: int
    row_security: bool
    rows_estimate: float | None
    pages: int
    columns: tuple[Column, ...]
    keys: tuple[Key, ...]
    indexes: tuple[Index, ...]
    row_security_forced: bool = False

    def __str__(self) -> str:
        return qualified(self.schema, self.name)

    @property
    def is_partition(self) -> bool:
        """Whether this is a partition: its rows are judged at the root."""
        return self.partition_of is not None

    @property
    def shape(self) -> tuple[object, ...]:
        """What its rows, and their order along an index, depend on beside what is written."""
        columns = [(one.name, one.number, one.type, one.collation) for one in self.columns]
        return self.oid, self.file, columns

    def column(self, name: str) -> Column | None:
        """Return the column of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        return None


@dataclass(frozen=True, slots=True)
class Operator:
    """An equality operator of a foreign key: parent's value on the left, child's on the right.

    `left` and `right` are the types to which the operands are cast, as the server's own triggers do; None for
    a polymorphic operand (anyarray, anyenum, anyrange, record), which takes the column as it is. `immutable`
    is False when it, or a cast to its operands, depends on the session, as timestamps with and without time
    zone compare by its TimeZone.
    """

    schema: str
    name: str
    left: str | None
    right: str | None
    immutable: bool = True


@dataclass(frozen=True, slots=True)
class TriggerState:
    """One of a foreign key's internal triggers that does not fire for ordinary sessions.

    `enabled` is pg_trigger.tgenabled: `D` disabled, `R` fires in replica role only, `O` does not fire in
    replica role, which this database gives to ordinary sessions; or `N` when the table does not know that it
    has triggers (pg_class.relhastriggers).
    """

    table: str
    name: str
    enabled: str


@dataclass(frozen=True)
class ForeignKey:
    """A declared relation: one constraint, at the root of its partition trees.

    `operators` pair up with the columns. `validated` and `enforced` speak for the partitions as well: False
    for NOT VALID and NOT ENFORCED (18) keys; `period` is True for temporal ones (18). `index_valid` tells
    whether the referenced unique index, and all of its partitions', are there, valid and ready.
    `idle_triggers` are those that would not fire for an ordinary writer; `triggers` counts all that the
    constraint and its clones have; `missing_triggers` names, as (table, event), what nothing looks at.
    """

    oid: int
    name: str
    child: Table
    child_columns: tuple[str, ...]
    parent: Table
    parent_columns: tuple[str, ...]
    match: Match
    operators: tuple[Operator, ...]
    validated: bool
    enforced: bool
    period: bool
    index_name: str
    index_valid: bool
    triggers: int
    idle_triggers: tuple[TriggerState, ...]
    missing_triggers: tuple[tuple[str, str], ...]
    # Set when an older constraint has the very same relation: the younger one's subject carries its name.
    twin: bool = False

    # Names are asked for again and again, and a catalog may have tens of thousands of keys.
    @cached_property
    def relation(self) -> RelationName:
        """The relation that this constraint declares."""
        return RelationName(
            TableName(self.child.schema, self.child.name),
            self.child_columns,
            TableName(self.parent.schema, self.parent.name),
            self.parent_columns,
        )

    @cached_property
    def subject(self) -> str:
        """The name of this key as a subject; unique within a target."""
        text = str(self.relation)
        return f"{text} ({quote(self.name)})" if self.twin else text


@dataclass(frozen=True)
class Catalog:
    """A target at one moment. Holds every user schema; `scope` says which of them are watched."""

    server_version: int
    """As `server_version_num`: 160014 is 16.14."""
    database: str
    in_recovery: bool
    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]
    schemas: tuple[str, ...] = ()
    """All user schemas, also those without tables."""
    schema_owners: tuple[str, ...] = ()
    """The owner of each of them."""
    server: str = ""
    """Since when its server runs; empty where nobody wants to know."""
    encoding: str = ""
    """The database's, as the server writes it."""
    scope: Scope = field(default_factory=Scope)

    def table(self, name: TableName) -> Table | None:
        """Return the table of that name."""
        return self._by_name.get((name.schema, name.name))

    def by_oid(self, oid: int) -> Table | None:
        """Return the table with that oid."""
        return self._by_oid.get(oid)

    def named(self, name: str) -> tuple[Table, ...]:
        """Return the tables of that name in any schema."""
        return self._by_bare_name.get(name, ())

    def with_all_below(self, table: Table) -> Iterator[Table]:
        """Yield a table and everything that is read with it: its partitions, and what inherits from it."""
        yield table
        for child in self._children.get(table.oid, ()):
            yield from self.with_all_below(child)

    @property
    def release(self) -> str:
        """The server's version as PostgreSQL writes it: `16.14`."""
        major, minor = divmod(self.server_version, 10_000)
        return f"{major}.{minor}"

    def in_wal(self, *tables: Table) -> bool:
        """Tell whether all of these, with what is read with them, keep their rows themselves and log them."""
        return all(
            part.logged and part.kind in _STORED for one in tables for part in self.with_all_below(one)
        )

    def unmatched_includes(self) -> Iterator[tuple[int, str]]:
        """Yield the patterns of the scope's include, with their positions, that no schema matches.

        The usual `*` is never wrong. Any other that matches nothing means that what somebody wanted to be
        watched is not.
        """
        for position, pattern in enumerate(self.scope.include):
            if pattern != "*" and not any(matches(schema, pattern) for schema in self.schemas):
                yield position, pattern

    def watched_tables(self) -> Iterator[Table]:
        """Yield the tables in scope that hold rows: no views, no partitions (judged at their root).

        A root is in scope when one of its partitions is, wherever it lies itself.
        """
        for table in self.tables:
            if (
                table.kind in (TableKind.TABLE, TableKind.PARTITIONED, TableKind.FOREIGN)
                and not table.is_partition
                and table.oid in self._watched
            ):
                yield table

    def watched_foreign_keys(self) -> Iterator[ForeignKey]:
        """Yield the foreign keys whose child is in scope, or a partition of it."""
        return (key for key in self.foreign_keys if key.child.oid in self._watched)

    @cached_property
    def _watched(self) -> frozenset[int]:
        """The oids of all relations in the watched schemas, and of what they are partitions of."""
        found: set[int] = set()
        for table in self.tables:
            above: Table | None = table if self.scope.watches(table.schema) else None
            while above is not None and above.oid not in found:
                found.add(above.oid)
                above = None if above.partition_of is None else self.by_oid(above.partition_of)
        return frozenset(found)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables}

    @cached_property
    def _by_oid(self) -> dict[int, Table]:
        return {table.oid: table for table in self.tables}

    @cached_property
    def _children(self) -> dict[int, list[Table]]:
        found: dict[int, list[Table]] = {}
        for table in self.tables:
            for parent in (table.partition_of, *table.inherits):
                if parent is not None:
                    found.setdefault(parent, []).append(table)
        return found

    @cached_property
    def _by_bare_name(self) -> dict[str, tuple[Table, ...]]:
        found: dict[str, tuple[Table, ...]] = {}
        for table in self.tables:
            found[table.name] = (*found.get(table.name, ()), table)
        return found
