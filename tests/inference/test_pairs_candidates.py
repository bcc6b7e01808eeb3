"""Candidates are found among many tables without comparing each with every other one."""

from __future__ import annotations

import random

import pytest

from pgvigil.catalog import Catalog, Column, Key, Table, TableKind
from pgvigil.catalog.statistics import Statistics, TableStatistics
from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_candidates import MOST_CANDIDATES, candidate_tables
from pgvigil.inference.pairs_sides import fresher

WORDS = """
    customer order invoice payment shipment product stock user team project task note file message event alert
    report ledger policy claim agent route stop vehicle driver meter sensor device batch lane dock crate
""".split()
TRAITS = "code score rate flag level owner grade limit share total".split()


def table(oid: int, schema: str, name: str, columns: dict[str, str], key: str = "id") -> Table:
    made = tuple(
        Column(
            name=column,
            number=number,
            type=type_name,
            base_type=type_name,
            category="S" if type_name == "text" else "N",
            not_null=False,
            collation=("pg_catalog", "default") if type_name == "text" else None,
            deterministic=True,
            comparable=True,
            faithful=True,
            generated=False,
        )
        for number, (column, type_name) in enumerate(columns.items(), start=1)
    )
    return Table(
        oid=oid,
        schema=schema,
        name=name,
        kind=TableKind.TABLE,
        owner="o",
        partition_of=None,
        inherits=(),
        has_children=False,
        logged=True,
        file=oid,
        row_security=False,
        rows_estimate=1000.0,
        pages=10,
        columns=made,
        keys=(Key(name + "_key", (key,), primary=True, nulls_not_distinct=False),),
        indexes=(),
    )


def crowd(count: int) -> list[Table]:
    """Make tables as a grown database has them: some with much in common, most with little."""
    dice = random.Random(5)
    columns = [f"{word}_{trait}" for word in WORDS for trait in TRAITS]
    return [
        table(
            number,
            f"s{number % 40}",
            f"{dice.choice(WORDS)}_{dice.choice(WORDS)}_{number}",
            {"id": "bigint", "name": "text", **dict.fromkeys(dice.sample(columns, 6), "text")},
        )
        for number in range(1, count + 1)
    ]


LEFT = table(
    100_001,
    "web",
    "musical_works",
    {
        "id": "bigint",
        "iswc": "text",
        "title": "text",
        "composer": "text",
        "publisher": "text",
        "bars": "text",
    },
    key="iswc",
)
RIGHT = table(
    100_002,
    "erp",
    "works",
    {"number": "bigint", "iswc": "text", "name": "text", "composed_by": "text", "publishers": "text"},
    key="iswc",
)


def catalog(*tables: Table) -> Catalog:
    return Catalog(160_000, "d", in_recovery=False, tables=tables, foreign_keys=())


def test_among_thousands_of_tables_the_two_that_share_rare_names_come_first() -> None:
    many = catalog(*crowd(3000), LEFT, RIGHT)
    assert candidate_tables(many)[0] == (LEFT, RIGHT)
    (pair,) = [one for one in propose_pairs(many) if one.left.schema == "web"]
    assert pair.key == {"iswc": "iswc"}
    assert pair.columns == {"title": "name", "composer": "composed_by", "publisher": "publishers"}


@pytest.mark.parametrize(
    ("left", "right", "side"),
    [
        # (rows, writes) of either side: a load writes as many rows as there are.
        ((1000, 1000), (10, 10), ""),
        ((1000, 1900), (1000, 1100), "left"),
        ((1000, 1100), (1000, 9000), "right"),
        ((1000, 1040), (1000, 1000), ""),
        ((1000, 3000), (1000, 2900), ""),
    ],
)
def test_the_side_with_far_more_writes_than_its_load_is_fresher(
    left: tuple[int, int], right: tuple[int, int], side: str
) -> None:
    known = {
        one.oid: TableStatistics(bytes=0, live_rows=rows, writes=writes, readable=True)
        for one, (rows, writes) in ((LEFT, left), (RIGHT, right))
    }
    assert fresher((LEFT, RIGHT), Statistics(tables=known), None)[0] == side


def test_however_many_are_alike_a_bounded_number_is_looked_at() -> None:
    alike = [
        table(number, f"s{number}", f"part_{number % 100}", {"id": "bigint", f"trait_{number % 100}": "text"})
        for number in range(1, 2001)
    ]
    assert 0 < len(candidate_tables(catalog(*alike))) <= MOST_CANDIDATES


@pytest.mark.parametrize(
    ("right", "words"), [("customers", "the tables' names are the same"), ("client", "mean the same")]
)
def test_names_are_told_to_be_the_same_only_if_they_are(right: str, words: str) -> None:
    columns = {"email": "text", "surname": "text", "phone": "text", "street": "text"}
    sides = [table(1, "shop", "customer", columns, "email"), table(2, "crm", right, columns, "email")]
    (pair,) = propose_pairs(catalog(*sides))
    assert any(words in one for one in pair.evidence), pair.evidence
    assert "they have about 1,000 and 1,000 rows" in pair.evidence
