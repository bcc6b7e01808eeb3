"""What may become of a schema between two moments, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgvigil.catalog.names import TableName, quote


class ChangeKind(StrEnum):
    """What happened to a part. A table is attached when it is a partition by now."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    RECREATED = "re-created"
    ATTACHED = "attached"


class Part(StrEnum):
    """What it happened to. What a table or a column has, such as an owner or a type, is a part of its own."""

    TABLE = "table"
    KIND = "kind"
    OWNER = "owner"
    ROW_SECURITY = "row-level security"
    PERSISTENCE = "persistence"
    COLUMN = "column"
    TYPE = "type"
    COLLATION = "collation"
    GENERATED = "generated"
    IDENTITY = "identity"
    NOT_NULL = "not null"
    CONSTRAINT = "constraint"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    `table` is named as it is now, or as it was when it is gone; so is `name`, a column's or constraint's,
    empty for the table itself. A table without a name stands for its schema. `before` and `after` say what
    was and is there, in SQL's words; empty where nothing was or is.

    `loses` tells whether rows, or a protection of rows, are gone with it.
    """

    kind: ChangeKind
    part: Part
    table: TableName
    name: str = ""
    before: str = ""
    after: str = ""
    loses: bool = False

    @property
    def what(self) -> str:
        """What changed, by its name: `column curated.games.title`."""
        if not self.table.name:
            return f"{self.part} of schema {quote(self.table.schema)}"
        mark = "/" if self.part is Part.CONSTRAINT else "."
        name = f"{self.table}{mark}{quote(self.name)}" if self.name else str(self.table)
        parts = (Part.TABLE, Part.COLUMN, Part.CONSTRAINT)
        return f"{self.part} {name}" if self.part in parts else f"{self.part} of {name}"

    def __str__(self) -> str:
        if self.kind in (ChangeKind.CHANGED, ChangeKind.RENAMED):
            was = f"{self.what} was {self.before}"
            return was if self.kind is ChangeKind.RENAMED else f"{was}, is {self.after}"
        said = self.after or self.before
        # That a table is a table need not be said.
        return (
            f"{self.what} {self.kind}: {said}" if said and said != self.part else f"{self.what} {self.kind}"
        )
