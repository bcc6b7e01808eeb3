"""Audits of databases that never were: of any size, the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from pgvigil.audit import (
    Audit,
    Crossing,
    Fragment,
    FragmentKind,
    IndexFault,
    IndexNote,
    Inventory,
    MapPair,
    MapRelation,
    Origin,
    SchemaInventory,
    TableInventory,
)
from pgvigil.catalog import Column, RelationName, TableKind, TableName
from pgvigil.check import Severity

TAKEN_AT = datetime(2026, 11, 2, 3, 4, tzinfo=UTC)
SCHEMAS = (
    "raw",
    "staging",
    "curated",
    "analytics",
    "monitoring",
    "app",
    "auth",
    "billing",
    "content",
    "ml",
    "ops",
)
ZONES = ("raw", "staging", "curated")
WORDS = """
    alerts checks events features games genres images invoices items jobs labels logs matches metrics
    models orders platforms players prices publishers queues ratings reports reviews runs scores sessions
    tags teams users videos
""".split()
PARTS = ("", "", "_daily", "_history", "_audit", "_2025", "_by_country", "_staging_area", "_x")
REASONS = (
    "is marked NOT VALID: rows that were there before were never looked at",
    "its trigger RI_ConstraintTrigger_c_16411 is disabled: nothing looks at new rows",
    "points at curated.games, which is empty, while curated.games_complete has 48,210 rows",
)


def column(name: str, number: int = 1, of: str = "bigint", *, not_null: bool = False) -> Column:
    return Column(name, number, of, of, "N", not_null, None, True, True, True, False)


def table(
    name: TableName, rows: int | None = 1_000, columns: tuple[str, ...] = ("id",), *, readable: bool = True
) -> TableInventory:
    return TableInventory(
        name=name,
        kind=TableKind.TABLE,
        owner="app",
        rows_estimated=rows,
        bytes=None if rows is None else 8192 + 120 * rows,
        partitions=0,
        columns=tuple(column(each, number) for number, each in enumerate(columns, start=1)),
        primary_key=columns[:1],
        last_analyzed=TAKEN_AT - timedelta(hours=7),
        zone=name.schema if name.schema in ZONES else "",
        readable=readable,
    )


def relation(
    child: TableName,
    parent: TableName,
    origin: Origin = Origin.DECLARED,
    *,
    key: str = "",
    broken: str | None = None,
    probability: float = 1.0,
) -> MapRelation:
    key = key or f"{parent.name.rstrip('s')}_id"
    name = RelationName(child, (key,), parent, ("id",))
    crosses = Crossing.NONE if child.schema == parent.schema else Crossing.SCHEMA
    return MapRelation(
        subject=str(name),
        relation=name,
        origin=origin,
        probability=probability,
        evidence=(f"{key} is named after {parent}", "998 of 1,000 sampled values have a parent")
        if origin is Origin.INFERRED
        else (),
        broken=broken,
        impact=None if broken is None else Severity.CRITICAL,
        rows_at_risk=None if broken is None else 1_000,
        constraint=f"{child.name}_{key}_fkey" if origin is Origin.DECLARED else "",
        crosses=crosses,
    )


def audit(
    tables: tuple[TableInventory, ...], relations: tuple[MapRelation, ...] = (), **more: object
) -> Audit:
    """Return the audit of these, and of whatever else is given."""
    per_schema = Counter(each.name.schema for each in tables)
    declared = [each for each in relations if each.origin is Origin.DECLARED]
    inventory = Inventory(
        schemas=tuple(
            SchemaInventory(
                name=schema,
                tables=count,
                rows_estimated=sum(each.rows_estimated or 0 for each in tables if each.name.schema == schema),
                bytes=sum(each.bytes or 0 for each in tables if each.name.schema == schema),
                zone=schema in ZONES,
            )
            for schema, count in sorted(per_schema.items())
        ),
        tables=tables,
        foreign_keys=len(declared),
        broken_foreign_keys=sum(each.broken is not None for each in declared),
    )
    values = {
        "target": "games",
        "database": "games",
        "server_version": "18.1",
        "taken_at": TAKEN_AT,
        "zones": ZONES,
    } | more
    return Audit(inventory=inventory, relations=relations, **values)  # type: ignore[arg-type]


def of_size(
    tables: int, declared: int, proposed: int, *, broken: int = 6, configured: int = 4, seed: int = 7
) -> Audit:
    """Return the audit of a database with as many tables in eleven schemas, and as many relations."""
    dice = random.Random(seed)
    names = _names(tables, dice)
    hubs = dice.sample(names, max(4, tables // 16))
    links = _links(names, hubs, declared + configured + proposed, dice)
    origins = [Origin.DECLARED] * declared + [Origin.CONFIGURED] * configured + [Origin.INFERRED] * proposed
    referring: dict[TableName, list[str]] = {name: [] for name in names}
    relations = []
    for place, ((child, parent), origin) in enumerate(zip(links, origins, strict=True)):
        one = relation(
            child,
            parent,
            origin,
            broken=REASONS[place % len(REASONS)] if place < broken else None,
            probability=round(dice.uniform(0.6, 0.99), 2) if origin is Origin.INFERRED else 1.0,
        )
        referring[child].append(one.relation.child_columns[0])
        relations.append(one)
    rest = dice.sample(WORDS, 8)
    inventoried = tuple(
        table(
            name,
            dice.choice((None, 0, 120, 48_210, 1_250_000)),
            tuple(dict.fromkeys(("id", *referring[name], *rest[: dice.randint(1, 8)]))),
            readable=dice.random() > 0.02,
        )
        for name in names
    )
    return audit(inventoried, tuple(relations), **_more(names, inventoried, dice))


def _names(count: int, dice: random.Random) -> list[TableName]:
    weights = [dice.randint(2, 10) for _ in SCHEMAS]
    found = dict.fromkeys(TableName(schema, "games") for schema in SCHEMAS)
    while len(found) < count:
        name = dice.choice(WORDS) + dice.choice(("", f"_{dice.choice(WORDS)}")) + dice.choice(PARTS)
        found[TableName(dice.choices(SCHEMAS, weights)[0], name)] = None
    return sorted(found, key=str)


def _links(
    names: list[TableName], hubs: list[TableName], count: int, dice: random.Random
) -> list[tuple[TableName, TableName]]:
    found: dict[tuple[TableName, TableName], None] = {}
    while len(found) < count:
        child = dice.choice(names)
        own = [name for name in names if name.schema == child.schema]
        parent = dice.choice(hubs if dice.random() < 0.45 else own)
        if child != parent:
            found[child, parent] = None
    links = list(found)
    dice.shuffle(links)
    return links


def _more(
    names: list[TableName], tables: tuple[TableInventory, ...], dice: random.Random
) -> dict[str, object]:
    left, right = dice.sample(names, 2)
    return {
        "entity_pairs": (
            MapPair(
                left,
                right,
                Origin.INFERRED,
                0.97,
                {"igdb_id": "igdb_id"},
                {"title": "name", "quality_score": "quality_score"},
                ("997 of 1,000 sampled keys are in both", "title and name agree in 99.2 % of them"),
                {"quality_score": 0.01},
                "right",
                "left",
            ),
        ),
        "fragments": (
            Fragment(
                FragmentKind.TWIN,
                "games lies in 11 schemas",
                tuple(f"{each}.games" for each in SCHEMAS),
                Severity.WARNING,
                48_210,
            ),
            Fragment(FragmentKind.SMALL_SCHEMA, "the schema ml has only 3 tables", ("ml",), Severity.INFO, 0),
        ),
        "indexes": (
            IndexNote(
                IndexFault.MISSING,
                left,
                ("game_id",),
                other=str(left),
                bytes=81_920,
                words="every delete of a parent reads the whole table",
            ),
            IndexNote(
                IndexFault.UNUSED,
                right,
                ("id",),
                f"{right.schema}.unused_idx",
                bytes=1_310_720,
                words="nobody has scanned it",
            ),
        ),
        "unknown": tuple(f"{each.name}: permission denied" for each in tables if not each.readable),
        "sampled": True,
        "counters_since": TAKEN_AT - timedelta(days=40),
    }


def crisis() -> Audit:
    """Return one as large as that of the crisis: 11 schemas, 106 tables, 28 keys, 6 of them broken."""
    return of_size(106, declared=28, proposed=34)


def large() -> Audit:
    """Return one of 400 tables and 900 relations."""
    return of_size(400, declared=560, proposed=336)
