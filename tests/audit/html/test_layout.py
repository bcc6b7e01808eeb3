"""The map's places: no table hides another, each lies in its schema, and large maps take seconds at most."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgvigil.audit import Audit
from pgvigil.audit.html.layout import Box, Plan, arrange
from pgvigil.audit.html.lines import line
from pgvigil.audit.html.picture import picture
from pgvigil.catalog import TableName
from tests.audit.html.synthetic import crisis, large, of_size

SCREEN = (1_600, 1_000)


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.right and other.x < one.right
    return across and one.y < other.bottom and other.y < one.bottom


def within(inner: Box, outer: Box) -> bool:
    across = outer.x <= inner.x and inner.right <= outer.right
    return across and outer.y <= inner.y and inner.bottom <= outer.bottom


def is_sound(plan: Plan) -> None:
    for one, other in combinations(plan.tables.items(), 2):
        assert not overlap(one[1], other[1]), (one, other)
    for one, other in combinations(plan.schemas.items(), 2):
        assert not overlap(one[1], other[1]), (one, other)
    for name, box in plan.tables.items():
        assert within(box, plan.schemas[name.schema])
    for box in plan.schemas.values():
        assert within(box, Box(-0.01, -0.01, plan.width + 0.02, plan.height + 0.02))


NAMES = st.builds(TableName, st.sampled_from(["a", 'b"', "c d"]), st.sampled_from("pqrstuvwxyz"))


@settings(deadline=None)
@given(
    widths=st.dictionaries(NAMES, st.floats(20, 250), min_size=1, max_size=25),
    data=st.data(),
)
def test_no_table_hides_another_whatever_refers_to_what(
    widths: dict[TableName, float], data: st.DataObject
) -> None:
    ends = st.sampled_from(sorted(widths, key=str))
    links = data.draw(st.lists(st.tuples(ends, ends), max_size=40))
    plan = arrange(widths, links)
    assert plan.tables.keys() == widths.keys()
    assert all(plan.tables[name].width == pytest.approx(width) for name, width in widths.items())
    is_sound(plan)


def test_an_empty_database_has_an_empty_map() -> None:
    assert arrange({}, []) == Plan({}, {}, 0, 0)


@pytest.mark.parametrize("audit", [crisis(), large()], ids=["106 tables", "400 tables"])
def test_a_database_fits_on_its_map(audit: Audit) -> None:
    drawn = picture(audit)
    is_sound(
        Plan(
            {node.name: node.box for node in drawn.nodes},
            {region.name: region.box for region in drawn.regions},
            drawn.width,
            drawn.height,
        )
    )
    assert {node.name for node in drawn.nodes} >= {table.name for table in audit.inventory.tables}
    assert [edge.relation for edge in drawn.edges] == list(audit.relations)


def test_names_of_106_tables_can_be_read_on_one_screen() -> None:
    drawn = picture(crisis())
    assert not drawn.far
    letters = 11 * min(SCREEN[0] / drawn.width, 0.78 * SCREEN[1] / drawn.height)
    assert letters > 7


def test_the_same_audit_gives_the_same_map() -> None:
    assert picture(crisis()) == picture(crisis())


def test_a_schema_full_of_relations_does_not_take_minutes() -> None:
    """Its tables then stand in rows."""
    names = [TableName("big", f"t{place}") for place in range(1_000)]
    links = [(names[place], names[place * 7 % 1_000]) for place in range(1_000)]
    links += [(names[place], names[place * 11 % 1_000]) for place in range(1_000)]
    plan = arrange(dict.fromkeys(names, 60.0), links)
    is_sound(plan)
    assert len({box.y for box in plan.tables.values()}) < 60


def test_hundreds_of_schemas_stand_in_rows() -> None:
    names = [TableName(f"tenant_{place}", table) for place in range(300) for table in ("users", "orders")]
    plan = arrange(dict.fromkeys(names, 80.0), list(zip(names[1::2], names[::2], strict=True)))
    is_sound(plan)
    assert 0.8 < plan.width / plan.height < 3


def test_relations_between_the_same_tables_are_as_many_lines() -> None:
    child, parent = Box(0, 0, 80, 20), Box(200, 100, 80, 20)
    assert len({line(child, parent, place).path for place in range(9)}) == 9


def test_a_table_that_refers_to_itself_has_a_loop() -> None:
    box = Box(10, 10, 80, 20)
    loop = line(box, box)
    assert loop.path.startswith("M90.0,25.0C")
    assert next(loop.points())[0] > box.right


def test_the_loops_of_a_table_stay_in_the_frame_of_its_schema() -> None:
    table = TableName("hr", "employees_of_all_kinds")
    plan = arrange({table: 200.0}, [(table, table)] * 3)
    for place in range(3):
        loop = line(plan.tables[table], plan.tables[table], place)
        assert max(x for x, _ in loop.points()) < plan.schemas["hr"].right


def test_no_table_hides_what_is_broken() -> None:
    drawn = picture(crisis())
    marks = [edge.mark for edge in drawn.edges if edge.mark]
    assert len(marks) == 6
    assert not [node for node in drawn.nodes if any(node.box.covers(*mark) for mark in marks)]


def test_far_maps_show_the_schemas_names_first() -> None:
    assert picture(of_size(400, 560, 336)).far
