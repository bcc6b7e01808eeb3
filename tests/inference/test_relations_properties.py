"""What holds for proposals whatever the tables are called, and however many there are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pgvigil.catalog import Catalog, TableKind
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference import propose_relations
from pgvigil.inference.comparable import part_family
from pgvigil.inference.propose import candidates
from tests.inference.schemas import catalog, numbers

WORDS = ("user", "users", "order", "item", "Group", "history", "app", "type", "parent", "s", "id", "naïve")
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("_".join)
TYPES = st.sampled_from(("", " uuid", " text", " integer", " date", " jsonb"))
MARKS = st.sampled_from(("", "", "", "*", "!", "+"))
COLUMNS = st.lists(
    st.tuples(st.one_of(st.just("id"), NAMES, NAMES.map("{}_id".format)), MARKS, TYPES),
    min_size=1,
    max_size=6,
    unique_by=lambda column: column[0],
)
KINDS = st.sampled_from(("", "", "", " kind=partitioned", " kind=view", " kind=foreign", " rows=0"))
TABLES = st.lists(
    st.tuples(st.sampled_from(("a", "b")), NAMES, COLUMNS, KINDS),
    min_size=1,
    max_size=8,
    unique_by=lambda table: table[:2],
)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    lines = []
    for schema, name, columns, more in draw(TABLES):
        inside = ", ".join(f'"{column}"{mark}{kind}' for column, mark, kind in columns)
        lines.append(f'{schema}."{name}"({inside}){more}')
    return catalog("\n".join(lines))


def with_numbers(made: Catalog) -> Statistics:
    return Statistics(
        columns={
            (table.oid, column.number): numbers(1, 100 * column.number)
            for table in made.tables
            for column in table.columns
        }
    )


@given(catalogs(), st.booleans())
@settings(deadline=None)
def test_a_proposal_names_what_exists_compares_and_is_likely(made: Catalog, known: bool) -> None:
    for one in propose_relations(made, with_numbers(made) if known else None):
        child, parent = made.table(one.relation.child), made.table(one.relation.parent)
        assert child is not None
        assert parent is not None
        assert child.kind in (TableKind.TABLE, TableKind.PARTITIONED)
        assert parent.kind in (TableKind.TABLE, TableKind.PARTITIONED)
        assert one.relation.parent_columns in [key.columns for key in parent.keys]
        for name, key_name in zip(one.relation.child_columns, one.relation.parent_columns, strict=True):
            column, key = child.column(name), parent.column(key_name)
            assert column is not None
            assert key is not None
            assert part_family(column) == part_family(key) is not None
        assert (one.relation.child, one.relation.child_columns) != (
            one.relation.parent,
            one.relation.parent_columns,
        )
        assert 0.5 <= one.probability <= 1
        assert one.evidence


@given(catalogs(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_tables_changes_nothing(made: Catalog, random: object) -> None:
    shuffled = list(made.tables)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis has no type for it
    assert propose_relations(replace(made, tables=tuple(shuffled))) == propose_relations(made)


@given(catalogs())
@settings(deadline=None)
def test_a_column_has_one_parent_and_what_is_known_is_not_proposed_again(made: Catalog) -> None:
    first = propose_relations(made)
    sides = [(one.relation.child, frozenset(one.relation.child_columns)) for one in first]
    assert len(sides) == len(set(sides))
    known = [one.relation for one in first]
    again = propose_relations(made, known=known)
    assert not set(sides) & {(one.relation.child, frozenset(one.relation.child_columns)) for one in again}


def test_the_work_grows_with_the_tables_and_not_with_their_pairs() -> None:
    def thought_of(tenants: int) -> int:
        lines = [
            f"t{tenant}.{table}"
            for tenant in range(tenants)
            for table in (
                "users(id*, name text)",
                "orders(id*, user_id, created_by)",
                "order_lines(order_id*, line_no*, item_type_id)",
                "item_types(id*, parent_id)",
            )
        ]
        return len(candidates(catalog("\n".join(lines))))

    assert thought_of(100) <= 10.5 * thought_of(10) + 100
