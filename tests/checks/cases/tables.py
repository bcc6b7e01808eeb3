"""Cases of the check `tables`."""

from __future__ import annotations

import pytest

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes, unknown

# As a failed CREATE UNIQUE INDEX CONCURRENTLY leaves it, which cannot run in the transaction of a case.
_LEFT_INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass;"

CASES = (
    Case(
        title="every kind of table that holds rows is a subject, and can be read",
        given="""
            CREATE TABLE plain (id int PRIMARY KEY);
            INSERT INTO plain VALUES (1), (2);
            CREATE TABLE empty ();
            CREATE TABLE child () INHERITS (plain);
            CREATE TABLE root (id int) PARTITION BY LIST (id);
            CREATE TABLE leaf PARTITION OF root FOR VALUES IN (1);
            CREATE UNLOGGED TABLE "Straße.der ""Namen"" 1" (id int);
            CREATE VIEW looks AS SELECT 1;
        """,
        expected={
            "public.plain": passes(rows=1),
            "public.empty": passes(rows=0),
            "public.child": passes(rows=0),
            "public.root": passes(rows=0),
            'public."Straße.der ""Namen"" 1"': passes(rows=0),
        },
    ),
    Case(
        title="a unique index that is not in force lets duplicates in",
        given=f"""
            CREATE TABLE t (id int);
            INSERT INTO t VALUES (1), (1);
            CREATE TABLE sound (id int UNIQUE);
            CREATE UNIQUE INDEX late ON sound (id);
            CREATE INDEX plain_one ON t (id);
            {_LEFT_INVALID.format("plain_one")}
            {_LEFT_INVALID.format("late")}
        """,
        expected={
            "public.t": passes(rows=1),
            "public.sound": fails(
                rows=0,
                unique_not_in_force=Found(1, ({"index": "public.late"},), Severity.WARNING),
            ),
        },
    ),
    Case(
        title="the indexes of partitions count with their root",
        given=f"""
            CREATE TABLE root (id int) PARTITION BY RANGE (id);
            CREATE TABLE sub PARTITION OF root FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
            CREATE TABLE leaf PARTITION OF sub FOR VALUES FROM (0) TO (5);
            CREATE UNIQUE INDEX leaf_key ON leaf (id);
            {_LEFT_INVALID.format("leaf_key")}
        """,
        expected={"public.root": fails(unique_not_in_force=Found(1, ({"index": "public.leaf_key"},)))},
    ),
    Case(
        title="the index behind a foreign key is the check foreign_keys' to report",
        given=f"""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (id int REFERENCES parent);
            {_LEFT_INVALID.format("parent_pkey")}
        """,
        expected={"public.parent": passes(), "public.child": passes()},
    ),
    Case(
        title="the index behind a key that nobody watches is reported here",
        given=f"""
            CREATE SCHEMA apart; CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE apart.child (id int REFERENCES parent);
            {_LEFT_INVALID.format("parent_pkey")}
        """,
        scope=Scope(exclude=("apart",)),
        expected={"public.parent": fails(unique_not_in_force=Found(1, ({"index": "public.parent_pkey"},)))},
    ),
    Case(
        title="a table some of whose columns may be read cannot be read in full",
        given="""
            CREATE TABLE partly (id int, secret text); CREATE TABLE whole (id int);
            GRANT SELECT (id) ON partly TO tables_column_reader; GRANT SELECT ON whole TO tables_column_reader
        """,
        role="tables_column_reader",
        expected={
            "public.partly": unknown("only some of its columns may be read: grant SELECT"),
            "public.whole": passes(),
        },
    ),
    Case(
        title="what may not be read is unknown",
        given="""
            CREATE TABLE secret (id int);
            CREATE TABLE open (id int);
            GRANT SELECT ON open TO tables_reader;
            CREATE TABLE policed (id int);
            GRANT SELECT ON policed TO tables_reader;
            ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
        """,
        role="tables_reader",
        expected={
            "public.secret": unknown("permission denied"),
            "public.open": passes(),
            "public.policed": unknown("row-level security"),
        },
    ),
    Case(
        title="a foreign table is known and cannot be judged",
        given="""
            CREATE EXTENSION postgres_fdw;
            CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
            CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
            CREATE TABLE root (id int) PARTITION BY LIST (id);
            CREATE FOREIGN TABLE far_part PARTITION OF root DEFAULT SERVER elsewhere;
            CREATE TABLE parent (id int);
            CREATE FOREIGN TABLE far_heir () INHERITS (parent) SERVER elsewhere;
        """,
        expected={
            "public.far": unknown("public.far is a foreign table"),
            "public.far_heir": unknown("public.far_heir is a foreign table"),
            "public.root": unknown("public.far_part is a foreign table"),
            "public.parent": unknown("public.far_heir is a foreign table"),
        },
        server=(pytest.mark.contrib,),
    ),
)
