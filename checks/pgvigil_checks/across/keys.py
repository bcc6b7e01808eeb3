"""Keys of a pair as both sides write them, and which of them are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pgvigil.catalog import Column
from pgvigil_checks.across.canonical import native
from pgvigil_checks.table_drift_model import KeyPart, Match


class DamagedKeyError(Exception):
    """The text of a key may be another key's when it is sent back."""

    def __init__(self) -> None:
        super().__init__(
            "a key holds U+FFFD, which may stand for bytes that are no text: nothing is found by it again. "
            "Mend such keys first"
        )


Key: TypeAlias = "tuple[str, ...]"
"""The parts of a key, as canonical texts."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Some of a pair's keys: from `low` on, below `high`, in some buckets.

    A bucket is the last `bits` bits of a number that stands for the key; `buckets` None are all of them.
    """

    low: Key | None = None
    high: Key | None = None
    bits: int = 0
    buckets: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a key: what is compared, and the type by which an index finds it, if one does."""

    part: KeyPart
    columns: Match
    native: str | None

    @classmethod
    def of(cls, part: KeyPart) -> Part:
        """Return the part, whose expressions were settled."""
        columns = _described(part.left), _described(part.right)
        found = native(part.equality, *columns) if part.columns else None
        return cls(part, columns, found)


def _described(stands: object) -> Column:
    """Return a column, or what describes an expression like one, which the server was asked for."""
    if isinstance(stands, Column):
        return stands
    values = getattr(stands, "values", None)
    if not isinstance(values, Column):
        raise TypeError("an expression of the key was not settled")
    return values
