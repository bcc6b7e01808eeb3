"""What was planted, in terms of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SAMPLE = 20


class Kind(StrEnum):
    """What is wrong."""

    NOT_VALID = "not_valid"
    TRIGGERS_DISABLED = "triggers_disabled"
    REPLICA_LOAD = "replica_load"
    WRONG_PARENT = "wrong_parent"
    MISSING_KEY = "missing_key"
    INVALID_INDEX = "invalid_index"
    ORPHANS = "orphans"
    LEFT_ONLY = "left_only"
    RIGHT_ONLY = "right_only"
    CHANGED = "changed"
    TOLERATED = "tolerated"
    LEFT_DUPLICATE = "left_duplicate"
    LEFT_NULL_KEY = "left_null_key"
    RIGHT_NULL_KEY = "right_null_key"


BROKEN_KEYS = frozenset(
    {
        Kind.NOT_VALID,
        Kind.TRIGGERS_DISABLED,
        Kind.REPLICA_LOAD,
        Kind.WRONG_PARENT,
        Kind.MISSING_KEY,
        Kind.INVALID_INDEX,
    }
)


@dataclass(frozen=True)
class Planted:
    """One fault that is in the database.

    `relation`, `constraint` and `pair` are written as subjects are; what does not apply is None. `rows`
    counts the rows at fault exactly, and `keys` names them by key and offending value: all of them up to 20,
    else the first 20 in the order of the key. `columns` are the columns at fault: the referencing ones of a
    relation, or for a pair the left names of those in which every row at fault differs. `partially_null` of
    the rows have a NULL in some but not all columns of a MATCH FULL key. A fault that is `configured` shows
    only to somebody who knows of its relation or pair: the database does not declare it.
    """

    fault: str
    kind: Kind
    description: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    keys: tuple[Mapping[str, Any], ...] = ()
    relation: str | None = None
    constraint: str | None = None
    pair: str | None = None
    partially_null: int = 0
    configured: bool = False


@dataclass(frozen=True)
class Drift:
    """How the two tables of an entity pair differ, over all faults.

    A row whose key is NULL is counted as such and not as left or right only. A duplicate is a second row that
    agrees with the first, and is counted as such only. A tolerated row differs by less than the configured
    tolerance, and is not changed.
    """

    left_only: int = 0
    right_only: int = 0
    changed: int = 0
    changed_by_column: Mapping[str, int] = field(default_factory=dict)
    left_duplicates: int = 0
    left_null_keys: int = 0
    right_null_keys: int = 0
    tolerated: int = 0


def drift_of(faults: Iterable[Planted]) -> Drift:
    """Add up how the game pair differs. No row is touched by two faults."""
    rows = Counter[Kind]()
    columns = Counter[str]()
    for planted in faults:
        rows[planted.kind] += planted.rows
        if planted.kind is Kind.CHANGED:
            columns.update(dict.fromkeys(planted.columns, planted.rows))
    return Drift(
        left_only=rows[Kind.LEFT_ONLY],
        right_only=rows[Kind.RIGHT_ONLY],
        changed=rows[Kind.CHANGED],
        changed_by_column=dict(sorted(columns.items())),
        left_duplicates=rows[Kind.LEFT_DUPLICATE],
        left_null_keys=rows[Kind.LEFT_NULL_KEY],
        right_null_keys=rows[Kind.RIGHT_NULL_KEY],
        tolerated=rows[Kind.TOLERATED],
    )
