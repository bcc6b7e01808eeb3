"""Orphans where only what was written since the last run is looked at again, in one snapshot.

Whether a row is an orphan depends on its reference and on the parents alone. So those that there may be now
refer as a former orphan did, as a row that was written since does, or to a parent that was deleted or got
another key. Of these keys most have a parent; only of the others rows are counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter

from psycopg import sql

from pgvigil.catalog import Column, Match, Table, may_be_damaged
from pgvigil.check import Context, JsonValue, Row, State, Touched
from pgvigil_checks.orphans.strategy import query
from pgvigil_checks.references import Reference, cast_to

LOST = "lost"
"""Where a check's memory holds the references of its orphans, if they are few."""

MOST_LOST = 1_000
# As JSON, the way it is counted: a character that is not ASCII takes six. A memory may take 64 KB in all.
_MOST_BYTES = 48 << 10
# About a tenth of a second in one snapshot.
_MOST_KEYS = 25_000

FEW_KEYS = 2_000
"""So many are looked up before it is known what else could be done."""

LOOK_UP = 40.0
"""What a key costs, in rows of a bare scan, as strategies do."""

# Their text means the same in every session, and equal values are the same key.
_PLAIN_TYPES = frozenset(
    (
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "text",
        "character varying",
        "character",
        "uuid",
        "boolean",
        "bytea",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
    )
)
_COMMA = sql.SQL(", ")

Key = tuple[str, ...]
"""A reference: the text of each of its columns, none of them NULL."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the changed keys gave: how many keys were judged, and the orphans by their reference."""

    judged: int
    orphans: int
    lost: tuple[Key, ...]
    among: sql.Composed | None


def remembered(lost: Sequence[Key] | None) -> dict[str, JsonValue]:
    """Return the memory of the references of all orphans; of nothing when they are not known, or too many."""
    if lost is None or len(lost) > MOST_LOST or _damaged(lost):
        return {LOST: None}
    kept: list[JsonValue] = [list(key) for key in lost]
    return {LOST: kept if len(json.dumps(kept)) <= _MOST_BYTES else None}


def written(context: Context, reference: Reference) -> tuple[Touched, Touched] | None:
    """Ask what was written to child and parent, before either is read; None when that is of no use."""
    # Both are always asked: the answers to the next run begin here.
    child, parent = context.touched(reference.child), context.touched(reference.parent)
    return None if child is None or parent is None or not _fit(reference) else (child, parent)


def keys_written(context: Context, reference: Reference, child: Touched, parent: Touched) -> list[Key] | None:
    """Return the references whose rows may be orphans now; None when all rows have to be looked at."""
    former = _former(context, reference)
    pairs = [(one.name, other.name) for one, other in reference.columns]
    keys = suspects(pairs, child, parent, former) if former is not None else None
    return None if keys is None or len(keys) > _MOST_KEYS or _damaged(keys) else keys


def look_again(context: Context, reference: Reference, keys: Sequence[Key]) -> Seen | None:
    """Judge only rows with these references; None when all have to be looked at."""
    if not keys:
        return Seen(0, 0, (), None)
    lacking = query("changed_keys.sql").format(
        columns=_texts(reference), keys=_keys(reference, keys), orphan=reference.orphan
    )
    lost = [_key(reference, row) for row in context.fetch(lacking)]
    return _counted(context, reference, len(keys), lost) if lost else Seen(len(keys), 0, (), None)


def lost_now(
    context: Context, reference: Reference, orphans: int, among: sql.Composed | None, *, remember: bool
) -> State:
    """Return the memory of the orphans that were counted by another method.

    None cost nothing; some take one more pass, which `among` narrows, and which only `remember` is worth.
    """
    if not orphans:
        return remembered(())
    if not remember or orphans > MOST_LOST:
        return remembered(None)
    lost = all_lost(context, reference, among)
    return remembered(list(lost) if sum(lost.values()) == orphans else None)


def all_lost(context: Context, reference: Reference, among: sql.Composed | None = None) -> dict[Key, int]:
    """Count the orphans by their reference, up to more references than are remembered."""
    narrowed = sql.SQL("{} AND ").format(among) if among is not None else sql.Composed([])
    lost = query("changed_lost.sql").format(
        columns=_texts(reference),
        positions=_positions(reference),
        child=reference.child_rows,
        orphan=sql.Composed([narrowed, reference.orphan]),
        most=sql.Literal(MOST_LOST + 1),
    )
    return {_key(reference, row): row["rows"] for row in context.fetch(lost)}


