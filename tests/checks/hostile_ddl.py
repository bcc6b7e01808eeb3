"""Small worlds with a relation of a few orphans, and DDL that makes other rows of it, or none, in one go.

`child_2` has no orphans, and `parent_2` no keys: whoever takes them for the others counts wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEMAS = """
    DROP SCHEMA IF EXISTS public CASCADE; DROP SCHEMA IF EXISTS other CASCADE;
    CREATE SCHEMA public; CREATE SCHEMA other;
"""
_TABLES = """
    CREATE TABLE parent (id int PRIMARY KEY, spare int NOT NULL);
    CREATE TABLE parent_2 (LIKE parent INCLUDING ALL);
    CREATE TABLE child (n int PRIMARY KEY, a int, spare int);
    CREATE INDEX child_a ON child (a);
    CREATE TABLE child_2 (LIKE child INCLUDING ALL);
"""
_ROWS = """
    INSERT INTO parent SELECT n, 5000 + n FROM generate_series(1, 20) AS n;
    INSERT INTO child SELECT n, 1 + n % 20, 1 + n % 20 FROM generate_series(1, 60) AS n;
    INSERT INTO child_2 TABLE child;
    INSERT INTO child VALUES (301, 1001, 1), (302, 1002, 1), (303, 1003, 1);
    ANALYZE;
