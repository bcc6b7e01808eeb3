"""What `orphan_rows` must say of which database."""

from __future__ import annotations

import pytest

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes, unknown

UNGUARDED = "SET session_replication_role = replica;"
"""What follows is loaded as a restore loads it: no trigger of a foreign key fires."""

CONTRIB = (pytest.mark.contrib,)
ICU = CONTRIB
"""The extra's servers are built without ICU, those of the system with it."""

PARENT_AND_CHILD = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, parent_id int REFERENCES parent);
    INSERT INTO parent SELECT generate_series(1, 5);
"""
RELATION = "public.child(parent_id) -> public.parent(id)"


def between(parent_type: str, child_type: str, parents: str, children: str, more: str = "") -> str:
    """Return the SQL of a parent and a child that no key protects, with the values of their key columns."""
    return f"""
        {more}
        CREATE TABLE parent (id {parent_type});
        CREATE TABLE child (n int PRIMARY KEY, parent_id {child_type});
        INSERT INTO parent SELECT v::{parent_type} FROM unnest(ARRAY[{parents}]) AS v;
        INSERT INTO child SELECT n, v::{child_type} FROM unnest(ARRAY[{children}]) WITH ORDINALITY u (v, n);
    """


def declared(parent_type: str, child_type: str, parents: str, children: str, more: str = "") -> str:
    """Return the SQL of a parent and a child with a declared key, loaded unguarded."""
    return f"""
        {more}
        CREATE TABLE parent (id {parent_type} PRIMARY KEY);
        CREATE TABLE child (n int PRIMARY KEY, parent_id {child_type} REFERENCES parent);
        {UNGUARDED}
        INSERT INTO parent SELECT v::{parent_type} FROM unnest(ARRAY[{parents}]) AS v;
        INSERT INTO child SELECT n, v::{child_type} FROM unnest(ARRAY[{children}]) WITH ORDINALITY u (v, n);
    """


def orphans(*samples: dict[str, object]) -> Found:
    """Expect as many orphans as there are samples, in this order."""
    return Found(len(samples), samples)


CONFIGURED = {"relations": [RELATION]}

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

TYPES = (
    Case(
        title="an int that refers to a bigint",
        given=declared("bigint", "int", "1, 3000000000", "1, 2"),
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": 2}))},
    ),
    Case(
        title="a bigint that refers to a numeric: scale does not matter",
        given=declared("numeric", "bigint", "1.0, 2.00, 3.5", "1, 2, 3"),
        expected={RELATION: fails(rows=3, orphans=orphans({"n": 3, "parent_id": 3}))},
    ),
    Case(
        title="numerics: scale does not matter, NaN equals NaN",
        given=declared("numeric", "numeric", "1.0, 2.00, 'NaN'", "1.00, 2, 'NaN', 2.001"),
        expected={RELATION: fails(rows=4, orphans=orphans({"n": 4, "parent_id": "2.001"}))},
    ),
    Case(
        title="floats: -0.0 equals 0.0, NaN equals NaN, infinity is a value",
        given=declared(
            "float8", "float8", "'-0.0'::float8, 'NaN', 'Infinity'", "0.0, 'NaN', 'Infinity', '-Infinity'"
        ),
        expected={RELATION: fails(rows=4, orphans=orphans({"n": 4, "parent_id": "-Infinity"}))},
    ),
    Case(
        title="a NaN without a parent",
        given=declared("float8", "float8", "1.5", "1.5, 'NaN'"),
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "NaN"}))},
    ),
    Case(
        title="a float4 that refers to a float8",
        given=declared("float8", "float4", "0.5, 0.1", "0.5, 0.1"),
        expected={RELATION: fails(rows=2, orphans=Found(1))},
    ),
    Case(
        title="text: the empty string is not NULL, blanks count",
        given=declared("text", "text", "'a', ''", "'a', '', 'a ', NULL, 'A'"),
        expected={
            RELATION: fails(rows=5, orphans=orphans({"n": 3, "parent_id": "a "}, {"n": 5, "parent_id": "A"}))
        },
    ),
    Case(
        title="char(n): blanks at the end don't count, and nothing is cut off",
        given=declared("char(5)", "char(8)", "'abc', 'x'", "'abc', 'abcd', 'x'"),
        expected={RELATION: fails(rows=3, orphans=orphans({"n": 2, "parent_id": "abcd    "}))},
    ),
    Case(
        title="text that refers to char(n): compared as char(n), uncut",
        given=declared("char(5)", "text", "'abc', 'abd'", "'abc ', 'abd', 'abe'"),
        expected={RELATION: fails(rows=3, orphans=orphans({"n": 3, "parent_id": "abe"}))},
    ),
    Case(
        title="bit strings are not cut off",
        given=declared("bit(4)", "bit(4)", "'1010'", "'1010', '1011'"),
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "1011"}))},
    ),
    Case(
        title="varchar that refers to text",
        given=declared("text", "varchar(10)", "'a', 'b'", "'a', 'c'"),
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "c"}))},
    ),
    Case(
        title="a date that refers to a timestamptz: midnight of the session's time zone",
        given=declared(
            "timestamptz",
            "date",
            "'2024-05-01 00:00+00', 'infinity'",
            "'2024-05-01', 'infinity', '2024-05-02'",
        ),
        expected={RELATION: fails(rows=3, orphans=orphans({"n": 3, "parent_id": "2024-05-02"}))},
    ),
    Case(
        title="timestamps from before Christ to infinity",
        given=declared(
            "timestamp",
            "timestamp",
            "'4713-01-01 BC', '-infinity'",
            "'4713-01-01 BC', '-infinity', 'infinity'",
        ),
        expected={RELATION: fails(rows=3, orphans=orphans({"n": 3, "parent_id": "infinity"}))},
    ),
    Case(
        title="uuids",
        given=declared(
            "uuid",
            "uuid",
            "'00000000-0000-0000-0000-00000000000a'",
            "'00000000-0000-0000-0000-00000000000A', '00000000-0000-0000-0000-00000000000b'",
        ),
        expected={
            RELATION: fails(
                rows=2, orphans=orphans({"n": 2, "parent_id": "00000000-0000-0000-0000-00000000000b"})
            )
        },
    ),
    Case(
        title="bytea, arrays, jsonb and enums",
        given="""
            CREATE TYPE mood AS ENUM ('glad', 'sad');
            CREATE TABLE parent (a bytea, b int[], c jsonb, d mood, PRIMARY KEY (a, b, c, d));
            CREATE TABLE child (n int PRIMARY KEY, a bytea, b int[], c jsonb, d mood,
                                FOREIGN KEY (a, b, c, d) REFERENCES parent);
            INSERT INTO parent VALUES ('\\x00ff', '{1,NULL}', '{"x": 1, "y": [2.0]}', 'sad');
            SET session_replication_role = replica;
            INSERT INTO child VALUES (1, '\\x00ff', '{1,NULL}', '{"y": [2.00], "x": 1}', 'sad'),
                                     (2, '\\x00ff', '{1,NULL}', '{"y": [2.00], "x": 1}', 'glad')
        """,
        expected={
            "public.child(a, b, c, d) -> public.parent(a, b, c, d)": fails(
                rows=2,
                orphans=orphans(
                    {"n": 2, "a": "\\x00ff", "b": [1, None], "c": '{"x": 1, "y": [2.00]}', "d": "glad"}
                ),
            )
        },
    ),
    Case(
        title="domains are compared as what is below them",
        given=declared(
            "code",
            "serial_no",
            "1, 2",
            "1, 3",
            "CREATE DOMAIN code AS bigint; CREATE DOMAIN serial_no AS int;",
        ),
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": 3}))},
    ),
    Case(
        title="a domain over an enum or an array",
        given="""
            CREATE TYPE mood AS ENUM ('glad', 'sad');
            CREATE DOMAIN my_mood AS mood; CREATE DOMAIN trail AS text[];
            CREATE TABLE parent (a my_mood, b trail); CREATE TABLE child (a my_mood, b trail);
            INSERT INTO parent VALUES ('sad', '{x}'); INSERT INTO child VALUES ('sad', '{x}'), ('sad', '{y}')
        """,
        settings={"relations": ["public.child(a, b) -> public.parent(a, b)"]},
        expected={
            "public.child(a, b) -> public.parent(a, b)": fails(
                rows=2, orphans=orphans({"a": "sad", "b": ["y"]})
            )
        },
    ),
    Case(
        title="a composite value whose fields are all NULL is a value",
        given="""
            CREATE TYPE place AS (x int, y int);
            CREATE TABLE parent (id place PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id place);
            INSERT INTO parent VALUES (ROW(1, NULL)), (ROW(NULL, NULL));
            INSERT INTO child VALUES (1, ROW(1, NULL)), (2, NULL), (3, ROW(NULL, NULL)), (4, ROW(NULL, 1));
        """,
        settings=CONFIGURED,
        expected={RELATION: fails(rows=4, orphans=orphans({"n": 4, "parent_id": "(,1)"}))},
    ),
    Case(
        title="citext knows no case",
        given=declared("citext", "citext", "'Abc'", "'aBC', 'abd'", "CREATE EXTENSION citext;"),
        server=CONTRIB,
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "abd"}))},
    ),
    Case(
        title="citext in another schema, in a configured relation to a domain over it",
        given=between(
            "email",
            "more.citext",
            "'Abc'",
            "'aBC', 'abd'",
            "CREATE SCHEMA more; CREATE EXTENSION citext SCHEMA more; CREATE DOMAIN email AS more.citext;",
        ),
        settings=CONFIGURED,
        server=CONTRIB,
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "abd"}))},
    ),
    Case(
        title="text that is configured to refer to citext: the parent's equality decides",
        given=between("citext", "text", "'Abc'", "'aBC', 'abd'", "CREATE EXTENSION citext;"),
        settings=CONFIGURED,
        server=CONTRIB,
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "abd"}))},
    ),
    Case(
        title="collations that know no case, where the columns agree",
        given=declared(
            "text COLLATE any_case",
            "text COLLATE any_case",
            "'Abc'",
            "'aBC', 'abd'",
            "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);",
        ).replace("v::text COLLATE any_case", "v"),
        server=ICU,
        expected={RELATION: fails(rows=2, orphans=orphans({"n": 2, "parent_id": "abd"}))},
    ),
    Case(
        title="collations that differ: the parent's decides",
        given="""
            CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE strict (id text COLLATE "C"); CREATE TABLE loose (id text COLLATE any_case);
            INSERT INTO strict VALUES ('Abc'); INSERT INTO loose VALUES ('aBC');
        """,
        settings={
            "relations": ["public.strict(id) -> public.loose(id)", "public.loose(id) -> public.strict(id)"]
        },
        server=ICU,
        expected={
            "public.strict(id) -> public.loose(id)": passes(rows=1),
            "public.loose(id) -> public.strict(id)": fails(rows=1, orphans=orphans({"id": "aBC"})),
        },
    ),
)

CONFIGURED_RELATIONS = (
    Case(
        title="a configured relation",
        given=between("int", "int", "1, 2, 2, NULL", "1, 2, 3, NULL"),
        settings=CONFIGURED,
        expected={RELATION: fails(rows=4, orphans=orphans({"n": 3, "parent_id": 3}))},
    ),
    Case(
        title="a sound configured relation, to a parent with duplicates",
        given=between("int", "int", "1, 2, 2, NULL", "1, 2, 2, NULL"),
        settings=CONFIGURED,
        expected={RELATION: passes(rows=4)},
    ),
    Case(
        title="a configured relation that is declared, or written twice, is one subject",
        given="""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE other (a int);
            CREATE TABLE child (x int, y int, FOREIGN KEY (x, y) REFERENCES parent)
        """,
        settings={
            "relations": [
                "public.child(y, x) -> public.parent(b, a)",
                "public.child(x) -> public.other(a)",
                'PUBLIC.child( x ) -> "public".other(a)',
            ]
        },
        expected={
            "public.child(x, y) -> public.parent(a, b)": passes(rows=0),
            "public.child(x) -> public.other(a)": passes(rows=0),
        },
    ),
    Case(
        title="a declared key outside the watched schemas, if it is configured",
        given=PARENT_AND_CHILD + UNGUARDED + "INSERT INTO child VALUES (1, 9)",
        settings=CONFIGURED,
        scope=Scope(exclude=("public",)),
        expected={RELATION: fails(orphans=orphans({"n": 1, "parent_id": 9}))},
    ),
    Case(
        title="an int that refers to a numeric, and a numeric to an int: neither is rounded",
        given="""
            CREATE TABLE exact (id numeric); CREATE TABLE whole (id int);
            INSERT INTO exact VALUES (1.0), (1.4); INSERT INTO whole VALUES (1), (2);
        """,
        settings={
            "relations": ["public.exact(id) -> public.whole(id)", "public.whole(id) -> public.exact(id)"]
        },
        expected={
            "public.exact(id) -> public.whole(id)": fails(rows=2, orphans=orphans({"id": "1.4"})),
            "public.whole(id) -> public.exact(id)": fails(rows=2, orphans=orphans({"id": 2})),
        },
    ),
    Case(
        title="varchar, char(n) and text, in every direction",
        given="""
            CREATE TABLE v (id varchar(9)); CREATE TABLE c (id char(9)); CREATE TABLE t (id text);
            INSERT INTO v VALUES ('ab'), ('ac'); INSERT INTO c VALUES ('ab'), ('ad');
            INSERT INTO t VALUES ('ab')
        """,
        settings={
            "relations": [
                f"public.{child}(id) -> public.{parent}(id)"
                for child, parent in ("vc", "vt", "cv", "ct", "tv", "tc")
            ]
        },
        expected={
            "public.v(id) -> public.c(id)": fails(rows=2, orphans=orphans({"id": "ac"})),
            "public.v(id) -> public.t(id)": fails(rows=2, orphans=orphans({"id": "ac"})),
            "public.c(id) -> public.v(id)": fails(rows=2, orphans=orphans({"id": "ad       "})),
            "public.c(id) -> public.t(id)": fails(rows=2, orphans=orphans({"id": "ad       "})),
            "public.t(id) -> public.v(id)": passes(rows=1),
            "public.t(id) -> public.c(id)": passes(rows=1),
        },
    ),
    Case(
        title="types that nothing compares",
        given="""
            CREATE TABLE parent (id uuid, doc json, day date); CREATE TABLE child (id text, doc json, at time)
        """,
        settings={
            "relations": [
                "public.child(id) -> public.parent(id)",
                "public.child(doc) -> public.parent(doc)",
                "public.child(at) -> public.parent(day)",
            ]
        },
        expected={"public.child(at) -> public.parent(day)": unknown("no operator compares at (time")},
        problems={
            "public.child(id) -> public.parent(id)": "id is text but id is uuid",
            "public.child(doc) -> public.parent(doc)": "json, which knows no equality",
        },
    ),
    Case(
        title="relations that name nothing",
        given="""
            CREATE SCHEMA shop; CREATE TABLE shop.orders (id int, buyer int);
            CREATE TABLE public.users (id int)
        """,
        settings={
            "relations": [
                "shop.order(buyer) -> public.users(id)",
                "shop.orders(buyers) -> public.users(id)",
                "shop.orders(zzz) -> public.users(id)",
                "shop.orders(buyer) -> shop.users(id)",
                "shop.orders(buyer) -> nowhere.at_all(id)",
                "shop.orders(id, id) -> public.users(id, id)",
            ]
        },
        expected={},
        problems={
            'shop."order"(buyer) -> public.users(id)': "did you mean shop.orders?",
            "shop.orders(buyers) -> public.users(id)": "has no column buyers; did you mean buyer?",
            "shop.orders(zzz) -> public.users(id)": "has no column zzz; it has id, buyer",
            "shop.orders(buyer) -> shop.users(id)": "did you mean public.users?",
            "shop.orders(buyer) -> nowhere.at_all(id)": "no schema nowhere has tables",
            "shop.orders(id, id) -> public.users(id, id)": "column id of table shop.orders appears twice",
        },
    ),
    Case(
        title="a view takes part",
        given="""
            CREATE TABLE parent (id int); CREATE TABLE raw (n int, parent_id text);
            CREATE VIEW child AS SELECT n, parent_id::int FROM raw WHERE parent_id ~ '^[0-9]+$';
            INSERT INTO parent VALUES (1); INSERT INTO raw VALUES (1, '1'), (2, '2'), (3, 'none')
        """,
        settings=CONFIGURED,
        expected={RELATION: fails(rows=2, orphans=orphans({"parent_id": 2}))},
    ),
    Case(
        title="foreign tables, also as partitions",
        given="""
            CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
            CREATE FOREIGN TABLE far (id int) SERVER other;
            CREATE TABLE parent (id int) PARTITION BY LIST (id);
            CREATE FOREIGN TABLE far_part PARTITION OF parent DEFAULT SERVER other;
            CREATE TABLE child (a int)
        """,
        settings={"relations": ["public.child(a) -> public.far(id)", "public.child(a) -> public.parent(id)"]},
        server=CONTRIB,
        expected={
            "public.child(a) -> public.far(id)": unknown("public.far is a foreign table"),
            "public.child(a) -> public.parent(id)": unknown("public.far_part is a foreign table"),
        },
    ),
    Case(
        title="a foreign table that inherits is no part of a declared key",
        given=PARENT_AND_CHILD
        + """
            CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
            CREATE FOREIGN TABLE far () INHERITS (child) SERVER other; INSERT INTO child VALUES (1, 1)
        """,
        server=CONTRIB,
        expected={RELATION: passes(rows=1)},
    ),
    Case(
        title="a relation of a partition, which its root declares",
        given="""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (parent_id int REFERENCES parent) PARTITION BY LIST (parent_id);
            CREATE TABLE child_part PARTITION OF child DEFAULT;
        """,
        settings={"relations": ["public.child_part(parent_id) -> public.parent(id)"]},
        expected={RELATION: passes(rows=0)},
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

PERMISSIONS = (
    Case(
        title="rows that a policy hides are no clean rows",
        given=PARENT_AND_CHILD
        + """
            GRANT SELECT ON parent, child TO orphan_rows_policy;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY;
            INSERT INTO child VALUES (1, 1)
        """,
        role="orphan_rows_policy",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy of the parent would make orphans of sound rows",
        given=PARENT_AND_CHILD
        + """
            GRANT SELECT ON parent, child TO orphan_rows_parent_policy;
            ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
            INSERT INTO child VALUES (1, 1)
        """,
        role="orphan_rows_parent_policy",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy that is forced on the owner",
        given=PARENT_AND_CHILD
        + """
            ALTER TABLE child OWNER TO orphan_rows_owner; ALTER TABLE parent OWNER TO orphan_rows_owner;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY; ALTER TABLE child FORCE ROW LEVEL SECURITY
        """,
        role="orphan_rows_owner",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy from which the owner is exempt",
        given=PARENT_AND_CHILD
        + """
            ALTER TABLE child OWNER TO orphan_rows_exempt; ALTER TABLE parent OWNER TO orphan_rows_exempt;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY;
            SET session_replication_role = replica; INSERT INTO child VALUES (1, 9)
        """,
        role="orphan_rows_exempt",
        expected={RELATION: fails(orphans=orphans({"n": 1, "parent_id": 9}))},
    ),
    Case(
        title="a missing permission on the parent",
        given=PARENT_AND_CHILD + "GRANT SELECT ON child TO orphan_rows_stranger",
        role="orphan_rows_stranger",
        expected={RELATION: unknown("permission denied for table parent")},
    ),
)

CASES = (
    *KEYS,
    *COMPOSITE_KEYS,
    *PARTITIONS_AND_INHERITANCE,
    *TYPES,
    *CONFIGURED_RELATIONS,
    *NAMES_AND_SIZES,
    *TEMPORAL_KEYS,
    *PERMISSIONS,
)
