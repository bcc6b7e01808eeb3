"""What the expressions of a key compute, as only the server can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from pgvigil.catalog import Column, is_faithful
from pgvigil.check import Context, Peer, Row, Skipped, load_sql
from pgvigil_checks.table_drift_model import EntityPair, Expression, KeyPart
from pgvigil_checks.table_drift_types import equality, loses

# The server has no collation to tell of types without one.
_VALUES = """(
        {position}, pg_typeof({value})::oid,
        CASE WHEN (SELECT typcollation FROM pg_type WHERE oid = pg_typeof({value})) <> 0
        THEN pg_collation_for({value})::regcollation::oid END
    )"""


def settle(context: Context, pair: EntityPair, peer: Peer | None = None) -> EntityPair | Skipped:
    """Settle how the parts of a key that are expressions are compared; Skipped when that makes no sense.

    `peer` is asked about the right side, when that lives in another target. Raises TargetError when a server
    refuses an expression.
    """
    left, right = _described(context, pair, "left"), _described(peer or context, pair, "right")
    key = []
    for part, one, other in zip(pair.key, left, right, strict=True):
        settled = part if part.columns else _settled(part, one, other)
        if settled is None:
            return Skipped(_refusal(part, one, other))
        key.append(settled)
    return replace(pair, key=tuple(key))


def _described(context: Context | Peer, pair: EntityPair, side: str) -> list[Column]:
    """Describe what stands on one side of the key, part by part."""
    parts = [part.of(side) for part in pair.key]
    expressions = {n: part for n, part in enumerate(parts, 1) if isinstance(part, Expression)}
    rows = context.fetch(_query(pair, side, list(expressions))) if expressions else []
    encoding = context.catalog.encoding
    computed = {row["position"]: _column(expressions[row["position"]], row, encoding) for row in rows}
    return [part if isinstance(part, Column) else computed[n] for n, part in enumerate(parts, 1)]


def _query(pair: EntityPair, side: str, positions: Sequence[int]) -> sql.Composed:
    table = pair.left if side == "left" else pair.right
    values = [pair.key[n - 1].value(side) for n in positions]
    names = [sql.Identifier(f"k{n}") for n in positions]
    comma = sql.SQL(", ")
    return load_sql("pgvigil_checks", "table_drift_expression_values.sql").format(
        columns=comma.join(sql.SQL("{} AS {}").format(*one) for one in zip(values, names, strict=True)),
        table=sql.Identifier(table.schema, table.name),
        expressions=comma.join(values),
        values=comma.join(
            sql.SQL(_VALUES).format(position=sql.Literal(n), value=sql.SQL("s.{}").format(name))
            for n, name in zip(positions, names, strict=True)
        ),
    )


def _column(expression: Expression, row: Row, encoding: str) -> Column:
    """Describe what an expression computes like a column, so that one set of rules holds for both."""
    collation = (row["collation_schema"], row["collation_name"]) if row["collation_name"] else None
    return Column(
        name=expression.name,
        number=0,
        type=row["type"],
        base_type=row["base_type"],
        category=row["category"],
        not_null=False,
        collation=collation,
        deterministic=row["deterministic"],
        comparable=True,
        faithful=is_faithful(row["base_type"], row["category"], encoding),
        generated=True,
    )


def _settled(part: KeyPart, left: Column, right: Column) -> KeyPart | None:
    found = equality(left, right)
    if found is None or loses(left, right):
        return None
    return KeyPart(_with_values(part.left, left), _with_values(part.right, right), found)


def _with_values(side: Column | Expression, values: Column) -> Column | Expression:
    return side if isinstance(side, Column) else Expression(side.name, values)


def _refusal(part: KeyPart, left: Column, right: Column) -> str:
    reason = "would meet with loss" if equality(left, right) else "cannot be compared"
    return (
        f"key {part.left.name}: {part.right.name} is {left.type} on the left and {right.type} on the right,"
        f" whose values {reason}: cast one side, such as ({part.left.name})::text"
    )
