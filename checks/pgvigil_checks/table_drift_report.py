"""Puts what a comparison found into words: findings, samples and remedies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgvigil.catalog import Catalog, Column, Table, quote
from pgvigil.check import Finding, JsonValue, Row, Severity
from pgvigil_checks.table_drift_figures import Figures
from pgvigil_checks.table_drift_pairs import EntityPair
from pgvigil_checks.table_drift_query import aliases, labels

_SIDES = ("left", "right")


def drift(
    pair: EntityPair, figures: Figures, catalog: Catalog, rows: Sequence[Row], evidence: str
) -> Finding:
    """Report rows that only one side has and rows that differ."""
    return Finding(
        code="drift",
        severity=Severity.WARNING,
        title=f"{pair.left} and {pair.right} hold different rows",
        count=figures.drifted,
        sample=tuple(_drifted(pair, row) for row in rows),
        evidence_sql=evidence,
        remedy="\n".join(_remedies(pair, figures)),
        details={
            "left_rows": figures.left_rows,
            "right_rows": figures.right_rows,
            "left_only": figures.left_only,
            "right_only": figures.right_only,
            "changed": figures.changed,
            "changed_by_column": dict(figures.changed_by_column),
            "duplicate_keys": dict(figures.duplicate_keys),
            "null_keys": dict(figures.null_keys),
            "newer": _newer(pair, figures),
            "score_drift": {
                name: {"mean": distance.mean, "largest": distance.largest}
                for name, distance in figures.distances.items()
            },
            "referenced_by": _references(pair, catalog),
        },
    )


def duplicates(pair: EntityPair, figures: Figures, rows: Sequence[Row], evidence: str) -> Finding:
    """Report keys that a side holds more than once, whose rows could not be compared."""
    columns = ", ".join(labels(pair))
    counts = _counts(pair, figures.duplicate_keys)
    return Finding(
        code="duplicate_keys",
        severity=Severity.WARNING,
        title=f"the key ({columns}) is not unique in {' and '.join(counts)}: its rows are not compared",
        count=sum(counts.values()),
        sample=tuple({"side": row["side"], **_key(pair, row), "copies": row["copies"]} for row in rows),
        evidence_sql=evidence,
        remedy="\n".join(
            f"{count} keys of {table} stand in more than one row: keep one row of each, then add a unique"
            f" constraint on ({columns}), or give the pair a key that tells the rows apart."
            for table, count in counts.items()
        ),
        details={"duplicate_keys": dict(figures.duplicate_keys)},
    )


def null_keys(pair: EntityPair, figures: Figures, rows: Sequence[Row], evidence: str) -> Finding:
    """Report rows without an identity, which could not be compared."""
    columns = ", ".join(labels(pair))
    counts = _counts(pair, figures.null_keys)
    return Finding(
        code="null_keys",
        severity=Severity.WARNING,
        title=f"rows of {' and '.join(counts)} have no key ({columns}): they are not compared",
        count=sum(counts.values()),
        sample=tuple(
            {"side": row["side"], **json.loads(row["row_id"], parse_float=str), **_key(pair, row)}
            for row in rows
        ),
        evidence_sql=evidence,
        remedy="\n".join(
            f"{count} rows of {table} have a NULL in the key ({columns}): fill it in or delete them, then set"
            " the columns NOT NULL."
            for table, count in counts.items()
        ),
        details={"null_keys": dict(figures.null_keys)},
    )


def notes(pair: EntityPair, catalog: Catalog) -> Iterator[Finding]:
    """Report what the catalog alone tells: columns that differ, and who references which side."""
    if pair.incomparable:
        yield _incomparable(pair)
    if pair.left_alone or pair.right_alone or pair.unlike:
        yield _columns(pair)
    references = _references(pair, catalog)
    if references["left"] and references["right"]:
        yield _referenced(pair, references)


def _incomparable(pair: EntityPair) -> Finding:
    names = ", ".join(quote(left.name) for left, _ in pair.incomparable)
    return Finding(
        code="incomparable_columns",
        severity=Severity.WARNING,
        title=f"columns of {pair.left} and {pair.right} have types that cannot be compared: {names}",
        count=len(pair.incomparable),
        remedy=f"Give {names} one type on both sides, or list them under ignore if they don't mean the same.",
        details={"types_differ": _types(pair.incomparable)},
    )


def _columns(pair: EntityPair) -> Finding:
    return Finding(
        code="columns",
        severity=Severity.INFO,
        title=f"{pair.left} and {pair.right} don't have the same columns",
        count=len(pair.left_alone) + len(pair.right_alone) + len(pair.unlike),
        remedy="Map columns that mean the same under columns, give them one type, and list those that one"
        " side alone needs under ignore.",
        details={
            "left_only": list(pair.left_alone),
            "right_only": list(pair.right_alone),
            "types_differ": _types(pair.unlike),
        },
    )


def _types(pairs: Sequence[tuple[Column, Column]]) -> dict[str, JsonValue]:
    return {
        left.name: {"left": left.type, "right": right.type, "right_column": right.name}
        for left, right in pairs
    }


def _referenced(pair: EntityPair, references: Mapping[str, Sequence[str]]) -> Finding:
    both = references["both"]
    if both:
        title = f"{', '.join(both)} {_verb(len(both))} both {pair.left} and {pair.right}"
    else:
        title = f"some tables reference {pair.left}, others {pair.right}"
    return Finding(
        code="references",
        severity=Severity.INFO,
        title=title,
        count=len({*references["left"], *references["right"]}),
        remedy=f"Let all of them reference one side, so that {pair.left} and {pair.right} can become one.",
        details={"referenced_by": references},
    )


def _verb(count: int) -> str:
    return "references" if count == 1 else "reference"


def _references(pair: EntityPair, catalog: Catalog) -> dict[str, list[str]]:
    """Return the tables with a foreign key to either side, and those with one to both."""
    left, right = (_referencing(table, catalog) for table in (pair.left, pair.right))
    return {"left": sorted(left), "right": sorted(right), "both": sorted(left & right)}


def _referencing(table: Table, catalog: Catalog) -> set[str]:
    return {str(key.child) for key in catalog.foreign_keys if key.parent.oid == table.oid}


def _drifted(pair: EntityPair, row: Row) -> dict[str, JsonValue]:
    """Sample a row at fault: its key, and what is the matter with it."""
    matter: dict[str, JsonValue] = {"drift": row["drift"]}
    if row["columns"]:
        values = zip(row["columns"], row["left_values"], row["right_values"], strict=True)
        matter["differing"] = {name: {"left": left, "right": right} for name, left, right in values}
    key = _key(pair, row)
    return key | matter | key


def _key(pair: EntityPair, row: Row) -> dict[str, Any]:
    return {label: row[alias] for label, alias in zip(labels(pair), aliases(pair), strict=True)}


def _counts(pair: EntityPair, by_side: Mapping[str, int]) -> dict[str, int]:
    """Return the sides with a count, by table."""
    tables = {"left": str(pair.left), "right": str(pair.right)}
    return {tables[side]: by_side[side] for side in _SIDES if by_side[side]}


def _newer(pair: EntityPair, figures: Figures) -> dict[str, JsonValue] | None:
    if pair.newer is None:
        return None
    unknown = figures.changed - sum(figures.newer.values())
    return {"by": pair.newer.left.name, **figures.newer, "unknown": unknown}


def _remedies(pair: EntityPair, figures: Figures) -> Iterator[str]:
    missing = ((figures.left_only, pair.left, pair.right), (figures.right_only, pair.right, pair.left))
    for count, here, there in missing:
        if count:
            yield f"{count} rows are only in {here}: insert them into {there}, or delete them from {here}."
    if figures.changed:
        columns = ", ".join(quote(name) for name in figures.changed_by_column)
        hint = _hint(pair, figures)
        yield f"{figures.changed} rows differ in {columns}: update the side that is wrong.{hint}"


def _hint(pair: EntityPair, figures: Figures) -> str:
    if pair.newer is None:
        return ""
    column = quote(pair.newer.left.name)
    left, right = figures.newer["left"], figures.newer["right"]
    return f" By {column}, the left is newer in {left} of them and the right in {right}."
