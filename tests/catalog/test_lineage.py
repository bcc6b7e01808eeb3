"""What is remembered of the tables and keys that subjects are about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgvigil.catalog import Table, TableKind, lineage, oids, read_lineage, written_lineage

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def table(oid: int, name: str) -> Table:
    return Table(
        oid=oid,
        schema="a schema",
        name=name,
        kind=TableKind.TABLE,
        owner="",
        partition_of=None,
        inherits=(),
        has_children=False,
        logged=True,
        file=0,
        row_security=False,
        rows_estimate=None,
        pages=0,
        columns=(),
        keys=(),
        indexes=(),
    )


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), NAMES)))
def test_it_comes_back_as_it_was_written_whatever_the_names(tables: list[tuple[int, str]]) -> None:
    made = lineage(table(oid, name) for oid, name in tables)
    text = written_lineage(made)
    assert read_lineage(text) == made
    assert oids(text) == tuple(("table", oid) for oid, _ in tables)
