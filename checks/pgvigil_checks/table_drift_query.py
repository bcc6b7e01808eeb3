"""Composes the queries of an entity pair.

Inside them the parts of the key are k1, k2, … and the compared columns c1, c2, …, on both sides: names of any
length and kind appear only where the tables are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from psycopg import sql

from pgvigil.catalog import Column, Table, TableKind
from pgvigil.check import load_sql
from pgvigil_checks.samples import key_columns
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair, KeyPart
from pgvigil_checks.table_drift_types import as_numeric, trusted

SHOWN = 200
"""How many characters of a value a sample holds at the most: the store keeps it."""

Composed: TypeAlias = "sql.SQL | sql.Composed"

OfSide: TypeAlias = "Callable[[EntityPair, str, Sequence[str]], Composed]"
"""Composes the query of one side of a pair, `left` or `right`, with names for the key's parts."""


def figures(pair: EntityPair) -> Composed:
    """Compose the query of all counts, see table_drift_figures.sql; positions start with 1."""
    extra = sql.SQL(", {} AS newer").format(_newer(pair))
    return _template("figures").format(
        keys=_keys(pair, pair.columns, (_measured, "text"), extra=extra, wanted=sql.SQL("true"))
    )


def rows(pair: EntityPair, columns: Sequence[ColumnPair], labels: Sequence[str]) -> Composed:
    """Compose the query of the rows at fault; `columns` are those in which some row differs."""
    values = {
        side: _array((_short(side, f"c{n}") for n in range(1, len(columns) + 1)), "text") for side in "lr"
    }
    extra = sql.SQL(", {key}, {names} AS names, {left} AS left_values, {right} AS right_values").format(
        key=_list(sql.SQL("{} AS {}").format(_either(n), _id(f"k{n}")) for n, _ in _numbered(pair)),
        names=_array((sql.Literal(column.left.name) for column in columns), "text"),
        left=values["l"],
        right=values["r"],
    )
    wanted = sql.SQL("l.copies IS NULL OR r.copies IS NULL OR {}").format(_changed(columns))
    return _template("rows").format(
        key=_shown_key(pair, "k", labels),
        keys=_keys(pair, columns, (lambda n, _: sql.Literal(n), "int"), extra=extra, wanted=wanted),
        order=_key_names(pair, "k"),
        **_own(labels, "drift", "copies", "columns", "left_values", "right_values"),
    )


def duplicates(pair: EntityPair, side: str, labels: Sequence[str]) -> Composed:
    """Compose the query of the keys that one side, `left` or `right`, holds more than once."""
    return _template("duplicates").format(
        which=sql.Literal(side),
        **_own(labels, "side", "copies"),
        key=_shown_key(pair, "s", labels, within='pg_catalog.min({} COLLATE pg_catalog."C")'),
        columns=_key_columns(pair, side),
        table=_name(pair.table(side)),
        names=_key_names(pair, "s"),
    )


def null_keys(pair: EntityPair, side: str, labels: Sequence[str]) -> Composed:
    """Compose the query of the rows without a key on one side."""
    table = pair.table(side)
    fields = (
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier("t", name)) for name in key_columns(table)
    )
    identity = sql.SQL("pg_catalog.jsonb_build_object({})").format(_list(fields))
    return _template("null_keys").format(
        which=sql.Literal(side),
        **_own(labels, "side", "row_id"),
        key=_shown_key(pair, "s", labels),
        columns=_key_columns(pair, side),
        identity=identity,
        table=_name(table),
        names=_key_names(pair, "s"),
    )


def aliases(pair: EntityPair) -> list[str]:
    """Return the names of the key's parts in a query's result: k1, k2 and so on."""
    return [f"k{n}" for n, _ in _numbered(pair)]


def labels(pair: EntityPair) -> list[str]:
    """Return the names of the key's parts as people know them."""
    return [part.label for part in pair.key]


def own(name: str, key: Sequence[str]) -> str:
    """Return how a column of ours is called in a result beside the key's parts, whose names come first."""
    while name in key:
        name += "_"
    return name


