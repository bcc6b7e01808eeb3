"""Declared keys, of one column and of several."""

from __future__ import annotations

import pytest

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes
from tests.checks.cases.orphan_rows.common import PARENT_AND_CHILD, RELATION, UNGUARDED, orphans

KEYS = (
    Case(
        title="a sound key, with references that are NULL",
        given=PARENT_AND_CHILD + "INSERT INTO child VALUES (1, 1), (2, 5), (3, NULL)",
        expected={RELATION: passes(rows=3)},
    ),
    Case(
        title="tables without rows",
        given=PARENT_AND_CHILD,
        expected={RELATION: passes(rows=0)},
    ),
    Case(
        title="a key that is marked valid, violated by a load",
        given=PARENT_AND_CHILD + UNGUARDED + "INSERT INTO child VALUES (3, 7), (1, 6), (2, 5), (4, NULL)",
        expected={
            RELATION: fails(
                rows=4,
                orphans=Found(
                    2, ({"n": 1, "parent_id": 6}, {"n": 3, "parent_id": 7}), severity=Severity.CRITICAL
                ),
            )
        },
    ),
    Case(
        title="the sample is bounded, the count is not",
        given=PARENT_AND_CHILD
        + UNGUARDED
        + "INSERT INTO child SELECT -n, 100 + n FROM generate_series(1, 50) n",
        sample=2,
        expected={
            RELATION: fails(orphans=Found(50, ({"n": -50, "parent_id": 150}, {"n": -49, "parent_id": 149})))
        },
    ),
    Case(
        title="no sample is asked for",
        given=PARENT_AND_CHILD + UNGUARDED + "INSERT INTO child VALUES (1, 9)",
        sample=0,
        expected={RELATION: fails(orphans=Found(1, ()))},
    ),
    Case(
        title="a child without a key of its own is sampled by its references",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (note text, parent_id int);
            INSERT INTO child VALUES ('a', 3), ('b', 1), ('c', 3);
            ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID
        """,
        expected={RELATION: fails(orphans=orphans({"parent_id": 1}, {"parent_id": 3}, {"parent_id": 3}))},
    ),
    Case(
        title="a deferred key is judged as committed",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (parent_id int PRIMARY KEY REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
            BEGIN; INSERT INTO child VALUES (1); INSERT INTO parent VALUES (1); COMMIT
        """,
        expected={RELATION: passes(rows=1)},
    ),
    Case(
        title="a key that is not enforced",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (parent_id int PRIMARY KEY REFERENCES parent NOT ENFORCED);
            INSERT INTO child VALUES (1), (2); INSERT INTO parent VALUES (1)
        """,
        server=(pytest.mark.pg(">= 18"),),
        expected={RELATION: fails(rows=2, orphans=orphans({"parent_id": 2}))},
    ),
    Case(
        title="a table that refers to itself",
        given="""
            CREATE TABLE node (id int PRIMARY KEY, above int REFERENCES node);
            INSERT INTO node VALUES (1, NULL), (2, 1), (3, 3);
            SET session_replication_role = replica;
            DELETE FROM node WHERE id = 1
        """,
        expected={
            "public.node(above) -> public.node(id)": fails(rows=2, orphans=orphans({"id": 2, "above": 1}))
        },
    ),
    Case(
        title="across schemas, and two keys of one child",
        given="""
            CREATE SCHEMA a; CREATE SCHEMA b;
            CREATE TABLE a.parent (id int PRIMARY KEY); CREATE TABLE b.parent (id int PRIMARY KEY);
            CREATE TABLE a.child (n int PRIMARY KEY, x int REFERENCES a.parent, y int REFERENCES b.parent);
            INSERT INTO a.parent VALUES (1); SET session_replication_role = replica;
            INSERT INTO a.child VALUES (1, 1, 1)
        """,
        expected={
            "a.child(x) -> a.parent(id)": passes(rows=1),
            "a.child(y) -> b.parent(id)": fails(rows=1, orphans=orphans({"n": 1, "y": 1})),
        },
    ),
    Case(
        title="two constraints on one relation",
        given=PARENT_AND_CHILD
        + UNGUARDED
        + "ALTER TABLE child ADD CONSTRAINT again FOREIGN KEY (parent_id) REFERENCES parent;"
        + "INSERT INTO child VALUES (1, 9)",
        expected={
            RELATION: fails(orphans=orphans({"n": 1, "parent_id": 9})),
            f"{RELATION} (again)": fails(orphans=orphans({"n": 1, "parent_id": 9})),
        },
    ),
    Case(
        title="only the watched schemas",
        given=PARENT_AND_CHILD + UNGUARDED + "INSERT INTO child VALUES (1, 9)",
        scope=Scope(exclude=("public",)),
        expected={},
    ),
    Case(
        title="the severity is the settings'",
        given=PARENT_AND_CHILD + UNGUARDED + "INSERT INTO child VALUES (1, 9)",
        settings={"severity": {"public.*": "warning"}},
        expected={RELATION: fails(orphans=Found(1, severity=Severity.WARNING))},
    ),
)

COMPOSITE = """
    CREATE TABLE parent (a int, b text, PRIMARY KEY (a, b));
    CREATE TABLE child (n int PRIMARY KEY, x int, y text,
                        FOREIGN KEY (y, x) REFERENCES parent (b, a) {match});
    INSERT INTO parent VALUES (1, 'one'), (2, 'two');
    SET session_replication_role = replica;
    INSERT INTO child VALUES (1, 1, 'one'), (2, 1, 'two'), (3, NULL, 'no'), (4, 9, NULL), (5, NULL, NULL)
"""

PAIR = "public.child(y, x) -> public.parent(b, a)"

COMPOSITE_KEYS = (
    Case(
        title="a composite key: each column exists, the pair does not",
        given=COMPOSITE.format(match=""),
        expected={PAIR: fails(rows=5, orphans=orphans({"n": 2, "y": "two", "x": 1}))},
    ),
    Case(
        title="MATCH FULL: a reference that is NULL in part",
        given=COMPOSITE.format(match="MATCH FULL"),
        expected={
            PAIR: fails(
                rows=5,
                orphans=orphans({"n": 2, "y": "two", "x": 1}),
                partial_nulls=orphans({"n": 3, "y": "no", "x": None}, {"n": 4, "y": None, "x": 9}),
            )
        },
    ),
    Case(
        title="MATCH FULL, and sound",
        given=COMPOSITE.format(match="MATCH FULL") + "; DELETE FROM child WHERE n IN (2, 3, 4)",
        expected={PAIR: passes(rows=2)},
    ),
    Case(
        title="the reference is a part of the child's own key",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (parent_id int REFERENCES parent, line int, PRIMARY KEY (parent_id, line));
            SET session_replication_role = replica;
            INSERT INTO child VALUES (2, 1), (1, 2), (1, 1)
        """,
        sample=2,
        expected={
            RELATION: fails(orphans=Found(3, ({"parent_id": 1, "line": 1}, {"parent_id": 1, "line": 2})))
        },
    ),
    Case(
        title="a column that refers twice",
        given="""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
            CREATE TABLE child (x int, FOREIGN KEY (x, x) REFERENCES parent);
            SET session_replication_role = replica; INSERT INTO parent VALUES (1, 1), (2, 1);
            INSERT INTO child VALUES (1), (2)
        """,
        expected={
            "public.child(x, x) -> public.parent(a, b)": fails(rows=2, orphans=orphans({"x": 2})),
        },
    ),
)
