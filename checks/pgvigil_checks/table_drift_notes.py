"""What the catalog alone tells of a pair: columns and types that differ, and who references which side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from psycopg import sql

from pgvigil.catalog import Catalog, Column, ForeignKey, Table, quote
from pgvigil.check import Finding, JsonValue, Severity, load_sql
from pgvigil_checks.table_drift_model import EntityPair, Match
from pgvigil_checks.table_drift_words import listed

Unlike: TypeAlias = "tuple[Column | None, Column | None]"
"""A column of either side, or None where a side has nothing that belongs to the other's."""


def notes(pair: EntityPair, catalog: Catalog, sample: int) -> Iterator[Finding]:
    """Yield what is worth knowing; `sample` is how many objects a finding may name at the most."""
    if pair.incomparable:
        yield _incomparable(pair, sample)
    if pair.left_alone or pair.right_alone or pair.unlike:
        yield _columns(pair, sample)
    references = referenced_by(pair, catalog)
    if references["left"] and references["right"]:
        yield _referenced(pair, catalog, references, sample)


def notes_across(pair: EntityPair, sample: int) -> Iterator[Finding]:
    """Yield what is worth knowing of a pair whose right table lives in another target."""
    if pair.incomparable:
        yield replace(_incomparable(pair, sample), evidence_sql="")
    if pair.left_alone or pair.right_alone or pair.unlike:
        yield replace(_columns(pair, sample), evidence_sql="")


def referenced_across(pair: EntityPair, catalog: Catalog) -> dict[str, list[str]]:
    """Return the tables with a foreign key to the left; what references the right one lives elsewhere."""
    left = sorted({str(key.child) for key in _keys_to(catalog, pair.left)})
    return {"left": left, "right": [], "both": []}


def referenced_by(pair: EntityPair, catalog: Catalog) -> dict[str, list[str]]:
    """Return the tables with a foreign key to the left, to the right, and those with one to both."""
    left, right = ({str(key.child) for key in _keys_to(catalog, side)} for side in (pair.left, pair.right))
    return {"left": sorted(left), "right": sorted(right), "both": sorted(left & right)}


def _incomparable(pair: EntityPair, sample: int) -> Finding:
    names = listed([quote(left.name) for left, _ in pair.incomparable])
    return Finding(
        code="incomparable_columns",
        severity=Severity.WARNING,
        title=f"columns of {pair.called('left')} and {pair.called('right')} have types that cannot be"
        f" compared: {names}",
        count=len(pair.incomparable),
        sample=_sample(pair.incomparable, sample),
        evidence_sql=_columns_evidence(pair, pair.incomparable),
        remedy=f"Give {names} one type on both sides, or list them under ignore if they don't mean the same.",
        details={"types_differ": _types(pair.incomparable)},
    )


def _columns(pair: EntityPair, sample: int) -> Finding:
    unlike: list[Unlike] = [
        *((pair.left.column(name), None) for name in pair.left_alone),
        *((None, pair.right.column(name)) for name in pair.right_alone),
        *pair.unlike,
    ]
    names = listed([quote(column.name) for left, right in unlike if (column := left or right)])
    alone = len(unlike) > len(pair.unlike)
    differ = "don't have the same columns" if alone else "have columns whose types differ"
    return Finding(
        code="columns",
        severity=Severity.INFO,
        title=f"{pair.called('left')} and {pair.called('right')} {differ}: {names}",
        count=len(unlike),
        sample=_sample(unlike, sample),
        evidence_sql=_columns_evidence(pair, unlike),
        remedy="\n".join(_column_remedies(pair)),
        details={
            "left_only": list(pair.left_alone),
            "right_only": list(pair.right_alone),
            "types_differ": _types(pair.unlike),
        },
    )


def _column_remedies(pair: EntityPair) -> Iterator[str]:
    for side, names in (("left", pair.left_alone), ("right", pair.right_alone)):
        if names:
            verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
            yield (
                f"{listed([quote(name) for name in names])} of {pair.called(side)} {verb} compared"
                f" with nothing: map {them} under columns if the other side means the same by another name,"
                f" else list {them} under ignore."
            )
    if pair.unlike:
        pairs = [f"{_name(left, right)} ({left.type}, {right.type})" for left, right in pair.unlike]
        yield f"Give one type on both sides to {listed(pairs)}."


def _name(left: Column, right: Column) -> str:
    return quote(left.name) if left.name == right.name else f"{quote(left.name)}/{quote(right.name)}"


def _types(pairs: Sequence[Match]) -> dict[str, JsonValue]:
    return {
        left.name: {"left": left.type, "right": right.type, "right_column": right.name}
        for left, right in pairs
    }


def _sample(columns: Sequence[Unlike], most: int) -> tuple[Mapping[str, JsonValue], ...]:
    return tuple(
        {
            "left_column": left.name if left else None,
            "left_type": left.type if left else None,
            "right_column": right.name if right else None,
            "right_type": right.type if right else None,
        }
        for left, right in columns[:most]
    )


def _columns_evidence(pair: EntityPair, columns: Sequence[Unlike]) -> str:
    # What one side lacks is looked for under its name on the other, unless something else is called so there.
    names = [
        (
            left.name if left else _free(pair.left, right),
            right.name if right else _free(pair.right, left),
        )
        for left, right in columns
    ]
    return _evidence(
        "table_drift_columns.sql",
        pair,
        left_names=sql.Literal([left for left, _ in names]),
        right_names=sql.Literal([right for _, right in names]),
    )


def _free(table: Table, lacking: Column | None) -> str | None:
    return lacking.name if lacking is not None and table.column(lacking.name) is None else None


def _evidence(query: str, pair: EntityPair, **parts: sql.Composable) -> str:
    left, right = (sql.Literal(str(table)) for table in (pair.left, pair.right))
    return f"{load_sql('pgvigil_checks', query).format(left=left, right=right, **parts).as_string()};"


def _referenced(
    pair: EntityPair, catalog: Catalog, references: Mapping[str, Sequence[str]], sample: int
) -> Finding:
    left, right, both = (references[side] for side in ("left", "right", "both"))
    if both:
        title = _refer(both, f"both {pair.left} and {pair.right}")
    else:
        title = f"{_refer(left, str(pair.left))}; {_refer(right, str(pair.right))}"
    keys = [*_keys_to(catalog, pair.left), *_keys_to(catalog, pair.right)]
    return Finding(
        code="references",
        severity=Severity.INFO,
        title=title,
        count=len({*left, *right}),
        sample=tuple(
            {"table": str(key.child), "constraint": key.name, "references": str(key.parent)}
            for key in keys[:sample]
        ),
        evidence_sql=_evidence("table_drift_references.sql", pair),
        remedy=f"Let all of them reference one side, so that {pair.left} and {pair.right} can become one.",
        details={"referenced_by": references},
    )


def _refer(tables: Sequence[str], to: str) -> str:
    return f"{listed(tables)} {'references' if len(tables) == 1 else 'reference'} {to}"


def _keys_to(catalog: Catalog, table: Table) -> list[ForeignKey]:
    keys = [key for key in catalog.foreign_keys if key.parent.oid == table.oid]
    return sorted(keys, key=lambda key: (str(key.child), key.name))
