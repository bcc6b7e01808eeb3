"""Keys that the settings expect."""

from __future__ import annotations

from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes
from tests.checks.cases.foreign_keys.common import PARTITIONED, RELATION

EXPECTED_KEYS = (
    Case(
        title="an expected key is missing; another is there, in another order of columns",
        given="""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
            CREATE TABLE child (a int, b int, UNIQUE (a, b), FOREIGN KEY (a, b) REFERENCES parent);
            CREATE TABLE lonely (x int, y int)
        """,
        settings={
            "expected": [
                "public.child(b, a) -> public.parent(b, a)",
                "public.lonely(x, y) -> public.parent(a, b)",
            ]
        },
        expected={
            "public.child(a, b) -> public.parent(a, b)": passes(),
            "public.lonely(x, y) -> public.parent(a, b)": fails(
                missing=Found(
                    1,
                    ({"table": "public.lonely", "columns": "x, y", "references": "public.parent"},),
                    Severity.WARNING,
                )
            ),
        },
    ),
    Case(
        title="an expected key of a partition is declared by its root",
        given=PARTITIONED,
        settings={"expected": ["public.child_rest_all(parent_id) -> public.parent(id)"]},
        expected={RELATION: passes()},
    ),
    Case(
        title="expected keys that can't be",
        given="CREATE TABLE parent (id int PRIMARY KEY); CREATE VIEW child AS SELECT 1 AS parent_id",
        settings={"expected": [RELATION, "public.nothing(id) -> public.parent(id)"]},
        expected={},
        problems={
            RELATION: "public.child is a view",
            "public.nothing(id) -> public.parent(id)": "there is no table public.nothing",
        },
    ),
)
