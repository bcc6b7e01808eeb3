"""The entity pairs: those that the settings name, and proposals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pgvigil.audit.model import MapPair, Origin
from pgvigil.catalog import Catalog, Table, parse_table
from pgvigil.check import Check
from pgvigil.inference import ProposedPair

_COMPARES = "table_drift"


def configured_pairs(checks: Mapping[str, Check[Any]], catalog: Catalog) -> tuple[MapPair, ...]:
    """Return the pairs that the settings of `table_drift` name, as they are written there."""
    if _COMPARES not in checks:
        return ()
    settings = checks[_COMPARES].params.model_dump(mode="json")
    return tuple(_configured(pair, catalog) for pair in settings.get("pairs", ()))


def proposed_pairs(proposed: Iterable[ProposedPair], known: Iterable[MapPair]) -> Iterator[MapPair]:
    """Yield the proposals for tables that are no pair yet, the likeliest first."""
    taken = {frozenset((pair.left, pair.right)) for pair in known if pair.right_target is None}
    for one in sorted(proposed, key=lambda one: -one.probability):
        if frozenset((one.left, one.right)) not in taken:
            yield MapPair(
                left=one.left,
                right=one.right,
                origin=Origin.INFERRED,
                probability=one.probability,
                key=one.key,
                columns=one.columns,
                evidence=one.evidence,
                tolerance=one.tolerance,
                referenced=one.referenced,
                fresher=one.fresher,
            )


def _configured(pair: Mapping[str, Any], catalog: Catalog) -> MapPair:
    left, right = parse_table(pair["left"]), parse_table(pair["right"])
    here = catalog.table(left), (None if pair["right_target"] else catalog.table(right))
    key = pair["key"] or _same(_primary_key(here[0]), _primary_key(here[1]))
    columns = pair["columns"]
    return MapPair(
        left=left,
        right=right,
        origin=Origin.CONFIGURED,
        probability=1.0,
        key=key,
        columns=_same(_names(here[0]), _names(here[1]), besides=key) if columns is None else columns,
        evidence=("the configuration names it",),
        tolerance=pair["tolerance"],
        right_target=pair["right_target"],
    )


def _names(table: Table | None) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns) if table else ()


def _primary_key(table: Table | None) -> tuple[str, ...]:
    return next((key.columns for key in table.keys if key.primary), ()) if table else ()


def _same(left: Iterable[str], right: Collection[str], besides: Collection[str] = ()) -> dict[str, str]:
    return {name: name for name in left if name in right and name not in besides}