def evidence(pair: EntityPair, *queries: Composed) -> str:
    """Write queries of the same columns as one, to be pasted into psql.

    It shows the same rows whatever that session's search path and time zone. An expression of the settings
    may depend on either, so that with one the query comes in a transaction that sets them.
    """
    texts = [query.as_string(None) for query in queries]
    joined = texts[0] if len(texts) == 1 else "\nUNION ALL\n".join(f"({text})" for text in texts)
    if all(part.columns for part in pair.key):
        return f"{joined};"
    return f"{_template('expression_settings').as_string(None)};\n{joined};\nCOMMIT;"


def at_most(query: Composed, limit: int) -> sql.Composed:
    """Bound a query's result."""
    return sql.SQL("{}\nLIMIT {}").format(query, sql.Literal(limit))


def _keys(
    pair: EntityPair,
    columns: Sequence[ColumnPair],
    told: tuple[Callable[[int, ColumnPair], sql.Composable], str],
    *,
    extra: sql.Composable,
    wanted: sql.Composable,
) -> Composed:
    """Compose the query of all keys.

    `told` writes what is said of a column that differs, by its position, and names the type of that.
    """
    tell, kind = told
    return _template("keys").format(
        key=_list(_either(n) for n, _ in _numbered(pair)),
        changed=_changed(columns),
        positions=_array(
            (
                sql.SQL("CASE WHEN {} THEN {} END").format(_differs(n, column), tell(n, column))
                for n, column in enumerate(columns, 1)
            ),
            kind,
        ),
        extra=extra,
        left=_side(pair, columns, "left"),
        right=_side(pair, columns, "right"),
        same_key=sql.SQL(" AND ").join(
            sql.SQL("l.{k} {equals} r.{k}").format(k=_id(f"k{n}"), equals=part.equality.operator)
            for n, part in _numbered(pair)
        ),
        wanted=wanted,
    )


def _side(pair: EntityPair, columns: Sequence[ColumnPair], side: str) -> Composed:
    compared = [
        sql.SQL("{} AS {}").format(_value(column, side), _id(f"c{n}")) for n, column in enumerate(columns, 1)
    ]
    listed = _list((_key_columns(pair, side), *compared))
    read = {"columns": listed, "table": _name(pair.table(side)), "within": pair.condition(side)}
    if is_unique(pair, side):
        return _template("unique_side").format(**read)
    return _template("side").format(**read, key=_key_names(pair, "t"))


def is_unique(pair: EntityPair, side: str) -> bool:
    """Tell whether an index in force keeps every key of the pair from standing twice on one side."""
    table = pair.table(side)
    if table.kind is TableKind.TABLE and table.has_children:
        # A unique index does not reach into inheritance children.
        return False
    # A cast, or a collation that the index may not have, could make equal what the index tells apart.
    uncast = (part.of(side) for part in pair.key if part.equality.cast is None)
    alike = {column.name for column in uncast if isinstance(column, Column) and column.deterministic}
    return any(alike.issuperset(key.columns) for key in table.keys)


def _value(pair: ColumnPair, side: str) -> sql.Composable:
    """Compose one side of a pair of columns, as it is compared."""
    column = pair.left if side == "left" else pair.right
    value = sql.Identifier("t", column.name)
    if isinstance(pair.tolerance, Decimal):
        return as_numeric(column.base_type, value)
    return pair.equality.value(value, column)


def _changed(columns: Sequence[ColumnPair]) -> sql.Composable:
    """Compose whether there is one row on each side and they differ."""
    if not columns:
        return sql.SQL("false")
    differs = sql.SQL(" OR ").join(_differs(n, column) for n, column in enumerate(columns, 1))
    return sql.SQL("(l.copies = 1 AND r.copies = 1 AND ({}))").format(differs)


def _differs(n: int, pair: ColumnPair) -> sql.Composable:
    """Compose whether the values of a pair of columns differ; never NULL."""
    left, right = sql.Identifier("l", f"c{n}"), sql.Identifier("r", f"c{n}")
    if pair.tolerance is not None:
        # Bounds hold for NaN and infinities against themselves, where a difference would be NaN.
        condition = "coalesce({l} NOT BETWEEN {r} - {t} AND {r} + {t}, ({l} IS NULL) <> ({r} IS NULL))"
        return sql.SQL(condition).format(l=left, r=right, t=_tolerance(pair.tolerance))
    # IS DISTINCT FROM would take the operator that the search path offers, and IS NULL look into composites.
    condition = "(({l} {equals} {r}) IS NOT TRUE AND pg_catalog.num_nulls({l}, {r}) < 2)"
    return sql.SQL(condition).format(l=left, r=right, equals=pair.equality.operator)


