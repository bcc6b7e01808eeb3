"""Partitions, inheritance, temporal keys, and tables with odd names or many columns."""

from __future__ import annotations

import pytest

from pgvigil.catalog import Scope
from tests.checks.case import Case, fails, passes
from tests.checks.cases.orphan_rows.common import (
    CONFIGURED,
    PARENT_AND_CHILD,
    RELATION,
    orphans,
)

PARTITIONS_AND_INHERITANCE = (
    Case(
        title="partitions on both sides are judged at their roots",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE parent_low PARTITION OF parent FOR VALUES FROM (0) TO (10);
            CREATE TABLE parent_high PARTITION OF parent FOR VALUES FROM (10) TO (20);
            CREATE TABLE child (n int PRIMARY KEY, parent_id int REFERENCES parent) PARTITION BY HASH (n);
            CREATE TABLE child_0 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE child_1 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 1)
                PARTITION BY RANGE (n);
            CREATE TABLE child_1_all PARTITION OF child_1 DEFAULT;
            INSERT INTO parent VALUES (1), (11); SET session_replication_role = replica;
            INSERT INTO child VALUES (1, 1), (2, 11), (3, 2), (4, 12), (5, 11), (6, 30)
        """,
        expected={
            RELATION: fails(
                rows=6,
                orphans=orphans(
                    {"n": 3, "parent_id": 2}, {"n": 4, "parent_id": 12}, {"n": 6, "parent_id": 30}
                ),
            )
        },
    ),
    Case(
        title="a sound partitioned child",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (n int, parent_id int REFERENCES parent) PARTITION BY LIST (n);
            CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
            CREATE TABLE child_rest PARTITION OF child DEFAULT;
            INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1), (2, 1), (3, NULL)
        """,
        expected={RELATION: passes(rows=3)},
    ),
    Case(
        title="a key that one partition alone declares",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (n int, parent_id int) PARTITION BY LIST (n);
            CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
            CREATE TABLE child_rest PARTITION OF child DEFAULT;
            ALTER TABLE child_1 ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
            SET session_replication_role = replica; INSERT INTO child VALUES (1, 5), (2, 6)
        """,
        expected={
            "public.child_1(parent_id) -> public.parent(id)": fails(rows=1, orphans=orphans({"parent_id": 5}))
        },
    ),
    Case(
        title="a declared key knows no inheriting tables, on either side",
        given=PARENT_AND_CHILD
        + """
            CREATE TABLE more_parents () INHERITS (parent); CREATE TABLE more_children () INHERITS (child);
            INSERT INTO more_parents VALUES (9); INSERT INTO more_children VALUES (2, 8);
            SET session_replication_role = replica; INSERT INTO child VALUES (1, 9)
        """,
        expected={RELATION: fails(rows=1, orphans=orphans({"n": 1, "parent_id": 9}))},
    ),
    Case(
        title="a key with inheriting tables that is configured as well: one subject without them, one with",
        given=PARENT_AND_CHILD
        + """
            CREATE TABLE more_parents () INHERITS (parent); CREATE TABLE more_children () INHERITS (child);
            INSERT INTO more_parents VALUES (9); INSERT INTO more_children VALUES (2, 8), (3, 7);
            SET session_replication_role = replica; INSERT INTO child VALUES (1, 9)
        """,
        settings=CONFIGURED,
        expected={
            RELATION: fails(rows=1, orphans=orphans({"n": 1, "parent_id": 9})),
            f"{RELATION} (with inheriting tables)": fails(
                rows=3, orphans=orphans({"n": 2, "parent_id": 8}, {"n": 3, "parent_id": 7})
            ),
        },
    ),
    Case(
        title="a partition that is watched brings its root, which is not",
        given="""
            CREATE SCHEMA apart; CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE apart.root (id int REFERENCES parent) PARTITION BY LIST (id);
            CREATE TABLE leaf PARTITION OF apart.root DEFAULT;
            SET session_replication_role = replica; INSERT INTO leaf VALUES (3)
        """,
        scope=Scope(include=("public",)),
        expected={"apart.root(id) -> public.parent(id)": fails(rows=1, orphans=orphans({"id": 3}))},
    ),
    Case(
        title="a configured relation means inheriting tables as well",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (n int PRIMARY KEY, parent_id int);
            CREATE TABLE more_parents () INHERITS (parent); CREATE TABLE more_children () INHERITS (child);
            INSERT INTO more_parents VALUES (9);
            INSERT INTO child VALUES (1, 9); INSERT INTO more_children VALUES (2, 8)
        """,
        settings=CONFIGURED,
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": 8}))},
    ),
)

