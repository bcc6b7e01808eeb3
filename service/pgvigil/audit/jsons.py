"""An audit as JSON: the object of the contract, and what else a program may want of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgvigil.audit.model import (
    Audit,
    Fragment,
    IndexNote,
    Inventory,
    MapPair,
    MapRelation,
    Origin,
    SchemaInventory,
    TableInventory,
)
from pgvigil.audit.words import instant
from pgvigil.catalog import Change

VERSION = 1

# Of a probability.
_PLACES = 4

# Made once: a large database has a hundred thousand lines.
_encoded = json.JSONEncoder(ensure_ascii=False).encode


def to_json(audit: Audit) -> str:
    """Write one object, with a line for each thing in it. `schema` is what a later audit is compared with."""
    return "".join(json_parts(audit))


def json_parts(audit: Audit) -> Iterator[str]:
    """Yield the object piece by piece: that of a large database has tens of megabytes."""
    yield from _written(document(audit), "")
    yield "\n"


def _written(value: Any, indent: str) -> Iterator[str]:
    """Yield a value: sections open up, a table or a relation is one line, as an encoder in C writes it."""
    if isinstance(value, dict) and value:
        before = "{"
        for name, each in value.items():
            yield f"{before}\n{indent}  {_encoded(name)}: "
            yield from _written(each, f"{indent}  ")
            before = ","
        yield f"\n{indent}}}"
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        before = "["
        for each in value:
            yield f"{before}\n{indent}  {_encoded(each)}"
            before = ","
        yield f"\n{indent}]"
    else:
        yield _encoded(value)


def document(audit: Audit) -> dict[str, Any]:
    """Return the object as plain values."""
    return {
        "version": VERSION,
        "target": audit.target,
        "database": audit.database,
        "server_version": audit.server_version,
        "taken_at": instant(audit.taken_at),
        "sampled": audit.sampled,
        "counters_since": instant(audit.counters_since),
        "zones": list(audit.zones),
        "inventory": _inventory(audit.inventory),
        "relations": [_relation(one) for one in audit.relations],
        "entity_pairs": [_pair(one) for one in audit.entity_pairs],
        "fragmentation": [_fragment(one) for one in audit.fragments],
        "indexes": [_index(one) for one in audit.indexes],
        "unknown": list(audit.unknown),
        "compared_with": instant(audit.compared_with),
        "changes": [_change(one) for one in audit.changes],
        "schema": audit.state.to_json() if audit.state else None,
    }


def _inventory(inventory: Inventory) -> dict[str, Any]:
    return {
        "schemas": len(inventory.schemas),
        "tables": len(inventory.tables),
        "foreign_keys": inventory.foreign_keys,
        "broken_foreign_keys": inventory.broken_foreign_keys,
        "rows_estimated": inventory.rows_estimated,
        "bytes": inventory.bytes,
        "per_schema": [_schema(one) for one in inventory.schemas],
        "per_table": [_table(one) for one in inventory.tables],
    }


def _schema(one: SchemaInventory) -> dict[str, Any]:
    return {
        "schema": one.name,
        "tables": one.tables,
        "rows_estimated": one.rows_estimated,
        "bytes": one.bytes,
        "zone": one.zone,
        "deprecated": one.deprecated,
    }


def _table(one: TableInventory) -> dict[str, Any]:
    return {
        "table": str(one.name),
        "kind": one.kind.value,
        "owner": one.owner,
        "rows_estimated": one.rows_estimated,
        "bytes": one.bytes,
        "partitions": one.partitions,
        "primary_key": list(one.primary_key),
        "last_analyzed": instant(one.last_analyzed),
        "last_vacuumed": instant(one.last_vacuumed),
        "comment": one.comment,
        "readable": one.readable,
        "columns_unreadable": list(one.columns_unreadable),
    }


def _probability(one: MapRelation | MapPair) -> float:
    """Return it rounded, so that what is inferred stays below 1."""
    rounded = round(one.probability, _PLACES)
    return min(rounded, 1 - 10**-_PLACES) if one.origin is Origin.INFERRED else rounded


def _relation(one: MapRelation) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "origin": one.origin.value,
        "probability": _probability(one),
        "evidence": list(one.evidence),
        "broken": one.broken,
        "impact": one.impact,
        "rows_at_risk": one.rows_at_risk,
        "constraint": one.constraint or None,
        "crosses": one.crosses.value or None,
        "condition": dict([one.condition]) if one.condition else None,
    }


def _pair(one: MapPair) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "origin": one.origin.value,
        "probability": _probability(one),
        "key": dict(one.key),
        "columns": dict(one.columns),
        "tolerance": dict(one.tolerance),
        "evidence": list(one.evidence),
        "referenced": one.referenced or None,
        "fresher": one.fresher or None,
    }


def _fragment(one: Fragment) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "title": one.title,
        "subjects": list(one.subjects),
        "impact": one.impact.value,
        "rows_at_risk": one.rows_at_risk,
    }


def _index(one: IndexNote) -> dict[str, Any]:
    return {
        "fault": one.fault.value,
        "table": str(one.table),
        "columns": list(one.columns),
        "index": one.name or None,
        "other": one.other or None,
        "bytes": one.bytes,
        "words": one.words,
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "part": one.part.value,
        "table": str(one.table),
        "name": one.name or None,
        "before": one.before or None,
        "after": one.after or None,
        "loses": one.loses,
        "words": str(one),
    }