def _tolerance(tolerance: Decimal | timedelta) -> sql.Composable:
    if isinstance(tolerance, timedelta):
        return sql.SQL("{}::interval").format(sql.Literal(f"{tolerance.total_seconds():f} seconds"))
    return sql.SQL("{}::numeric").format(sql.Literal(f"{tolerance:f}"))


def _measured(n: int, pair: ColumnPair) -> sql.Composable:
    """Compose the position of a column that differs, of a numeric one with right less left behind a colon."""
    if not pair.numeric:
        return sql.SQL("{}::text").format(sql.Literal(str(n)))
    return sql.SQL("pg_catalog.concat({}::text, ({})::text)").format(
        sql.Literal(f"{n}:"), _difference(n, pair)
    )


def _difference(n: int, pair: ColumnPair) -> sql.Composable:
    """Compose right less left as a numeric; NULL where there is none."""
    left, right = sql.Identifier("l", f"c{n}"), sql.Identifier("r", f"c{n}")
    if not isinstance(pair.tolerance, Decimal):
        left_type, right_type = (pair.equality.cast or side.base_type for side in (pair.left, pair.right))
        return sql.SQL("{} - {}").format(as_numeric(right_type, right), as_numeric(left_type, left))
    return sql.SQL("{} - {}").format(right, left)


def _newer(pair: EntityPair) -> sql.Composable:
    """Compose which side of two rows is newer: `left`, `right`, `neither`, or NULL when nobody can tell."""
    if pair.newer is None:
        return sql.SQL("NULL::text")
    n = pair.columns.index(pair.newer) + 1
    compare = "CASE WHEN {l} > {r} THEN 'left' WHEN {l} < {r} THEN 'right' WHEN {l} = {r} THEN 'neither' END"
    return sql.SQL(compare).format(l=sql.Identifier("l", f"c{n}"), r=sql.Identifier("r", f"c{n}"))


def _either(n: int) -> sql.Composable:
    """Compose a part of the key from whichever side has the row."""
    return sql.SQL("coalesce(l.{k}, r.{k})").format(k=_id(f"k{n}"))


def _key_columns(pair: EntityPair, side: str) -> sql.Composable:
    return _list(sql.SQL("{} AS {}").format(part.value(side), _id(f"k{n}")) for n, part in _numbered(pair))


def _shown_key(pair: EntityPair, row: str, names: Sequence[str], within: str = "{}") -> sql.Composable:
    """Compose the key's parts for a sample: integers as they are, all else as text of bounded length."""
    shown = []
    for (n, part), name in zip(_numbered(pair), names, strict=True):
        value: sql.Composable = sql.Identifier(row, f"k{n}")
        if not part.integer:
            value = trusted(within).format(_short(row, f"k{n}"))
        shown.append(sql.SQL("{} AS {}").format(value, _id(name)))
    return _list(shown)


def _short(row: str, column: str) -> Composed:
    """Compose a value as text of bounded length."""
    return sql.SQL("pg_catalog.left({}::text, {})").format(sql.Identifier(row, column), sql.Literal(SHOWN))


def _own(key: Sequence[str], *names: str) -> dict[str, sql.Identifier]:
    return {name: _id(own(name, key)) for name in names}


def _key_names(pair: EntityPair, row: str) -> sql.Composable:
    return _list(sql.Identifier(row, name) for name in aliases(pair))


def _numbered(pair: EntityPair) -> Iterator[tuple[int, KeyPart]]:
    return enumerate(pair.key, 1)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _id(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _array(elements: Iterable[sql.Composable], type_name: str) -> Composed:
    return sql.SQL("ARRAY[{}]::{}[]").format(_list(elements), trusted(type_name))


def _template(name: str) -> sql.SQL:
    return load_sql("pgvigil_checks", f"table_drift_{name}.sql")
