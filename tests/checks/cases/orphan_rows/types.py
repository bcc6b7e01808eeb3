"""Types, and what is equal in them."""

from __future__ import annotations

from tests.checks.case import Case, Found, fails, passes, unknown
from tests.checks.cases.orphan_rows.common import (
    CONFIGURED,
    CONTRIB,
    ICU,
    RELATION,
    between,
    declared,
    orphans,
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
        title="a date that refers to a timestamptz: midnight of which time zone?",
        given=declared("timestamptz", "date", "'2024-05-01 00:00+00'", "'2024-05-01'"),
        expected={RELATION: unknown("depends on the session")},
    ),
    Case(
        title="timestamps with and without time zone, in relations that are configured, and through domains",
        given="""
            CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN day AS date;
            CREATE TABLE parent (at timestamptz, m moment, d date);
            CREATE TABLE child (at timestamp, d day, also date)
        """,
        settings={
            "relations": [
                "public.child(at) -> public.parent(at)",
                "public.child(d) -> public.parent(m)",
                "public.child(d) -> public.parent(d)",
                "public.child(at) -> public.parent(d)",
            ]
        },
        expected={
            "public.child(at) -> public.parent(at)": unknown("depends on the session"),
            "public.child(d) -> public.parent(m)": unknown("depends on the session"),
            "public.child(d) -> public.parent(d)": passes(),
            "public.child(at) -> public.parent(d)": passes(),
        },
    ),
    Case(
        title="a cast that depends on the session",
        given="""
            CREATE DOMAIN clock AS time; CREATE DOMAIN zoned AS timetz;
            CREATE TABLE parent (id timetz PRIMARY KEY, w zoned);
            CREATE TABLE child (id time REFERENCES parent, t clock REFERENCES parent)
        """,
        settings={"relations": ["public.child(t) -> public.parent(w)"]},
        expected={
            "public.child(id) -> public.parent(id)": unknown("depends on the session"),
            "public.child(t) -> public.parent(id)": unknown("depends on the session"),
            "public.child(t) -> public.parent(w)": unknown("depends on the session"),
        },
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
