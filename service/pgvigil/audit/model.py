"""What an audit says, in one tree of plain values: every format is a view of it.

Figures of rows are estimates of the server's own; `None` stands for what is not known, never for zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgvigil.catalog import Change, Column, PairName, RelationName, SchemaState, TableKind, TableName
from pgvigil.check import Severity


class Origin(StrEnum):
    """Who says that a relation or an entity pair holds."""

    DECLARED = "declared"
    CONFIGURED = "configured"
    INFERRED = "inferred"


class Crossing(StrEnum):
    """What a relation leaves on its way to its parent."""

    NONE = ""
    SCHEMA = "schema"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class TableInventory:
    """One table with its partitions, or a foreign table; views are not counted as tables.

    `bytes` holds indexes and TOAST as well. `zone` is the zone's schema, empty outside of all. `readable`
    tells whether the role may read all of it; `columns_unreadable` names what it may not, where it may read
    some. `primary_key` is empty where there is none.
    """

    name: TableName
    kind: TableKind
    owner: str
    rows_estimated: int | None
    bytes: int | None
    partitions: int
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    last_analyzed: datetime | None = None
    last_vacuumed: datetime | None = None
    comment: str = ""
    zone: str = ""
    readable: bool = True
    columns_unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaInventory:
    """A schema with the sums over its tables; one without tables is not listed."""

    name: str
    tables: int
    rows_estimated: int
    bytes: int
    zone: bool = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is, in the order of names. `foreign_keys` are the declared ones."""

    schemas: tuple[SchemaInventory, ...]
    tables: tuple[TableInventory, ...]
    foreign_keys: int
    broken_foreign_keys: int

    @property
    def rows_estimated(self) -> int:
        """The rows of all tables, as far as they are known."""
        return sum(schema.rows_estimated for schema in self.schemas)

    @property
    def bytes(self) -> int:
        """The size of all tables, as far as it is known."""
        return sum(schema.bytes for schema in self.schemas)


@dataclass(frozen=True, slots=True)
class MapRelation:
    """An edge of the map. `subject` names it everywhere.

    `probability` is 1 for what is declared or configured. `broken` says why it does not hold, None where
    nothing tells that it does not; `impact` then says how bad that is, and `rows_at_risk` how many rows the
    child is estimated to have: 0 where it is empty, so that nothing was lost yet. `constraint` is the name of
    the foreign key, empty where none is declared. `condition` belongs to a polymorphic relation: the child's
    column and the value that names this parent.
    """

    subject: str
    relation: RelationName
    origin: Origin
    probability: float = 1.0
    evidence: tuple[str, ...] = ()
    broken: str | None = None
    impact: Severity | None = None
    rows_at_risk: int | None = None
    constraint: str = ""
    crosses: Crossing = Crossing.NONE
    condition: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class MapPair:
    """Two tables that hold the same entity; `key` and `columns` map the left names to the right ones.

    `referenced` is the side that other tables refer to, `fresher` the one that was written to last: "left",
    "right", or "" where it is neither or both. `right_target` names the target of the right table where that
    is another one.
    """

    left: TableName
    right: TableName
    origin: Origin
    probability: float
    key: Mapping[str, str]
    columns: Mapping[str, str]
    evidence: tuple[str, ...] = ()
    tolerance: Mapping[str, float | str] = field(default_factory=dict)
    referenced: str = ""
    fresher: str = ""
    right_target: str | None = None

    @property
    def subject(self) -> str:
        """The name of the pair as a subject."""
        return str(PairName(self.left, self.right, self.right_target))


class FragmentKind(StrEnum):
    """In which way something is in pieces."""

    TWIN = "twin"
    PAIR = "pair"
    SMALL_SCHEMA = "small_schema"
    CROSS_SCHEMA = "cross_schema"
    CROSS_ZONE = "cross_zone"


@dataclass(frozen=True, slots=True)
class Fragment:
    """Something that is in pieces, or is held together over a boundary.

    `subjects` are tables, schemas, relations or entity pairs, as they are written everywhere. `rows_at_risk`
    are the estimated rows that would have to move, or could be lost, when it is mended: those of all but the
    fullest of several tables for one entity, of a small schema's tables, of a reference's child. It is 0
    where these are empty, and None where that is not known of some of them.
    """

    kind: FragmentKind
    title: str
    subjects: tuple[str, ...]
    impact: Severity
    rows_at_risk: int | None


class IndexFault(StrEnum):
    """What is to be said of an index, or of one that is not there."""

    UNUSED = "unused"
    DUPLICATE = "duplicate"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class IndexNote:
    """An index that nobody scans, that another one makes superfluous, or that is missing.

    `name` is `schema.index`, empty for a missing one. `other` is the index that does the same work, or the
    relation that lacks one. `bytes` is what the index takes, or the size of the table that lacks it.
    """

    fault: IndexFault
    table: TableName
    columns: tuple[str, ...]
    name: str = ""
    other: str = ""
    bytes: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """All that an audit found. Relations and pairs come best known first, the worst fragments first.

    `sampled` tells whether rows were read for it. `counters_since` is when the server began to count scans
    and writes; None where it does not say. `unknown` says in a line each what could not be looked at.
    `changes` are those since the audit that this one is compared with, which was taken at `compared_with`, of
    the database `compared_database` where that is another one.
    """

    target: str
    database: str
    server_version: str
    taken_at: datetime
    inventory: Inventory
    relations: tuple[MapRelation, ...] = ()
    entity_pairs: tuple[MapPair, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    indexes: tuple[IndexNote, ...] = ()
    unknown: tuple[str, ...] = ()
    sampled: bool = False
    counters_since: datetime | None = None
    zones: tuple[str, ...] = ()
    state: SchemaState | None = None
    changes: tuple[Change, ...] = ()
    compared_with: datetime | None = None
    compared_database: str = ""
