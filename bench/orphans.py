"""Orphans: a million children of a hundred thousand parents, by hand and by orphan_rows."""

from __future__ import annotations

from bench.databases import by_hand, by_pgvigil, database
from bench.measure import Measured, measure
from pgvigil_checks.orphan_rows import OrphanRows

_SETUP = """
    CREATE TABLE parent (id bigint PRIMARY KEY);
    CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES parent);
    INSERT INTO parent SELECT generate_series(1, 100000);
    INSERT INTO child SELECT n, 1 + (n * 7919::bigint) % 100000 FROM generate_series(1, 1000000) AS n;
    SET session_replication_role = replica;
    DELETE FROM parent WHERE id % 10000 = 0;
"""
_BARE = "SELECT count(parent_id) FROM child"
_NOT_EXISTS = "SELECT count(*) FROM child c WHERE NOT EXISTS (SELECT FROM parent p WHERE p.id = c.parent_id)"
_LEFT_JOIN = "SELECT count(*) FROM child c LEFT JOIN parent p ON p.id = c.parent_id WHERE p.id IS NULL"


def run() -> Measured:
    """Compare with a bare count of the child, which nothing that reads all rows can beat."""
    subject = "public.child(parent_id) -> public.parent(id)"
    check = OrphanRows(OrphanRows.params_type())
    with database(_SETUP) as dsn, by_hand(dsn) as ask, by_pgvigil(dsn, check, subject) as examine:
        return measure(
            "orphans, 1M children of 100k parents, not indexed; as a ratio to a bare count",
            {
                "bare count": lambda: ask(_BARE),
                "NOT EXISTS by hand": lambda: ask(_NOT_EXISTS),
                "LEFT JOIN by hand": lambda: ask(_LEFT_JOIN),
                "orphan_rows": examine,
            },
        )
