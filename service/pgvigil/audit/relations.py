"""The map: every relation that is declared, configured or inferred, and which of them are broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pgvigil.audit.examining import Broken, Judged
from pgvigil.audit.model import Crossing, MapRelation, Origin
from pgvigil.catalog import Catalog, ForeignKey, RelationName, TableName, quote
from pgvigil.check import Severity
from pgvigil.inference import ProposedRelation


def mapped(
    catalog: Catalog,
    judged: Judged,
    proposed: Iterable[ProposedRelation],
    rows: Mapping[TableName, int | None],
) -> tuple[MapRelation, ...]:
    """Return the relations: declared ones, then configured ones, then proposals, the likeliest first.

    `rows` are the estimated ones by table.
    """
    proposed = tuple(proposed)
    broken = {**_replaced(catalog, proposed), **judged.broken}
    return tuple(
        _with_fault(one, broken.get(one.subject), rows)
        for one in (*_declared(catalog), *_configured(catalog, judged), *_inferred(catalog, proposed))
    )


def broken_keys(relations: Iterable[MapRelation], judged: Judged) -> int:
    """Count the foreign keys that are declared and broken, or that ought to be declared."""
    return sum(
        one.broken is not None
        and (bool(one.constraint) or one.subject in judged.missing or one.origin is Origin.INFERRED)
        for one in relations
    )


def _declared(catalog: Catalog) -> Iterator[MapRelation]:
    for key in catalog.watched_foreign_keys():
        yield MapRelation(
            subject=key.subject,
            relation=key.relation,
            origin=Origin.DECLARED,
            evidence=(f"the foreign key {quote(key.name)}",),
            constraint=key.name,
            crosses=_crossing(catalog, key.relation),
        )


def _configured(catalog: Catalog, judged: Judged) -> Iterator[MapRelation]:
    for subject, relation in judged.relations.items():
        yield MapRelation(
            subject=subject,
            relation=relation,
            origin=Origin.CONFIGURED,
            evidence=("the configuration names it",),
            crosses=_crossing(catalog, relation),
        )


def _inferred(catalog: Catalog, proposed: Iterable[ProposedRelation]) -> Iterator[MapRelation]:
    for one in sorted(proposed, key=lambda one: -one.probability):
        yield MapRelation(
            subject=str(one.relation),
            relation=one.relation,
            origin=Origin.INFERRED,
            probability=one.probability,
            evidence=one.evidence,
            crosses=_crossing(catalog, one.relation),
            condition=one.condition,
        )


def _with_fault(one: MapRelation, fault: Broken | None, rows: Mapping[TableName, int | None]) -> MapRelation:
    if fault is None:
        return one
    estimated = rows.get(one.relation.child)
    # Where rows were counted, an estimate of none is wrong.
    at_risk = (estimated or None) if fault.counted else estimated
    return replace(one, broken=fault.why, impact=fault.impact, rows_at_risk=at_risk)


def _crossing(catalog: Catalog, relation: RelationName) -> Crossing:
    child, parent = relation.child.schema, relation.parent.schema
    if child == parent:
        return Crossing.NONE
    return Crossing.ZONE if {child, parent} <= set(catalog.scope.zones) else Crossing.SCHEMA


def _replaced(catalog: Catalog, proposed: Iterable[ProposedRelation]) -> dict[str, Broken]:
    """Return the proposals that a declared key stands in for, though it says less, and lets rows through.

    That is what is left of a composite key when somebody declares a simple one in its place.
    """
    keys: defaultdict[TableName, list[ForeignKey]] = defaultdict(list)
    for key in catalog.watched_foreign_keys():
        keys[key.relation.child].append(key)
    return {
        str(one.relation): Broken(
            f"no foreign key declares it, and {quote(key.name)}, on fewer of its columns, lets rows in: "
            f"of {one.sampled:,} references looked up, {one.sampled - one.found:,} have no parent",
            Severity.WARNING,
            counted=True,
        )
        for one in proposed
        if one.found < one.sampled
        for key in keys[one.relation.child]
        if set(key.child_columns) < set(one.relation.child_columns)
    }
