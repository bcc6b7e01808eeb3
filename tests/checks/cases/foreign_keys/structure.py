"""Partitions, temporal keys, indexes and types."""

from __future__ import annotations

from pgvigil.check import Severity
from tests.checks.case import Case, Expected, Found, fails, passes
from tests.checks.cases.foreign_keys.common import BROKEN, NOTE, PARTITIONED, RELATION, SINCE_18

PARTITIONS = (
    Case(
        title="partitions on both sides are one key",
        given=PARTITIONED,
        expected={RELATION: passes()},
    ),
    Case(
        title="the triggers of one partition are disabled",
        given=PARTITIONED + "ALTER TABLE child_rest_all DISABLE TRIGGER ALL",
        expected={RELATION: fails(triggers_disabled=BROKEN)},
    ),
    Case(
        title="the triggers of one of the parent's partitions are disabled",
        given=PARTITIONED + "ALTER TABLE parent_low DISABLE TRIGGER ALL",
        expected={RELATION: fails(triggers_disabled=BROKEN)},
    ),
    Case(
        title="the index of one of the parent's partitions is invalid",
        given=PARTITIONED
        + "SET allow_system_table_mods = on;"
        + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'parent_low_pkey'::regclass",
        expected={RELATION: fails(index_invalid=BROKEN)},
    ),
    Case(
        title="every partition has an index of its own",
        given=PARTITIONED
        + """
            DROP INDEX child_parent_id_idx;
            CREATE INDEX ON child_1 (parent_id); CREATE INDEX ON child_rest_all (parent_id, n)
        """,
        expected={RELATION: passes()},
    ),
    Case(
        title="one partition has no index",
        given=PARTITIONED + "DROP INDEX child_parent_id_idx; CREATE INDEX ON child_1 (parent_id)",
        expected={
            RELATION: passes(
                unindexed=Found(
                    1,
                    (
                        {
                            "table": "public.child",
                            "constraint": "child_parent_id_fkey",
                            "columns": "parent_id",
                        },
                    ),
                    Severity.INFO,
                )
            )
        },
    ),
    Case(
        title="a temporal key",
        given="""
            CREATE TABLE parent (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
            CREATE TABLE child (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS),
                                FOREIGN KEY (id, PERIOD during) REFERENCES parent (id, PERIOD during))
        """,
        server=SINCE_18,
        expected={"public.child(id, during) -> public.parent(id, during)": passes()},
    ),
)


def indexed_by(index: str, **notes: Found) -> tuple[str, dict[str, Expected]]:
    """Return the SQL of a key of two columns with one index of the child, and what to expect of it."""
    sql = f"""
        CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE child (n int, a int, b int, FOREIGN KEY (a, b) REFERENCES parent);
        CREATE INDEX ON child {index}
    """
    return sql, {"public.child(a, b) -> public.parent(a, b)": passes(**notes)}


NOTES = (
    *(
        Case(title=f"an index {index}", given=given, expected=expected)
        for index, (given, expected) in {
            "in another order, with more columns": indexed_by("(b, a, n)"),
            "that leads with another column": indexed_by("(n, a, b)", unindexed=NOTE),
            "of one column only": indexed_by("(a)", unindexed=NOTE),
            "that is partial": indexed_by("(a, b) WHERE n > 0", unindexed=NOTE),
            "on expressions": indexed_by("((a + 0), b)", unindexed=NOTE),
            "that can't find equals": indexed_by("USING brin (a, b)", unindexed=NOTE),
        }.items()
    ),
    Case(
        title="types that differ",
        given="""
            CREATE TABLE parent (a bigint, b varchar(10), c date, PRIMARY KEY (a, b, c));
            CREATE TABLE child (a int, b varchar(20), c date, UNIQUE (a, b, c),
                                FOREIGN KEY (a, b, c) REFERENCES parent)
        """,
        expected={
            "public.child(a, b, c) -> public.parent(a, b, c)": passes(
                types_differ=Found(
                    2,
                    sample=(
                        {
                            "constraint": "child_a_b_c_fkey",
                            "column": "a",
                            "type": "integer",
                            "parent_column": "a",
                            "parent_type": "bigint",
                        },
                        {
                            "constraint": "child_a_b_c_fkey",
                            "column": "b",
                            "type": "character varying(20)",
                            "parent_column": "b",
                            "parent_type": "character varying(10)",
                        },
                    ),
                    severity=Severity.INFO,
                    details={"a": {"child": "integer", "parent": "bigint"}},
                )
            )
        },
    ),
)