TEMPORAL = """
    CREATE TABLE parent (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
    CREATE TABLE child (n int PRIMARY KEY, id int4range, during daterange,
                        FOREIGN KEY (id, PERIOD during) REFERENCES parent (id, PERIOD during));
    INSERT INTO parent VALUES ('[1,2)', '[2020-01-01,2020-06-01)'), ('[1,2)', '[2020-06-01,2021-01-01)'),
                              ('[1,2)', '[2022-01-01,)');
"""

TEMPORAL_RELATION = "public.child(id, during) -> public.parent(id, during)"

TEMPORAL_KEYS = (
    Case(
        title="a temporal key: several parents together cover the child",
        given=TEMPORAL
        + """
            INSERT INTO child VALUES (1, '[1,2)', '[2020-02-01,2020-12-01)'), (2, '[1,2)', '[2023-01-01,)'),
                                     (3, NULL, '[1990-01-01,)'), (4, '[7,8)', NULL)
        """,
        server=(pytest.mark.pg(">= 18"),),
        expected={TEMPORAL_RELATION: passes(rows=4)},
    ),
    Case(
        title="a temporal key: a gap between the parents, and no parent",
        given=TEMPORAL
        + """
            SET session_replication_role = replica;
            INSERT INTO child VALUES (1, '[1,2)', '[2020-12-01,2022-02-01)'),
                                     (2, '[5,6)', '[2020-02-01,2020-03-01)')
        """,
        server=(pytest.mark.pg(">= 18"),),
        expected={
            TEMPORAL_RELATION: fails(
                rows=2,
                orphans=orphans(
                    {"n": 1, "id": "[1,2)", "during": "[2020-12-01,2022-02-01)"},
                    {"n": 2, "id": "[5,6)", "during": "[2020-02-01,2020-03-01)"},
                ),
            )
        },
    ),
)

LONG = "ñ" * 31

ODD = 'we"ird. %s {näme}'

NAMES_AND_SIZES = (
    Case(
        title="identifiers with quotes, dots, blanks, percent signs and braces",
        given=f"""
            CREATE SCHEMA "{ODD.replace('"', '""')}"; SET search_path = "{ODD.replace('"', '""')}";
            CREATE TABLE "{ODD.replace('"', '""')}" ("a.b" int PRIMARY KEY, "select" int REFERENCES
                "{ODD.replace('"', '""')}" ("a.b"));
            SET session_replication_role = replica;
            INSERT INTO "{ODD.replace('"', '""')}" VALUES (1, 1), (2, 3)
        """,
        expected={
            '"we""ird. %s {näme}"."we""ird. %s {näme}"("select") -> '
            '"we""ird. %s {näme}"."we""ird. %s {näme}"("a.b")': fails(
                rows=2, orphans=orphans({"a.b": 2, "select": 3})
            )
        },
    ),
    Case(
        title="identifiers of 63 bytes beyond ASCII",
        given=f"""
            CREATE TABLE "{LONG}p" ("{LONG}" int PRIMARY KEY);
            CREATE TABLE "{LONG}c" ("{LONG}" int REFERENCES "{LONG}p");
            SET session_replication_role = replica; INSERT INTO "{LONG}c" VALUES (1)
        """,
        expected={
            f'public."{LONG}c"("{LONG}") -> public."{LONG}p"("{LONG}")': fails(
                rows=1, orphans=orphans({LONG: 1})
            )
        },
    ),
    Case(
        title="tables of 1,600 columns",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (parent_id int REFERENCES parent);
            DO $$ BEGIN FOR n IN 1 .. 2 LOOP
                EXECUTE (SELECT format('ALTER TABLE %s ', CASE n WHEN 1 THEN 'parent' ELSE 'child' END)
                         || string_agg(format('ADD c%s int', c), ', ') FROM generate_series(1, 1599) AS c);
            END LOOP; END $$;
            INSERT INTO parent VALUES (1); SET session_replication_role = replica;
            INSERT INTO child VALUES (1), (2)
        """,
        expected={RELATION: fails(rows=2, orphans=orphans({"parent_id": 2}))},
    ),
)