def suspects(
    pairs: Sequence[tuple[str, str]], child: Touched, parent: Touched, former: Iterable[Key]
) -> list[Key] | None:
    """Return the references whose rows may be orphans now; None when some of them were not told.

    `pairs` are the names of the columns of child and parent that belong together.
    """
    # How a row was before is known in its identity alone, and so is whether an update changed it.
    if (parent.new or parent.old) and not parent.identity.issuperset(name for _, name in pairs):
        return None
    children = _keys_in(child.new, [name for name, _ in pairs])
    parents = _keys_in(parent.old, [name for _, name in pairs])
    if children is None or parents is None:
        return None
    return list(dict.fromkeys((*former, *children, *parents)))


def _keys_in(rows: Sequence[Mapping[str, str | None]], names: Sequence[str]) -> list[Key] | None:
    """Return the different keys in some columns of rows; None where one of these was not told."""
    try:
        found = dict.fromkeys(map(itemgetter(*names), rows))
    except KeyError:
        return None
    keys = found if len(names) > 1 else ((text,) for text in found)
    # What is NULL in part refers to nothing, and nothing refers to it.
    return [key for key in keys if None not in key]


def _fit(reference: Reference) -> bool:
    """Whether the keys of child and parent can be compared as texts that are cast back."""
    whole = reference.match is Match.SIMPLE or len(reference.columns) == 1
    return (
        whole and not reference.period and all(_alike(child, parent) for child, parent in reference.columns)
    )


def _alike(child: Column, parent: Column) -> bool:
    return (
        child.base_type == parent.base_type
        and child.faithful
        and child.base_type in _PLAIN_TYPES
        and child.collation == parent.collation
        and child.deterministic
        and parent.deterministic
    )


def _damaged(keys: Iterable[Key]) -> bool:
    """Whether a text may stand for bytes that are none: it finds other rows than those that it came from."""
    return may_be_damaged(chain.from_iterable(keys))


def _former(context: Context, reference: Reference) -> list[Key] | None:
    """Return the references of the orphans of the last run; None when they are not remembered."""
    kept = context.memory.get(LOST)
    if not isinstance(kept, Sequence) or isinstance(kept, str):
        return None
    keys = [tuple(str(text) for text in key) for key in kept if isinstance(key, Sequence)]
    return keys if all(len(key) == len(reference.columns) for key in keys) else None


def _counted(context: Context, reference: Reference, judged: int, lost: Sequence[Key]) -> Seen | None:
    """Count the rows that refer to what there is not, through an index of the child; None without one."""
    if not _indexed(reference.child, set(reference.child_columns)):
        return None
    among = _among(reference, lost)
    count = query("changed_count.sql").format(
        columns=_texts(reference),
        positions=_positions(reference),
        child=reference.child_rows,
        among=among,
    )
    rows = context.fetch(count)
    keys = tuple(_key(reference, row) for row in rows)
    return Seen(judged, sum(row["rows"] for row in rows), keys, among)


def _indexed(table: Table, columns: set[str]) -> bool:
    """Whether an index leads with these columns, in any order."""
    return any(
        index.valid
        and not index.partial
        and index.method == "btree"
        and set(index.columns[: len(columns)]) == columns
        for index in table.indexes
    )


def _among(reference: Reference, keys: Sequence[Key]) -> sql.Composed:
    """Write the condition that a child row refers to one of these keys."""
    arrays = _arrays(reference, keys)
    names = [sql.Identifier("c", name) for name in reference.child_columns]
    if len(names) == 1:
        return sql.SQL("{} = ANY ({})").format(names[0], arrays[0])
    return sql.SQL("({}) IN (SELECT * FROM unnest({}))").format(_COMMA.join(names), _COMMA.join(arrays))


def _keys(reference: Reference, keys: Sequence[Key]) -> sql.Composed:
    """Write the keys as rows that look like the child's."""
    return sql.SQL("unnest({}) AS c ({})").format(
        _COMMA.join(_arrays(reference, keys)),
        _COMMA.join(sql.Identifier(name) for name in reference.child_columns),
    )


def _arrays(reference: Reference, keys: Sequence[Key]) -> list[sql.Composed]:
    """Write the keys as one array for each column, of the column's type without a length."""
    return [
        sql.SQL("{}{}").format(sql.Literal([key[number] for key in keys]), cast_to(f"{column.base_type}[]"))
        for number, (column, _) in enumerate(reference.columns)
    ]


def _texts(reference: Reference) -> sql.Composed:
    return _COMMA.join(
        sql.SQL("{}::text AS {}").format(sql.Identifier("c", name), sql.Identifier(f"key{number}"))
        for number, name in enumerate(reference.child_columns)
    )


def _positions(reference: Reference) -> sql.Composed:
    return _COMMA.join(sql.Literal(number + 1) for number in range(len(reference.columns)))


def _key(reference: Reference, row: Row) -> Key:
    return tuple(row[f"key{number}"] for number in range(len(reference.columns)))
