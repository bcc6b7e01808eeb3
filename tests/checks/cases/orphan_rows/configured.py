"""Relations that a person wrote into the settings."""

from __future__ import annotations

from pgvigil.catalog import Scope
from tests.checks.case import Case, fails, passes, unknown
from tests.checks.cases.orphan_rows.common import (
    CONFIGURED,
    CONTRIB,
    PARENT_AND_CHILD,
    RELATION,
    UNGUARDED,
    between,
    orphans,
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
