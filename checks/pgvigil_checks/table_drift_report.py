"""Puts what a comparison found into words: findings, samples and remedies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgvigil.catalog import quote
from pgvigil.check import Finding, JsonValue, Row, Severity
from pgvigil_checks.table_drift_figures import Figures
from pgvigil_checks.table_drift_model import EntityPair
from pgvigil_checks.table_drift_query import aliases, labels, own
from pgvigil_checks.table_drift_words import counted, listed

_SIDES = ("left", "right")


def drift(
    pair: EntityPair,
    figures: Figures,
    references: Mapping[str, Sequence[str]],
    rows: Sequence[Row],
    evidence: str,
) -> Finding:
    """Report rows that only one side has and rows that differ; `references` are those of `referenced_by`."""
    return Finding(
        code="drift",
        severity=Severity.WARNING,
        title=f"{pair.called('left')} and {pair.called('right')}: {', '.join(_apart(pair, figures))}",
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
            "budget_rows": pair.budget,
            "duplicate_keys": dict(figures.duplicate_keys),
            "null_keys": dict(figures.null_keys),
            "newer": _newer(pair, figures),
            "score_drift": {
                name: {"mean": distance.mean, "largest": distance.largest}
                for name, distance in figures.distances.items()
            },
            "referenced_by": references,
        },
    )


def duplicates(pair: EntityPair, figures: Figures, rows: Sequence[Row], evidence: str) -> Finding:
    """Report keys that a side holds more than once, whose rows could not be compared."""
    names = labels(pair)
    columns = ", ".join(names)
    counts = _counts(pair, figures.duplicate_keys)
    return Finding(
        code="duplicate_keys",
        severity=Severity.WARNING,
        title=f"{_by_table(counts, 'key', 'keys')} in more than one row by ({columns}): not compared",
        count=sum(counts.values()),
        sample=tuple(
            {own("side", names): row["side"], **_key(pair, row), own("copies", names): row["copies"]}
            for row in rows
        ),
        evidence_sql=evidence,
        remedy="\n".join(
            f"{counted(count, 'key', 'keys')} of {table} in more than one row: keep one row of each, then add"
            f" a unique constraint on ({columns}), or give the pair a key that tells the rows apart."
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
        title=f"{_by_table(counts, 'row', 'rows')} without a key ({columns}): not compared",
        count=sum(counts.values()),
        sample=tuple(_nameless(pair, row) for row in rows),
        evidence_sql=evidence,
        remedy="\n".join(
            f"{counted(count, 'row', 'rows')} of {table} with a NULL in the key ({columns}): fill it in or"
            " delete such rows, then set the columns NOT NULL."
            for table, count in counts.items()
        ),
        details={"null_keys": dict(figures.null_keys)},
    )


def _drifted(pair: EntityPair, row: Row) -> dict[str, JsonValue]:
    """Sample rows at fault: their key, what is the matter with them, and how many they are if not one."""
    names = labels(pair)
    matter: dict[str, JsonValue] = {own("drift", names): row["drift"]}
    if row["copies"] > 1:
        matter[own("copies", names)] = row["copies"]
    if row["columns"]:
        values = zip(row["columns"], row["left_values"], row["right_values"], strict=True)
        matter[own("differing", names)] = {
            name: {"left": left, "right": right} for name, left, right in values
        }
    return _key(pair, row) | matter


def _nameless(pair: EntityPair, row: Row) -> dict[str, JsonValue]:
    """Sample a row without a key: its side, what the table itself identifies it by, and the key."""
    names = labels(pair)
    side = own("side", names)
    sample: dict[str, JsonValue] = {side: row["side"]}
    shown = {part.label for part in pair.key if part.of(row["side"]).name == part.label}
    for name, value in json.loads(row["row_id"], parse_float=str).items():
        if name not in shown:
            sample[own(name, [*names, *sample])] = value
    return sample | _key(pair, row)


def _key(pair: EntityPair, row: Row) -> dict[str, Any]:
    return {label: row[alias] for label, alias in zip(labels(pair), aliases(pair), strict=True)}


def _counts(pair: EntityPair, by_side: Mapping[str, int]) -> dict[str, int]:
    """Return the sides with a count, by table."""
    return {pair.called(side): by_side[side] for side in _SIDES if by_side[side]}


def _apart(pair: EntityPair, figures: Figures) -> Iterator[str]:
    """Yield in how many rows the sides differ, and which of them lacks how many."""
    if figures.changed:
        yield counted(figures.changed, "row differs", "rows differ")
    missing = ((figures.right_only, "left"), (figures.left_only, "right"))
    for count, side in missing:
        if count:
            yield f"{counted(count, 'row is', 'rows are')} missing in {pair.called(side)}"


def _by_table(counts: Mapping[str, int], one: str, many: str) -> str:
    """Write counts by table: `2 keys of a.b and 1 key of a.c`."""
    return " and ".join(f"{counted(count, one, many)} of {table}" for table, count in counts.items())


def _newer(pair: EntityPair, figures: Figures) -> dict[str, JsonValue] | None:
    if pair.newer is None:
        return None
    unknown = figures.changed - sum(figures.newer.values())
    return {"by": pair.newer.left.name, **figures.newer, "unknown": unknown}


def _remedies(pair: EntityPair, figures: Figures) -> Iterator[str]:
    left, right = pair.called("left"), pair.called("right")
    missing = ((figures.left_only, left, right), (figures.right_only, right, left))
    for count, here, there in missing:
        if count:
            them = "it" if count == 1 else "them"
            rows = counted(count, "row is", "rows are")
            yield f"{rows} only in {here}: insert {them} into {there}, or delete {them} from {here}."
    if figures.changed:
        rows = counted(figures.changed, "row differs", "rows differ")
        columns = listed([quote(name) for name in figures.changed_by_column])
        yield f"{rows} in {columns}: update the side that is wrong.{_hint(pair, figures)}"


def _hint(pair: EntityPair, figures: Figures) -> str:
    newer = [
        f"the {side} in {counted(count, 'row', 'rows')}" for side in _SIDES if (count := figures.newer[side])
    ]
    if pair.newer is None or not newer:
        return ""
    return f" Newer by {quote(pair.newer.left.name)}: {', '.join(newer)}."