"""
_PARTITIONED = """
    CREATE TABLE parent (id int PRIMARY KEY, spare int NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE parent_low PARTITION OF parent FOR VALUES FROM (0) TO (11);
    CREATE TABLE parent_high PARTITION OF parent FOR VALUES FROM (11) TO (100);
    CREATE TABLE child (n int PRIMARY KEY, a int, spare int) PARTITION BY RANGE (n);
    CREATE INDEX child_a ON child (a);
    CREATE TABLE child_low PARTITION OF child FOR VALUES FROM (0) TO (300);
    CREATE TABLE child_high PARTITION OF child FOR VALUES FROM (300) TO (1000);
    CREATE TABLE child_2 (LIKE child INCLUDING ALL);
    CREATE TABLE parent_2 (LIKE parent INCLUDING ALL);
"""
_HEIRS = """
    CREATE TABLE child_heir () INHERITS (child);
    CREATE TABLE parent_heir () INHERITS (parent);
    INSERT INTO child_heir SELECT n, 1 + n % 20, 1 FROM generate_series(401, 420) AS n;
    INSERT INTO child_heir VALUES (501, 30, 1), (502, 1004, 1);
    INSERT INTO parent_heir VALUES (30, 30);
"""
_KEY = "ALTER TABLE child ADD CONSTRAINT refers FOREIGN KEY (a) REFERENCES parent NOT VALID;"

_ANYWHERE = {
    "rows deleted": "DELETE FROM child WHERE a > 1000",
    "child truncated": "TRUNCATE child",
    "child refilled": "TRUNCATE child; INSERT INTO child TABLE child_2",
    "parent truncated": "TRUNCATE parent CASCADE",
    "child rewritten": "ALTER TABLE child ALTER a TYPE bigint",
    "another column rewritten": "ALTER TABLE child ALTER spare TYPE bigint",
    "rewritten by a default": "ALTER TABLE child ADD w float8 DEFAULT random()",
    "parent rewritten": "ALTER TABLE parent ALTER spare TYPE bigint",
    "child exchanged": "ALTER TABLE child RENAME TO child_1; ALTER TABLE child_2 RENAME TO child",
    "parent exchanged": "ALTER TABLE parent RENAME TO parent_1; ALTER TABLE parent_2 RENAME TO parent",
    "child replaced": "DROP TABLE child CASCADE; ALTER TABLE child_2 RENAME TO child",
    "child made anew": "DROP TABLE child CASCADE; CREATE TABLE child (LIKE child_2 INCLUDING ALL)",
    "parent made anew": "DROP TABLE parent CASCADE; CREATE TABLE parent (LIKE parent_2 INCLUDING ALL)",
    "parent renamed": "ALTER TABLE parent RENAME TO gone",
    "parent moved": "ALTER TABLE parent SET SCHEMA other; ALTER TABLE parent_2 RENAME TO parent",
    "schemas exchanged": """
        CREATE TABLE other.parent (LIKE parent INCLUDING ALL);
        CREATE TABLE other.child (LIKE child INCLUDING ALL);
        ALTER SCHEMA public RENAME TO third; ALTER SCHEMA other RENAME TO public;
        ALTER SCHEMA third RENAME TO other
    """,
    "a view instead": "ALTER TABLE child RENAME TO child_1; CREATE VIEW child AS TABLE child_2",
    "reference exchanged": "ALTER TABLE child RENAME a TO b; ALTER TABLE child RENAME spare TO a",
    "key exchanged": "ALTER TABLE parent RENAME id TO old; ALTER TABLE parent RENAME spare TO id",
    "reference made anew": "ALTER TABLE child DROP a CASCADE; ALTER TABLE child ADD a int",
    "reference dropped": "ALTER TABLE child DROP a CASCADE",
    "index made": "CREATE INDEX ON child (a, n)",
    "index dropped": "DROP INDEX IF EXISTS child_a",
    "index of a part": "DROP INDEX IF EXISTS child_a; CREATE INDEX child_a ON child (a) WHERE a < 10",
    "triggers disabled": "ALTER TABLE child DISABLE TRIGGER ALL; UPDATE child SET a = 1005 WHERE n = 5",
    "rows hidden": "ALTER TABLE child ENABLE ROW LEVEL SECURITY",
    "a right": "GRANT SELECT ON child TO PUBLIC",
    "statistics": "ANALYZE child, parent",
    "key dropped": """
        ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE;
        DELETE FROM parent WHERE id = 7; INSERT INTO parent VALUES (8, 1)
    """,
    "child's key dropped": """
        ALTER TABLE child DROP CONSTRAINT child_pkey; UPDATE child SET n = 9 WHERE n < 30
    """,
}
_TABLES_ALONE = {
    "clustered": "CLUSTER child USING child_pkey",
    "index made anew": "REINDEX INDEX parent_pkey",
    "unlogged": "ALTER TABLE child SET UNLOGGED",
    "child's key NULL": """
        ALTER TABLE child DROP CONSTRAINT child_pkey; ALTER TABLE child ALTER n DROP NOT NULL;
        ALTER TABLE child DISABLE TRIGGER ALL; INSERT INTO child VALUES (NULL, 1004, 1)
    """,
    "a root above": """
        ALTER TABLE child RENAME TO child_1;
        CREATE TABLE child (LIKE child_1) PARTITION BY RANGE (n);
        ALTER TABLE child ATTACH PARTITION child_1 FOR VALUES FROM (0) TO (900);
        CREATE TABLE child_3 PARTITION OF child FOR VALUES FROM (900) TO (1000);
        INSERT INTO child VALUES (901, 1004)
    """,
}
_PARTITIONS = {
    "partition truncated": "TRUNCATE {side}_high",
    "partition refilled": """
        CREATE TABLE kept AS TABLE {side}_high; TRUNCATE {side}_high; INSERT INTO {side} TABLE kept
    """,
    "partition detached": "ALTER TABLE {side} DETACH PARTITION {side}_high",
    "partition dropped": "DROP TABLE {side}_high",
    "partition renamed": "ALTER TABLE {side}_high RENAME TO renamed",
    "partition exchanged": """
        CREATE TABLE more (LIKE {side}); ALTER TABLE {side} DETACH PARTITION {side}_high;
        ALTER TABLE {side} ATTACH PARTITION more FOR VALUES FROM (300) TO (1000)
    """,
    "partition attached": """
        CREATE TABLE more (LIKE {side}); INSERT INTO more VALUES (1001, 1004);
        ALTER TABLE {side} ATTACH PARTITION more FOR VALUES FROM (1000) TO (2000)
    """,
    "partition in parts attached": """
        CREATE TABLE more (LIKE {side}) PARTITION BY RANGE ({key});
        CREATE TABLE part PARTITION OF more FOR VALUES FROM (1000) TO (2000);
        INSERT INTO more VALUES (1001, 1004);
        ALTER TABLE {side} ATTACH PARTITION more FOR VALUES FROM (1000) TO (2000)
    """,
    "partition moved": """
        ALTER TABLE {side} DETACH PARTITION {side}_low;
        CREATE TABLE more (LIKE {side}) PARTITION BY RANGE ({key});
        ALTER TABLE more ATTACH PARTITION {side}_low FOR VALUES FROM (0) TO (300)
    """,
}
_INHERITANCE = {
    "heir truncated": "TRUNCATE {side}_heir",
    "heir dropped": "DROP TABLE {side}_heir",
    "no heir": "ALTER TABLE {side}_heir NO INHERIT {side}",
    "another heir": "CREATE TABLE more () INHERITS ({side}); INSERT INTO more VALUES (1001, 1004)",
    "heir exchanged": """
        CREATE TABLE more () INHERITS ({side}); INSERT INTO more VALUES (1001, 1004);
        ALTER TABLE {side}_heir NO INHERIT {side}
    """,
    "an heir's heir": "CREATE TABLE more () INHERITS ({side}_heir); INSERT INTO more VALUES (1001, 1004)",
    "the first alone truncated": "TRUNCATE ONLY {side}",
}


def _both(statements: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{side}: {name}": text.format(side=side, key=key)
        for name, text in statements.items()
        for side, key in (("child", "n"), ("parent", "id"))
    }


@dataclass(frozen=True)
class World:
    """Tables and rows in an otherwise empty database, and what may be done to them."""

    given: str
    ddl: Mapping[str, str]


WORLDS = {
    "plain": World(
        _SCHEMAS + _TABLES + _ROWS,
        {
            **_ANYWHERE,
            **_TABLES_ALONE,
            "child: first heir": "ALTER TABLE child_2 INHERIT child; UPDATE child_2 SET a = 1004 WHERE n = 1",
            "parent: first heir": _INHERITANCE["another heir"].format(side="parent"),
        },
    ),
    "declared": World(_SCHEMAS + _TABLES + _ROWS + _KEY, {**_ANYWHERE, **_TABLES_ALONE}),
    "partitioned": World(_SCHEMAS + _PARTITIONED + _ROWS, {**_ANYWHERE, **_both(_PARTITIONS)}),
    "inherited": World(_SCHEMAS + _TABLES + _ROWS + _HEIRS, {**_ANYWHERE, **_both(_INHERITANCE)}),
}
"""Worlds by name."""
